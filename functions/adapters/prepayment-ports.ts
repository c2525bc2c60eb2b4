import { toldTimeline } from "../../shared/events/tell-events.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { orderEndOf, type PrepaymentPorts } from "../../shared/prepayment/run-prepayment.ts";
import { documentClient } from "./document-client.ts";
import { dynamoAccess } from "./dynamo-access.ts";
import { dynamoAccounts } from "./dynamo-accounts.ts";
import { dynamoAuthority } from "./dynamo-authority.ts";
import { dynamoDayBlocks } from "./dynamo-day-blocks.ts";
import { dynamoTimeline } from "./dynamo-timeline.ts";
import { tellerOfEnvironment } from "./event-teller.ts";
import { gateOfEnvironment } from "./gate-ports.ts";
import { jobPorts } from "./job-ports.ts";
import { Setting, settings } from "./settings.ts";
import { productClock, systemClock } from "./system-clock.ts";

/** Ports of the functions that charge accounts and order their switches. Readings and prices are on the product's clock, orders on the machine's. */
export function prepaymentPorts(): PrepaymentPorts {
  const env = settings({
    ACCOUNTS_TABLE: Setting,
    ACCESS_TABLE: Setting,
    AUTHORITY_TABLE: Setting,
    READINGS_TABLE: Setting,
    TIMELINE_TABLE: Setting,
  });
  const db = documentClient();
  const jobs = { ...jobPorts(), gate: gateOfEnvironment() };
  const access = dynamoAccess(db, env.ACCESS_TABLE);
  const { active } = dynamoAuthority(db, env.AUTHORITY_TABLE);
  return {
    accounts: dynamoAccounts(db, env.ACCOUNTS_TABLE),
    clock: { now: () => productClock.now(), sleep: (ms) => systemClock.sleep(ms) },
    orderClock: systemClock,
    blocks: dynamoDayBlocks(db, env.READINGS_TABLE),
    submit: (caller, request, at) => submitJob({ ...jobs, clock: { ...systemClock, now: () => at } }, caller, request),
    orderEnd: orderEndOf(jobs.ledger),
    access: (account) => access.read(account),
    authority: active,
    timeline: toldTimeline(dynamoTimeline(db, env.TIMELINE_TABLE), tellerOfEnvironment()),
  };
}
