import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { AuditLink, type AuditStore } from "../../shared/security/audit.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * The Audit table. `CHAIN#<chain>` / `<seq, 12 digits>`: one link. Links are put if absent and never changed. Keys and
 * access patterns are in this file only.
 */
const pk = (chain: number): string => `CHAIN#${chain}`;
const sk = (seq: number): string => seq.toString().padStart(12, "0");

const fromStored = (item: Record<string, unknown>): AuditLink => {
  const { pk: _pk, sk: _sk, ...link } = item;
  return AuditLink.parse(link);
};

export const dynamoAudit = (db: DynamoDBDocumentClient, TableName: string): AuditStore => ({
  async last(chain) {
    const { Items = [] } = await db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk(chain) },
        ScanIndexForward: false,
        Limit: 1,
        ConsistentRead: true,
      }),
    );
    return Items[0] === undefined ? undefined : fromStored(Items[0]);
  },
  async put(link) {
    const Item = { pk: pk(link.chain), sk: sk(link.seq), ...link };
    const written = await heldCondition(
      db.send(new PutCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(pk)" })),
    );
    return written ? "written" : "conflict";
  },
  async *from(chain, seq) {
    for await (const item of partitionItems(db, TableName, pk(chain), { from: sk(seq) })) yield fromStored(item);
  },
});
