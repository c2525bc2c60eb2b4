import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";

const table = (
  TableName: string,
  index?: readonly [name: string, pk: string, sk: string],
): CreateTableCommandInput => ({
  TableName,
  AttributeDefinitions: ["pk", "sk", ...(index?.slice(1) ?? [])].map((AttributeName) => ({
    AttributeName,
    AttributeType: "S",
  })),
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
  ...(index === undefined
    ? {}
    : {
        GlobalSecondaryIndexes: [
          {
            IndexName: index[0],
            KeySchema: [
              { AttributeName: index[1], KeyType: "HASH" },
              { AttributeName: index[2], KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "ALL" },
          },
        ],
      }),
  BillingMode: "PAY_PER_REQUEST",
});

/** What enrolment writes to: the registry with its directory, and the access items. */
export const REGISTRY_TABLES: readonly CreateTableCommandInput[] = [
  table("Registry", ["directory", "dirPk", "dirSk"]),
  table("Access"),
];
