import { z } from "zod";
import { FanOutPoint } from "../metering/fan-out-point.ts";
import { GROUP_INVOCATION_ID_MAX, GROUP_INVOCATION_IDS } from "../metering/group.ts";
import { JobId } from "./job.ts";
import type { Slice } from "./slice.ts";

/**
 * The slice of a job whose slots are not meters but the fan-out points of its group route: one task a point, which is done
 * when the group's APDU was sent there. Everything else is as for any slice: its lease, its message, its passes. It lies
 * in segment 0, wherever the meters do. Ways in are numbered below, slices of one above.
 */
export const GROUP_PART = 999;
export const GROUP_SEGMENT = 0;
export const isGroupSlice = ({ part }: Pick<Slice, "part">): boolean => part === GROUP_PART;

/** After the window, answers that are on their way to the ledger are given so long before the silent are asked, ms. */
export const SETTLE_MS = 20_000;

/**
 * A group request: what every bridge needs to match an answer with, and to send the same octets again. Written once, before
 * the first of them is sent.
 */
export const SentGroupRequest = z.strictObject({
  jobId: JobId,
  route: z.string(),
  groupTitle: z.string(),
  invocationId: z.int().min(GROUP_INVOCATION_IDS).max(GROUP_INVOCATION_ID_MAX),
  /** Clock ms: what it says of its time. */
  at: z.int(),
  profile: z.strictObject({ name: z.string(), version: z.int() }),
  points: z.array(FanOutPoint),
  /** Secured, whole: what every fan-out point gets. */
  apdu: z.custom<Uint8Array>((octets) => octets instanceof Uint8Array),
});
export type SentGroupRequest = z.infer<typeof SentGroupRequest>;

/** Group requests as stored. Keys of the items live in `functions/adapters/dynamo-group-requests.ts`. */
export interface GroupRequests {
  /** Strongly consistent. */
  ofJob(jobId: JobId): Promise<SentGroupRequest | undefined>;
  /** Strongly consistent. */
  byInvocationId(invocationId: number): Promise<SentGroupRequest | undefined>;
  /** If its job has none; answers the one that the job then has. A request that is not kept was never sent. */
  keep(request: SentGroupRequest): Promise<SentGroupRequest>;
  /**
   * An invocation id that no group request of this deployment has had or will have, and an instant that is not before
   * that of any request drawn earlier. `now`: clock ms. Throws `SessionError` `epoch.stale`, or `unsafe` when they are
   * used up.
   */
  draw(epoch: number, now: number): Promise<{ readonly invocationId: number; readonly at: number }>;
}
