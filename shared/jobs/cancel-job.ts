import type { Clock } from "../ports/clock.ts";
import { closeJobIfDone } from "./close-job.ts";
import type { JobId, JobState } from "./job.ts";
import { type Doer, withStep } from "./job-step.ts";
import type { Ledger } from "./ledger.ts";
import type { Slice } from "./slice.ts";
import { advance } from "./slice-machine.ts";

export type CancelOutcome =
  | { readonly kind: "accepted"; readonly jobId: JobId; readonly state: JobState }
  | { readonly kind: "refused"; readonly because: "unknown-job" | "already-closed" };

/** Jobs of so many slices are ended at once; larger ones by the sweep. */
const INLINE_SLICES_MAX = 64;
const TRIES = 5;

/**
 * Cancels what is still open. Bridges see the job's state within two seconds; what they report of a conversation under
 * way is kept as a reading and changes nothing. `doer`: who wants it, and why, to be kept with the job; `action`:
 * `dropped` when a rule does it.
 */
export async function cancelJob(
  ports: { readonly ledger: Ledger; readonly clock: Clock },
  jobId: JobId,
  doer?: Doer,
  action: "cancelled" | "dropped" = "cancelled",
): Promise<CancelOutcome> {
  for (;;) {
    const job = await ports.ledger.job(jobId);
    if (job === undefined) return { kind: "refused", because: "unknown-job" };
    if (job.state === "closed") return { kind: "refused", because: "already-closed" };
    const steps = doer === undefined ? {} : { steps: withStep(job, action, doer, ports.clock.now()) };
    if (
      job.state !== "cancelling" &&
      (await ports.ledger.moveJob(jobId, job.state, { state: "cancelling", ...steps })) !== "written"
    )
      continue; // it moved on meanwhile; it does so a few times in its life
    if (job.slices !== undefined && job.slices <= INLINE_SLICES_MAX) {
      for await (const slice of ports.ledger.slicesOf(jobId)) await cancelSlice(ports.ledger, slice);
      await closeJobIfDone(ports, jobId);
    }
    return { kind: "accepted", jobId, state: (await ports.ledger.job(jobId))?.state ?? "cancelling" };
  }
}

/** Ends the open tasks of a slice as `cancelled`; answers the slice as it then is. */
export async function cancelSlice(ledger: Ledger, given: Slice): Promise<Slice> {
  let slice: Slice | undefined = given;
  for (let tries = 0; slice !== undefined && tries < TRIES; tries++) {
    const step = advance(slice, { input: "cancelled" });
    if (step.kind === "ignored") return slice;
    if ((await ledger.writeSlice(slice, step.slice)) === "written") return step.slice;
    slice = await ledger.slice(slice);
  }
  return slice ?? given; // somebody writes all the time: the next sweep finds it
}
