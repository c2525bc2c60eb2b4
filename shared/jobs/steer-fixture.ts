import type { FailureReason } from "../metering/failure.ts";
import { closeJobIfDone } from "./close-job.ts";
import { collected } from "./concurrency.ts";
import { CALLER, type engine } from "./engine-fixture.ts";
import type { JobId } from "./job.ts";
import { planJob } from "./plan-job.ts";
import { recordOutcomes } from "./record-outcomes.ts";
import { advance } from "./slice-machine.ts";
import { slotState } from "./slots.ts";
import { type JobRequest, submitJob } from "./submit-job.ts";

export const MINUTE = 60_000;
export const READ: JobRequest = { operation: { kind: "readRegisters" }, target: { kind: "all" } };
export const ANNA = { by: { id: "anna" }, reason: "because" };
export type World = ReturnType<typeof engine>;

export async function submitted(world: World, request: Partial<JobRequest> = {}): Promise<JobId> {
  const outcome = await submitJob(world.ports, CALLER, { ...READ, ...request });
  if (outcome.kind === "refused") throw new Error(`${outcome.because} ${outcome.field}`);
  const job = await world.ports.ledger.job(outcome.jobId);
  if (job?.state === "planning") await planJob(world.ports, job);
  return outcome.jobId;
}
export const stateOf = async (world: World, jobId: JobId) => (await world.ports.ledger.job(jobId))?.state;
export const slicesOf = (world: World, jobId: JobId) => collected(world.ports.ledger.slicesOf(jobId));

/** One pass over every slice of the job: each slot ends as `endOf` says; undefined is done. */
export async function pass(
  world: World,
  jobId: JobId,
  endOf: (slot: number) => readonly [FailureReason, "later" | "never"] | undefined,
) {
  const job = await world.ports.ledger.job(jobId);
  if (job === undefined) throw new Error("no job");
  for (const slice of await slicesOf(world, jobId)) {
    const step = advance(slice, { input: "taken", generation: slice.generation, owner: "b", now: world.clock.now() });
    if (step.kind === "ignored") continue;
    await world.ports.ledger.writeSlice(slice, step.slice);
    const slots = [...slice.slots.keys()].filter((slot) => slotState(slice.slots, slot) === "open");
    const reports = slots.map((slot) => {
      const end = endOf(slot);
      const outcome =
        end === undefined
          ? ({ kind: "done" } as const)
          : ({ kind: "failed", reason: end[0], code: "test", retry: end[1] } as const);
      return { slot, outcome };
    });
    await recordOutcomes(world.ports, slice, { generation: slice.generation, passOver: true }, reports, job.retry);
  }
  await closeJobIfDone(world.ports, jobId);
}
