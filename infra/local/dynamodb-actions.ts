import { AwsError } from "./aws-endpoint.ts";

/** One thing that a request does to one table, in IAM's words. */
export interface TableUse {
  readonly action: string;
  readonly table: string;
  readonly index?: string;
}

type Body = Readonly<Record<string, unknown>>;

const nameOf = (table: unknown): string => String(table).split(":table/").at(-1) ?? "";

const SINGLE = new Set(["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTable"]);
const TRANSACT = { Put: "PutItem", Update: "UpdateItem", Delete: "DeleteItem", ConditionCheck: "ConditionCheckItem" };

/** What a request does to which tables. An operation that is no part of the product's vocabulary is refused. */
export function tablesOf(operation: string, body: Body): readonly TableUse[] {
  if (SINGLE.has(operation)) {
    const table = nameOf(body.TableName);
    return [{ action: operation, table, ...(body.IndexName === undefined ? {} : { index: String(body.IndexName) }) }];
  }
  if (operation === "BatchGetItem" || operation === "BatchWriteItem")
    return Object.keys((body.RequestItems ?? {}) as Body).map((table) => ({ action: operation, table: nameOf(table) }));
  if (operation === "TransactWriteItems")
    return ((body.TransactItems ?? []) as readonly Readonly<Record<string, Body>>[]).flatMap((item) =>
      Object.entries(TRANSACT).flatMap(([kind, action]) =>
        item[kind] === undefined ? [] : [{ action, table: nameOf(item[kind].TableName) }],
      ),
    );
  throw new AwsError(
    "UnknownOperationException",
    `DynamoDB ${operation} is not stood up locally: the product does without it (infra/local/dynamodb-actions.ts)`,
  );
}
