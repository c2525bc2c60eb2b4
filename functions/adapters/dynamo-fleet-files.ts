import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  UpdateCommand,
  type UpdateCommandOutput,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { FleetFile, FleetFiles } from "../../shared/registry/fleet-files.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * In the Registry table. Mark: `FLEET-MARKS` / `<segment, 8 digits>` {changes, since, markedAt}, gone once the segment is
 * indexed. Pointer: `FLEET-FILES` / `<file, 6 digits>` {current, previous, leaseOwner, leaseUntil}.
 */
const MARKS = "FLEET-MARKS";
const FILES = "FLEET-FILES";
const markKey = (segment: number) => ({ pk: MARKS, sk: String(segment).padStart(8, "0") });
const fileKey = (file: number) => ({ pk: FILES, sk: String(file).padStart(6, "0") });

const StoredMark = z.object({ sk: z.string(), changes: z.int(), since: z.int(), markedAt: z.int() });
const StoredFile = z.object({
  sk: z.string(),
  current: z
    .strictObject({
      object: z.string(),
      asOf: z.int(),
      meters: z.int(),
      mix: z.record(z.string(), z.record(z.string(), z.int())),
    })
    .optional(),
  previous: z.string().optional(),
});

function fileOf(item: unknown): FleetFile {
  const { sk, current, previous } = StoredFile.parse(item);
  return {
    file: Number(sk),
    ...(current === undefined ? {} : { current }),
    ...(previous === undefined ? {} : { previous }),
  };
}

/** Fleet files on DynamoDB. */
export function dynamoFleetFiles(db: DynamoDBDocumentClient, TableName: string): FleetFiles {
  async function all(pk: string): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    for await (const item of partitionItems(db, TableName, pk)) found.push(item);
    return found;
  }
  return {
    async mark(segment, at) {
      await db.send(
        new UpdateCommand({
          TableName,
          Key: markKey(segment),
          UpdateExpression: "SET markedAt = :at, since = if_not_exists(since, :at) ADD changes :one",
          ExpressionAttributeValues: { ":at": at, ":one": 1 },
        }),
      );
    },
    async marks() {
      return (await all(MARKS)).map((item) => {
        const { sk, changes, since, markedAt } = StoredMark.parse(item);
        return { segment: Number(sk), changes, since, at: markedAt };
      });
    },
    async clear({ segment, changes }) {
      await heldCondition(
        db.send(
          new DeleteCommand({
            TableName,
            Key: markKey(segment),
            ConditionExpression: "changes = :seen",
            ExpressionAttributeValues: { ":seen": changes },
          }),
        ),
      );
    },
    async files() {
      return (await all(FILES)).map(fileOf).filter(({ current }) => current !== undefined);
    },
    async lease(file, owner, now, until) {
      let leased: UpdateCommandOutput;
      try {
        leased = await db.send(
          new UpdateCommand({
            TableName,
            Key: fileKey(file),
            UpdateExpression: "SET leaseOwner = :owner, leaseUntil = :until",
            ConditionExpression: "attribute_not_exists(leaseUntil) OR leaseUntil <= :now",
            ExpressionAttributeValues: { ":owner": owner, ":until": until, ":now": now },
            ReturnValues: "ALL_NEW",
          }),
        );
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
      return fileOf(leased.Attributes);
    },
    async publish({ file, current, previous }, owner) {
      const written = await heldCondition(
        db.send(
          new UpdateCommand({
            TableName,
            Key: fileKey(file),
            UpdateExpression: `SET #current = :current${previous === undefined ? "" : ", previous = :previous"} REMOVE leaseOwner, leaseUntil`,
            ConditionExpression: "leaseOwner = :owner",
            ExpressionAttributeNames: { "#current": "current" },
            ExpressionAttributeValues: {
              ":owner": owner,
              ":current": current,
              ...(previous === undefined ? {} : { ":previous": previous }),
            },
          }),
        ),
      );
      return written ? "written" : "lost";
    },
  };
}
