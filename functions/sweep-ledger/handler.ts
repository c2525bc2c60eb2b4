import { z } from "zod";
import { toldLedger } from "../../shared/events/tell-jobs.ts";
import { timelineDays } from "../../shared/events/timeline.ts";
import { sweepLedger } from "../../shared/jobs/sweep.ts";
import { outcomeKeeper } from "../../shared/switching/audit-orders.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { peopleOfEnvironment } from "../adapters/cognito-people.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { tellerOfEnvironment } from "../adapters/event-teller.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { metrics } from "../adapters/telemetry.ts";

const env = settings({ ACCESS_TABLE: Setting, TIMELINE_TABLE: Setting, TIMELINE_DAYS: z.string() });
const db = documentClient();
const access = dynamoAccess(db, env.ACCESS_TABLE);
const timeline = dynamoTimeline(db, env.TIMELINE_TABLE, timelineDays(env.TIMELINE_DAYS));
const outcomes = outcomeKeeper(auditOfEnvironment(), systemClock, timeline);
const jobs = jobPorts();
const ports = {
  ...jobs,
  ledger: toldLedger(jobs.ledger, tellerOfEnvironment()),
  people: peopleOfEnvironment(),
  givenUp: async (job: Parameters<typeof outcomes.givenUp>[0], segment: number, slots: readonly number[]) =>
    outcomes.givenUp(
      job,
      (await access.readMany(segment, slots)).map(({ meterId }) => meterId),
    ),
};

/** Once a minute: what is lost or due is sent again, what is over is closed. */
export const handler = eventHandler(z.object({}), async () => {
  const facts = await sweepLedger(ports);
  if (facts.unverified > 0) metrics.addMetric("unverifiedTasks", "Count", facts.unverified);
  return { ...facts };
});
