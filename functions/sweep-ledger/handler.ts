import { z } from "zod";
import { sweepLedger } from "../../shared/jobs/sweep.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { metrics } from "../adapters/telemetry.ts";

const ports = jobPorts();

/** Once a minute: what is lost or due is sent again, what is over is closed. */
export const handler = eventHandler(z.object({}), async () => {
  const facts = await sweepLedger(ports);
  if (facts.unverified > 0) metrics.addMetric("unverifiedTasks", "Count", facts.unverified);
  return { ...facts };
});
