import type { ProblemKind } from "../../shared/api/problem.ts";
import { type RefusedJob, submitJob } from "../../shared/jobs/submit-job.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { lambdaClient, sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoSegments, registryTargets } from "../adapters/dynamo-segments.ts";
import { lambdaPlanner } from "../adapters/lambda-invoker.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { sqsLanes } from "../adapters/sqs-lanes.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({
  LEDGER_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  COMMANDS_QUEUE_URL: Setting,
  INTERACTIVE_QUEUE_URL: Setting,
  URGENT_QUEUE_URL: Setting,
  BULK_QUEUE_URL: Setting,
  IMAGES_QUEUE_URL: Setting,
  PLAN_JOB_FUNCTION: Setting,
});
const db = documentClient();
const ports = {
  ledger: dynamoLedger(db, env.LEDGER_TABLE, systemClock.now),
  targets: registryTargets(dynamoRegistry(db, env.REGISTRY_TABLE), dynamoSegments(db, env.REGISTRY_TABLE)),
  lanes: sqsLanes(sqsClient(), {
    commands: env.COMMANDS_QUEUE_URL,
    interactive: env.INTERACTIVE_QUEUE_URL,
    urgent: env.URGENT_QUEUE_URL,
    bulk: env.BULK_QUEUE_URL,
    images: env.IMAGES_QUEUE_URL,
  }),
  planner: lambdaPlanner(lambdaClient(), env.PLAN_JOB_FUNCTION),
  crypto: nodeCrypto,
  random: systemRandom,
  clock: systemClock,
};

const PROBLEM: Readonly<Record<RefusedJob["because"], readonly [ProblemKind, string]>> = {
  "unknown-meter": ["not-found", "No such meter is enrolled."],
  "unknown-target": ["not-found", "The target has no enrolled meters."],
  "deadline-passed": ["unprocessable", "The deadline has passed."],
  "lane-not-allowed": ["unprocessable", "The lane is not for this."],
  "idempotency-conflict": ["conflict", "The key was used for another request."],
};

export const handler = httpHandler({
  async submitJob({ body, caller }) {
    const outcome = await submitJob(ports, caller, body);
    if (outcome.kind === "accepted") return { status: 202, body: { jobId: outcome.jobId, state: outcome.state } };
    const { kind: _, because, ...error } = outcome;
    return refuse(...PROBLEM[because], error);
  },
});
