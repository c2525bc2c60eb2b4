import { type Job, type JobStep, STEPS_MAX } from "./job.ts";

/** Who does something to a job, and why. */
export interface Doer {
  readonly by: JobStep["by"];
  readonly reason?: string | undefined;
}

/** By a rule of the engine itself. */
export const byRule = (reason: string): Doer => ({ by: { id: "headrace" }, reason });

/** The steps of a job with one more; the oldest go when there are too many. */
export const withStep = (
  job: Pick<Job, "steps">,
  action: JobStep["action"],
  { by, reason }: Doer,
  at: number,
): JobStep[] => {
  const { id, name } = by;
  const step: JobStep = {
    at,
    action,
    by: { id, ...(name === undefined ? {} : { name }) },
    ...(reason === undefined ? {} : { reason }),
  };
  return [...(job.steps ?? []), step].slice(-STEPS_MAX);
};
