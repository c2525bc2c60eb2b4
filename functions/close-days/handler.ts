import { z } from "zod";
import { collected } from "../../shared/jobs/concurrency.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { closeDays } from "../../shared/readings/close-days.ts";
import { jobsAbout } from "../../shared/readings/jobs-about.ts";
import { ALL, groupSet, MAINTENANCE_GROUP } from "../../shared/registry/member-sets.ts";
import { lambdaClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoDaySummaries } from "../adapters/dynamo-day-summaries.ts";
import { dynamoMissingRecords } from "../adapters/dynamo-missing-records.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { invoker } from "../adapters/lambda-invoker.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock, systemClock } from "../adapters/system-clock.ts";
import { metrics } from "../adapters/telemetry.ts";

const env = settings({
  ACCESS_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  READINGS_TABLE: Setting,
  CLOSE_DAYS_FUNCTION: Setting,
});
const db = documentClient();
const jobs = jobPorts();
const segments = dynamoSegments(db, env.REGISTRY_TABLE);
const goOn = invoker(lambdaClient(), env.CLOSE_DAYS_FUNCTION);

/** What a pass needs to note how far it has come, ms. */
const MARGIN_MS = 60_000;

async function inMaintenance(): Promise<ReadonlyMap<number, Uint8Array>> {
  const members = await collected(segments.members(groupSet(MAINTENANCE_GROUP)));
  return new Map(members.map(({ segment, bitmap }) => [segment, bitmap]));
}

const ports = {
  plans: dynamoAccess(db, env.ACCESS_TABLE),
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE),
  records: dynamoMissingRecords(db, env.READINGS_TABLE),
  summaries: dynamoDaySummaries(db, env.READINGS_TABLE),
  ledger: jobs.ledger,
  segments: (from: number) => segments.members(ALL, from),
  jobsAbout: (days: ReadonlySet<number>) => jobsAbout(jobs.ledger, days, systemClock.now()),
  submit: (caller: Parameters<typeof submitJob>[1], request: Parameters<typeof submitJob>[2]) =>
    submitJob(jobs, caller, request),
  clock: systemClock,
};

/** The closing passes that are due; near its time limit it starts itself again. */
export const handler = eventHandler(z.object({}), async (_, context) => {
  let maintenance: ReturnType<typeof inMaintenance> | undefined;
  const ofMaintenance = (): ReturnType<typeof inMaintenance> => {
    maintenance ??= inMaintenance();
    return maintenance;
  };
  const { closed, unfinished } = await closeDays(
    { ...ports, maintenance: async (segment) => (await ofMaintenance()).get(segment) },
    productClock.now(),
    () => context.getRemainingTimeInMillis() > MARGIN_MS,
  );
  if (unfinished) await goOn({});
  for (const { counts } of closed)
    if (counts.unaccounted > 0) metrics.addMetric("unaccountedIntervals", "Count", counts.unaccounted);
  if (closed.length === 0) return undefined;
  return { closed: closed.map(({ day, ...rest }) => ({ day: new Date(day).toISOString().slice(0, 10), ...rest })) };
});
