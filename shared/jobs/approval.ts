import { z } from "zod";
import type { Place } from "../metering/meter.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { Job } from "./job.ts";
import type { Slice } from "./slice.ts";
import { slotState } from "./slots.ts";

/** An approval that nobody gives lapses after this, ms. */
export const APPROVAL_MS = 4 * 3_600_000;

/** What a job waits for before anything of it is sent. */
export const ApprovalAsked = z.strictObject({
  /** How many others have to approve. */
  needed: z.int().min(1).max(2),
  /** It is about many meters, or a guard's cap is reached. */
  because: z.enum(["size", "cap"]),
  /** Clock ms. */
  lapsesAt: z.int(),
});
export type ApprovalAsked = z.infer<typeof ApprovalAsked>;

/** By a person other than who asked, of exactly this. */
export const Approval = z.strictObject({
  by: z.strictObject({ id: z.string().min(1).max(256), name: z.string().max(256).optional() }),
  /** Clock ms. */
  at: z.int(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Approval = z.infer<typeof Approval>;

/** Says whether an order has to be approved, and reserves its room where it has not. */
export interface OrderGate {
  /**
   * `meters`: how many it is about, counted as far as it matters; `places`: of a job that names its meters. Undefined: it
   * may go at once.
   */
  assess(
    job: Pick<Job, "jobId" | "operation" | "caller" | "reason" | "createdAt" | "test">,
    meters: number,
    places: readonly Place[],
  ): Promise<Omit<ApprovalAsked, "lapsesAt"> | undefined>;
  /** Meters are counted no further than this. */
  readonly countMax: () => Promise<number>;
}

/** Whether a job still waits to be approved. A test only shows what it would wait for. */
export const awaitsApproval = ({ approval, approvals = [], test }: Pick<Job, "approval" | "approvals" | "test">) =>
  approval !== undefined && test !== true && approvals.length < approval.needed;

/** What an approval binds: operation, frozen target, window, reason and expiry. Order of the slices does not matter. */
export function approvalDigest(crypto: Crypto, job: Job, slices: readonly Slice[]): string {
  const targets = slices
    .map(({ segment, part, slots }) => {
      const targeted = Array.from(slots.keys()).filter((slot) => slotState(slots, slot) !== "untargeted");
      return `${segment}/${part}:${targeted.join(",")}`;
    })
    .sort();
  const { jobId, operation, notBefore, spreadSeconds, after, deadline, reason } = job;
  const bound = [jobId, operation, targets, notBefore ?? 0, spreadSeconds ?? 0, after ?? null, deadline, reason ?? ""];
  return toHex(crypto.hash("sha256", new TextEncoder().encode(JSON.stringify(bound))));
}
