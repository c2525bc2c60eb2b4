import { closeJobIfDone } from "./close-job.ts";
import type { Job, JobId, JobState } from "./job.ts";
import { type Doer, withStep } from "./job-step.ts";
import type { Planner } from "./lanes.ts";
import { type PlanPorts, planJob } from "./plan-job.ts";
import { sendSlices } from "./send-slices.ts";
import type { Slice } from "./slice.ts";
import { advance } from "./slice-machine.ts";

export type SteerOutcome =
  | { readonly kind: "accepted"; readonly jobId: JobId; readonly state: JobState }
  | { readonly kind: "refused"; readonly because: "unknown-job" | "already-closed" | "ending" | "not-paused" };

/** Jobs of so many slices are sent on at once; larger ones by the next sweep. */
const INLINE_SLICES_MAX = 64;
const accepted = (jobId: JobId, state: JobState): SteerOutcome => ({ kind: "accepted", jobId, state });
const refused = (because: Extract<SteerOutcome, { kind: "refused" }>["because"]): SteerOutcome => ({
  kind: "refused",
  because,
});

/**
 * Pauses a job: bridges see it within two seconds, dial no further meter for it and give their slices back; nothing of
 * it is sent until it is resumed. Conversations under way end, and count. The deadline goes on: what is open then expires.
 */
export async function pauseJob(
  ports: Pick<PlanPorts, "ledger" | "clock">,
  jobId: JobId,
  doer: Doer,
): Promise<SteerOutcome> {
  for (;;) {
    const job = await ports.ledger.job(jobId);
    if (job === undefined) return refused("unknown-job");
    if (job.state === "closed") return refused("already-closed");
    if (job.state === "cancelling") return refused("ending");
    if (job.state === "paused") return accepted(jobId, "paused");
    const steps = withStep(job, "paused", doer, ports.clock.now());
    if ((await ports.ledger.moveJob(jobId, job.state, { state: "paused", pausedFrom: job.state, steps })) === "written")
      return accepted(jobId, "paused");
  }
}

/** Resumes a paused job where it was, and sends what is due by now. Every prefix is finished by the sweep. */
export async function resumeJob(
  ports: PlanPorts & { readonly planner: Planner },
  jobId: JobId,
  doer: Doer,
): Promise<SteerOutcome> {
  const job = await ports.ledger.job(jobId);
  if (job === undefined) return refused("unknown-job");
  if (job.state !== "paused") return refused(job.state === "closed" ? "already-closed" : "not-paused");
  const state = job.pausedFrom ?? "running";
  const steps = withStep(job, "resumed", doer, ports.clock.now());
  if ((await ports.ledger.moveJob(jobId, "paused", { state, steps })) === "conflict") return refused("not-paused");
  const resumed: Job = { ...job, state, steps };
  const few = job.slices !== undefined && job.slices <= INLINE_SLICES_MAX;
  if (state === "running") {
    if (few) await sendDue(ports, resumed);
    await closeIfFew(ports, resumed, few);
  } else if (few) await planJob(ports, resumed);
  else await ports.planner.start(jobId);
  return accepted(jobId, (await ports.ledger.job(jobId))?.state ?? state);
}

const closeIfFew = async (ports: PlanPorts, { jobId }: Job, few: boolean): Promise<void> => {
  if (few) await closeJobIfDone(ports, jobId);
};

/** Slices that were given back, or whose rest is over. What is queued is in its lane still. */
async function sendDue(ports: PlanPorts, { jobId }: Job): Promise<void> {
  const now = ports.clock.now();
  const due: Slice[] = [];
  for await (const slice of ports.ledger.slicesOf(jobId)) {
    if (slice.state !== "planned" && slice.state !== "resting") continue;
    const step = advance(slice, { input: "swept", now, watermark: undefined });
    if (step.kind === "ignored" || (await ports.ledger.writeSlice(slice, step.slice)) === "conflict") continue;
    if (step.effect === "send") due.push({ ...step.slice, version: slice.version + 1 });
  }
  await sendSlices(ports, due);
}
