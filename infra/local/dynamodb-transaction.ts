import { AwsError } from "./aws-endpoint.ts";

type Attributes = Readonly<Record<string, unknown>>;
interface PutOf {
  readonly TableName: string;
  readonly Item: Attributes;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Attributes;
  readonly ExpressionAttributeValues?: Attributes;
}
export interface TransactItem {
  readonly Put?: PutOf;
  readonly [other: string]: unknown;
}
type Call = (operation: string, body: object) => Promise<Readonly<Record<string, unknown>>>;

/** The key store of the AWS Encryption SDK writes three items at once; nothing else in the product does. */
const ITEMS_MAX = 3;

const refuse = (message: string): never => {
  throw new AwsError("ValidationException", `${message}: local mode makes only the key store's transaction`);
};

/**
 * Conditional puts of at most three items of one table, all or nothing. The caller is alone on the table. There is no
 * journal: a process killed in the middle leaves what is written; the key store's writer then repeats its call.
 */
export async function transactWrite(items: readonly TransactItem[], call: Call): Promise<void> {
  const puts = items.map((item) => item.Put ?? refuse(`TransactWriteItems with ${Object.keys(item).join(", ")}`));
  if (puts.length === 0 || puts.length > ITEMS_MAX) refuse(`TransactWriteItems of ${puts.length} items`);
  const tables = new Set(puts.map((put) => put.TableName));
  const [table] = tables;
  if (table === undefined || tables.size !== 1) return refuse(`TransactWriteItems over ${tables.size} tables`);
  const described = (await call("DescribeTable", { TableName: table })) as {
    Table: { KeySchema: readonly { AttributeName: string }[] };
  };
  const keyOf = (item: Attributes): Attributes =>
    Object.fromEntries(described.Table.KeySchema.map(({ AttributeName }) => [AttributeName, item[AttributeName]]));

  const undo: (() => Promise<unknown>)[] = [];
  for (const [index, put] of puts.entries()) {
    try {
      const { Attributes: before } = (await call("PutItem", { ...put, ReturnValues: "ALL_OLD" })) as {
        Attributes?: Attributes;
      };
      undo.push(() =>
        before === undefined
          ? call("DeleteItem", { TableName: table, Key: keyOf(put.Item) })
          : call("PutItem", { TableName: table, Item: before }),
      );
    } catch (error) {
      for (const step of undo.reverse()) await step();
      if (!(error instanceof AwsError) || error.type !== "ConditionalCheckFailedException") throw error;
      const reasons = puts.map((_, at) =>
        at === index ? { Code: "ConditionalCheckFailed", Message: error.message } : { Code: "None" },
      );
      throw new AwsError(
        "TransactionCanceledException",
        `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(", ")}]`,
        400,
        { CancellationReasons: reasons },
      );
    }
  }
}
