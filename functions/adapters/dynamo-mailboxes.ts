import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { emptyMailbox, Mailbox, type Mailboxes } from "../../shared/jobs/mailbox.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Mailboxes in the Ledger table: `MB#<segment>` / `<slot>` {meterId, version, mails}, written under their version. One item
 * an endpoint that was ever asked something; it stays, empty. Keys and access patterns are in this file only.
 */
const keyOf = ({ segment, slot }: { readonly segment: number; readonly slot: number }) => ({
  pk: `MB#${segment}`,
  sk: String(slot).padStart(4, "0"),
});
const Stored = z.object({ ...Mailbox.shape });

export function dynamoMailboxes(db: DynamoDBDocumentClient, TableName: string): Mailboxes {
  return {
    async read(place, meterId) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(place), ConsistentRead: true }));
      if (Item === undefined) return emptyMailbox(meterId);
      const { version, mails, meterId: owner } = Stored.parse(Item);
      return owner === meterId ? { meterId, version, mails } : { ...emptyMailbox(meterId), version };
    },
    write: (place, { meterId, version, mails }) =>
      heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...keyOf(place), meterId, version: version + 1, mails },
            ConditionExpression: version === 0 ? "attribute_not_exists(pk)" : "#version = :version",
            ...(version === 0
              ? {}
              : {
                  ExpressionAttributeNames: { "#version": "version" },
                  ExpressionAttributeValues: { ":version": version },
                }),
          }),
        ),
      ),
  };
}
