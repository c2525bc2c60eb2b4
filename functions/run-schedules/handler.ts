import { z } from "zod";
import { readHinted } from "../../shared/jobs/hints.ts";
import { runSchedules } from "../../shared/jobs/run-schedules.ts";
import { judgeRuns } from "../../shared/jobs/schedule-runs.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { countRun } from "../../shared/readings/count-runs.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoHints } from "../adapters/dynamo-hints.ts";
import { dynamoMissingRecords } from "../adapters/dynamo-missing-records.ts";
import { dynamoCalendars } from "../adapters/dynamo-named.ts";
import { dynamoScheduleRuns, dynamoSchedules } from "../adapters/dynamo-schedules.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ LEDGER_TABLE: Setting, ACCESS_TABLE: Setting, READINGS_TABLE: Setting });
const db = documentClient();
const ports = {
  ...jobPorts(),
  schedules: dynamoSchedules(db, env.LEDGER_TABLE),
  calendars: dynamoCalendars(db, env.LEDGER_TABLE),
  runs: dynamoScheduleRuns(db, env.LEDGER_TABLE),
};

const counted = {
  plans: dynamoAccess(db, env.ACCESS_TABLE),
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE),
  records: dynamoMissingRecords(db, env.READINGS_TABLE),
  ledger: ports.ledger,
};
/** What a segment's count and the hints take at the most, ms. */
const MARGIN_MS = 60_000;

const hinted = {
  hints: dynamoHints(db, env.LEDGER_TABLE),
  clock: ports.clock,
  submit: (caller: Parameters<typeof submitJob>[1], request: Parameters<typeof submitJob>[2]) =>
    submitJob(ports, caller, request),
};

/**
 * Once a minute: every schedule whose run is due becomes a job, runs are judged by their service levels, and meters that
 * pushes only hint at are read.
 */
export const handler = eventHandler(z.object({}), async (_, context) => {
  const runs = await runSchedules(ports, productClock.now());
  const mayGoOn = (): boolean => context.getRemainingTimeInMillis() > MARGIN_MS;
  const judged = await judgeRuns(
    { ...ports, countIntervals: (job, from) => countRun(counted, job, productClock.now(), mayGoOn, from) },
    ports.clock.now(),
  );
  const hints = await readHinted(hinted, productClock.now());
  if (runs.length + judged.length === 0 && hints === undefined) return undefined;
  return { runs, ...(judged.length === 0 ? {} : { judged }), ...(hints === undefined ? {} : { hints }) };
});
