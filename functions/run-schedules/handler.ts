import { z } from "zod";
import { runSchedules } from "../../shared/jobs/run-schedules.ts";
import { judgeRuns } from "../../shared/jobs/schedule-runs.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoCalendars } from "../adapters/dynamo-named.ts";
import { dynamoScheduleRuns, dynamoSchedules } from "../adapters/dynamo-schedules.ts";
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
  runs: dynamoScheduleRuns(db, env.LEDGER_TABLE),
};

/** Once a minute: every schedule whose run is due becomes a job, and runs are judged by their service levels. */
export const handler = eventHandler(z.object({}), async () => {
  const runs = await runSchedules(ports, productClock.now());
  const judged = await judgeRuns(ports, ports.clock.now());
  if (runs.length + judged.length === 0) return undefined;
  return { runs, ...(judged.length === 0 ? {} : { judged }) };
});
