import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { type GroupRequests, SentGroupRequest } from "../../shared/jobs/group-request.ts";
import type { JobId } from "../../shared/jobs/job.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { type GroupMark, groupIdFrom } from "../../shared/security/group-ids.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Group requests in the Ledger table: `GR#<invocation id>` / `request` {request}; `J#<job>` / `group` {invocationId}, the
 * one that the job really has; `GROUPS` / `mark` {mark, epoch, at}. Keys and access patterns are in this file only.
 */
const requestKey = (invocationId: number) => ({ pk: `GR#${invocationId}`, sk: "request" });
const jobKey = (jobId: JobId) => ({ pk: `J#${jobId}`, sk: "group" });
const MARK = { pk: "GROUPS", sk: "mark" };
const TRIES = 20;

const StoredMark = z.object({ mark: z.union([z.int(), z.bigint()]).transform(BigInt), epoch: z.int(), at: z.int() });
const Pointer = z.object({ invocationId: z.int() });

export function dynamoGroupRequests(db: DynamoDBDocumentClient, TableName: string): GroupRequests {
  const read = async (Key: { readonly pk: string; readonly sk: string }) =>
    (await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  const create = (Item: { readonly pk: string; readonly sk: string }): Promise<boolean> =>
    heldCondition(db.send(new PutCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(pk)" })));
  const stored = async (invocationId: number): Promise<SentGroupRequest | undefined> => {
    const item = await read(requestKey(invocationId));
    return item === undefined ? undefined : SentGroupRequest.parse(item.request);
  };
  const idOf = async (jobId: JobId): Promise<number | undefined> => {
    const item = await read(jobKey(jobId));
    return item === undefined ? undefined : Pointer.parse(item).invocationId;
  };
  const ofJob = async (jobId: JobId): Promise<SentGroupRequest | undefined> => {
    const invocationId = await idOf(jobId);
    return invocationId === undefined ? undefined : stored(invocationId);
  };
  return {
    ofJob,
    async byInvocationId(invocationId) {
      const request = await stored(invocationId);
      return request === undefined || (await idOf(request.jobId)) !== invocationId ? undefined : request;
    },
    // A request to which no job points was never sent, and nobody can answer it.
    async keep(request) {
      await create({ ...requestKey(request.invocationId), request } as never);
      if (await create({ ...jobKey(request.jobId), invocationId: request.invocationId } as never)) return request;
      const there = await ofJob(request.jobId);
      if (there !== undefined) return there;
      throw new HeadraceError("group.request-missing", `expected the group request of job ${request.jobId}`, {
        retry: "later",
      });
    },
    async draw(epoch, now) {
      for (let tries = 0; tries < TRIES; tries++) {
        const item = await read(MARK);
        const was: GroupMark | undefined = item === undefined ? undefined : StoredMark.parse(item);
        const { next, ...drawn } = groupIdFrom(was, epoch, now);
        const written = await heldCondition(
          db.send(
            new PutCommand({
              TableName,
              Item: { ...MARK, ...next },
              ConditionExpression: was === undefined ? "attribute_not_exists(pk)" : "#mark = :mark AND #epoch = :epoch",
              ...(was === undefined
                ? {}
                : {
                    ExpressionAttributeNames: { "#mark": "mark", "#epoch": "epoch" },
                    ExpressionAttributeValues: { ":mark": was.mark, ":epoch": was.epoch },
                  }),
            }),
          ),
        );
        if (written) return drawn;
      }
      throw new HeadraceError("group.contended", `expected to draw an invocation id in ${TRIES} tries`, {
        retry: "later",
      });
    },
  };
}
