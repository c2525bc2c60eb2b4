import { z } from "zod";
import { runSchedules } from "../../shared/jobs/run-schedules.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoCalendars } from "../adapters/dynamo-named.ts";
import { dynamoSchedules } from "../adapters/dynamo-schedules.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ LEDGER_TABLE: Setting });
const db = documentClient();
const ports = {
  ...jobPorts(),
  schedules: dynamoSchedules(db, env.LEDGER_TABLE),
  calendars: dynamoCalendars(db, env.LEDGER_TABLE),
};

/** Once a minute: every schedule whose run is due becomes a job. */
export const handler = eventHandler(z.object({}), async () => {
  const runs = await runSchedules(ports, productClock.now());
  return runs.length === 0 ? undefined : { runs };
});
