import { z } from "zod";
import { runOutages } from "../../shared/outage/run-outages.ts";
import { tellerOfEnvironment } from "../adapters/event-teller.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { outagePorts } from "../adapters/outage-ports.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { productClock } from "../adapters/system-clock.ts";
import { metrics } from "../adapters/telemetry.ts";

const ports = { ...outagePorts(jobPorts()), teller: tellerOfEnvironment() };

/** Once a minute: what the newest evidence makes of the outages of each feeder that has news or something under way. */
export const handler = eventHandler(z.object({}), async () => {
  const pass = await runOutages(ports, productClock.now);
  if (pass.feeders === 0) return undefined;
  metrics.addMetric("openOutages", "Count", pass.open);
  if (pass.momentaries > 0) metrics.addMetric("momentaryInterruptions", "Count", pass.momentaries);
  return { ...pass };
});
