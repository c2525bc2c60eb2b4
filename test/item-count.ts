import { type DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";

/** How many items some tables hold together: what a refusal must not change. */
export async function itemCount(db: DynamoDBDocumentClient, tables: readonly string[]): Promise<number> {
  const counts = await Promise.all(
    tables.map((TableName) => db.send(new ScanCommand({ TableName, Select: "COUNT", ConsistentRead: true }))),
  );
  return counts.reduce((sum, { Count = 0 }) => sum + Count, 0);
}
