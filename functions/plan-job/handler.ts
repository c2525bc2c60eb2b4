import { z } from "zod";
import { JobId } from "../../shared/jobs/job.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import { peopleOfEnvironment } from "../adapters/cognito-people.ts";
import { fleetSearchOfEnvironment } from "../adapters/fleet-search-environment.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";

const ports = {
  ...jobPorts(fleetSearchOfEnvironment({ memoryMb: 900, timeoutMs: 120_000 })),
  people: peopleOfEnvironment(),
};

/** Plans one job; started again for the same job it goes on where that stopped. */
export const handler = eventHandler(z.object({ jobId: JobId }), async ({ jobId }) => {
  const job = await ports.ledger.job(jobId);
  if (job === undefined) return { jobId, state: "unknown" };
  const { state, slices, tasks, rejected } = await planJob(ports, job);
  return { jobId, state, slices, tasks, rejected: rejected?.length ?? 0 };
});
