import { ConditionalCheckFailedException, DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DynamoDb } from "./dynamodb.ts";
import { Permissions } from "./permissions.ts";

const ARN = "arn:aws:dynamodb:eu-central-1:000000000000";
const ROLE = "arn:aws:iam::000000000000:role/reader";
const permissions = new Permissions();
const allow = (role: string, actions: string[], resources: string[]) =>
  permissions.grant(role, { Statement: [{ Effect: "Allow", Action: actions, Resource: resources }] });

const clientOf = (endpoint: string, role: string): DynamoDBDocumentClient => {
  const { id, secret } = permissions.accessKey("test-function", role);
  const credentials = { accessKeyId: id, secretAccessKey: secret };
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({ region: "eu-central-1", endpoint, credentials, maxAttempts: 1 }),
  );
};

describe("DynamoDB", () => {
  let db: DynamoDb;
  let url: string;
  let writer: DynamoDBDocumentClient;

  beforeAll(async () => {
    allow(ROLE, ["dynamodb:GetItem", "dynamodb:Query"], [`${ARN}:table/ledger`]);
    allow("writer", ["dynamodb:*"], [`${ARN}:table/ledger`, `${ARN}:table/ledger/index/*`]);
    db = new DynamoDb({ permissions, arnPrefix: ARN });
    ({ url } = await db.start());
    await db.createTable({
      name: "ledger",
      keySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      attributeDefinitions: ["pk", "sk", "due"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      globalSecondaryIndexes: [
        {
          IndexName: "due",
          KeySchema: [{ AttributeName: "due", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
        },
      ],
      ttlAttribute: "expires",
    });
    writer = clientOf(url, "writer");
  });
  afterAll(() => db.close());

  it("serves what a role allows and denies the rest with action and resource", async () => {
    await writer.send(new PutCommand({ TableName: "ledger", Item: { pk: "a", sk: "1", due: "now" } }));
    const reader = clientOf(url, ROLE);
    const { Item } = await reader.send(new GetCommand({ TableName: "ledger", Key: { pk: "a", sk: "1" } }));
    expect(Item).toEqual({ pk: "a", sk: "1", due: "now" });
    await expect(reader.send(new PutCommand({ TableName: "ledger", Item: { pk: "b", sk: "1" } }))).rejects.toThrow(
      `not authorized to perform: dynamodb:PutItem on resource: ${ARN}:table/ledger`,
    );
  });

  it("asks for the index when an index is queried", async () => {
    const query = new QueryCommand({
      TableName: "ledger",
      IndexName: "due",
      KeyConditionExpression: "due = :due",
      ExpressionAttributeValues: { ":due": "now" },
    });
    expect((await writer.send(query)).Count).toBe(1);
    await expect(clientOf(url, ROLE).send(query)).rejects.toThrow("table/ledger/index/due");
  });

  it("refuses a key that it has not given out", async () => {
    const credentials = { accessKeyId: "AKIAELSEWHERE", secretAccessKey: "x" };
    const stranger = new DynamoDBClient({ region: "eu-central-1", endpoint: url, credentials, maxAttempts: 1 });
    await expect(
      DynamoDBDocumentClient.from(stranger).send(new GetCommand({ TableName: "ledger", Key: { pk: "a", sk: "1" } })),
    ).rejects.toMatchObject({ name: "UnrecognizedClientException" });
  });

  it("makes the key store's transaction all or nothing", async () => {
    const put = (pk: string) => ({
      Put: {
        TableName: "ledger",
        Item: { pk: { S: pk }, sk: { S: "t" } },
        ConditionExpression: "attribute_not_exists(#pk)",
        ExpressionAttributeNames: { "#pk": "pk" },
      },
    });
    await writer.send(new TransactWriteItemsCommand({ TransactItems: [put("t1"), put("t2")] }));
    await expect(
      writer.send(new TransactWriteItemsCommand({ TransactItems: [put("t3"), put("t1")] })),
    ).rejects.toMatchObject({
      name: "TransactionCanceledException",
      CancellationReasons: [{ Code: "None" }, { Code: "ConditionalCheckFailed" }],
    });
    const { Item } = await writer.send(new GetCommand({ TableName: "ledger", Key: { pk: "t3", sk: "t" } }));
    expect(Item).toBeUndefined();
  });

  it("refuses an item over 400 kB, and a condition that does not hold", async () => {
    const large = new PutCommand({ TableName: "ledger", Item: { pk: "large", sk: "1", text: "x".repeat(410_000) } });
    await expect(writer.send(large)).rejects.toThrow("Item size");
    const absent = new PutCommand({
      TableName: "ledger",
      Item: { pk: "a", sk: "1" },
      ConditionExpression: "attribute_not_exists(pk)",
    });
    await expect(writer.send(absent)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
  });

  it("sweeps what its TTL attribute says has expired", async () => {
    for (const [sk, expires] of [
      ["old", 100],
      ["new", 300],
    ] as const)
      await writer.send(new PutCommand({ TableName: "ledger", Item: { pk: "ttl", sk, expires } }));
    expect(await db.sweepExpired(200_000)).toBe(1);
    const { Item } = await writer.send(new GetCommand({ TableName: "ledger", Key: { pk: "ttl", sk: "new" } }));
    expect(Item?.expires).toBe(300);
  });
});

describe("a table of an earlier run", () => {
  it("is kept when it is the same, and refused with a word of what to do when its indexes changed", async () => {
    const db = new DynamoDb({ permissions, arnPrefix: ARN });
    const pk = [{ AttributeName: "pk", KeyType: "HASH" }];
    const table = { name: "kept", keySchema: pk, attributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }] };
    await db.start();
    await db.createTable(table);
    await db.createTable(table);
    const index = { IndexName: "all", KeySchema: pk, Projection: { ProjectionType: "ALL" } };
    await expect(db.createTable({ ...table, globalSecondaryIndexes: [index] })).rejects.toThrow("a new --data folder");
    await db.close();
  });
});

describe("a disturbed DynamoDB", () => {
  it("throttles, and answers eventual reads as they were before the last write", async () => {
    const db = new DynamoDb({ permissions, arnPrefix: ARN, disturbance: { throttle: 0, stale: 1 } });
    const { url } = await db.start();
    const writer = clientOf(url, "writer");
    const keys = [{ AttributeName: "pk", KeyType: "HASH" }];
    const attributeDefinitions = [{ AttributeName: "pk", AttributeType: "S" }];
    await db.createTable({ name: "ledger", keySchema: keys, attributeDefinitions });
    await writer.send(new PutCommand({ TableName: "ledger", Item: { pk: "a", n: 1 } }));
    await writer.send(new PutCommand({ TableName: "ledger", Item: { pk: "a", n: 2 } }));
    const read = (ConsistentRead: boolean) =>
      writer.send(new GetCommand({ TableName: "ledger", Key: { pk: "a" }, ConsistentRead }));
    expect((await read(false)).Item?.n).toBe(1);
    expect((await read(true)).Item?.n).toBe(2);
    await db.close();

    const throttled = new DynamoDb({ permissions, arnPrefix: ARN, disturbance: { throttle: 1, stale: 0 } });
    const address = await throttled.start();
    await expect(
      clientOf(address.url, "writer").send(new GetCommand({ TableName: "ledger", Key: { pk: "a" } })),
    ).rejects.toMatchObject({ name: "ThrottlingException" });
    await throttled.close();
  });
});
