import type { SubmitPorts } from "../../shared/jobs/submit-job.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { queryFilters } from "../../shared/queries/stored-query.ts";
import { lambdaClient, sqsClient } from "./aws-clients.ts";
import { documentClient } from "./document-client.ts";
import { dynamoAccess } from "./dynamo-access.ts";
import { groupRouteReader } from "./dynamo-group-routes.ts";
import { dynamoLedger } from "./dynamo-ledger.ts";
import { dynamoMissingRecords } from "./dynamo-missing-records.ts";
import { dynamoQueries } from "./dynamo-named.ts";
import { dynamoRegistry } from "./dynamo-registry.ts";
import { dynamoSegments, registryTargets } from "./dynamo-segments.ts";
import type { FleetSearch } from "./fleet-search.ts";
import { lambdaPlanner } from "./lambda-invoker.ts";
import { meterSearch } from "./meter-search.ts";
import { Setting, settings } from "./settings.ts";
import { sqsLanes } from "./sqs-lanes.ts";
import { systemClock } from "./system-clock.ts";
import { systemRandom } from "./system-random.ts";

/** Ports of the functions that plan and send, as the environment says. `fleet`: of who finds meters of large fleets. */
export function jobPorts(fleet?: FleetSearch): SubmitPorts {
  const env = settings({
    ACCESS_TABLE: Setting,
    LEDGER_TABLE: Setting,
    REGISTRY_TABLE: Setting,
    READINGS_TABLE: Setting,
    COMMANDS_QUEUE_URL: Setting,
    INTERACTIVE_QUEUE_URL: Setting,
    URGENT_QUEUE_URL: Setting,
    BULK_QUEUE_URL: Setting,
    IMAGES_QUEUE_URL: Setting,
    PLAN_JOB_FUNCTION: Setting,
  });
  const db = documentClient();
  return {
    ledger: dynamoLedger(db, env.LEDGER_TABLE, systemClock.now),
    targets: registryTargets(
      dynamoRegistry(db, env.REGISTRY_TABLE),
      meterSearch(db, { registry: env.REGISTRY_TABLE, readings: env.READINGS_TABLE, access: env.ACCESS_TABLE }),
      dynamoSegments(db, env.REGISTRY_TABLE),
      dynamoMissingRecords(db, env.READINGS_TABLE),
      fleet,
    ),
    orders: dynamoAccess(db, env.ACCESS_TABLE),
    lanes: sqsLanes(sqsClient(), {
      commands: env.COMMANDS_QUEUE_URL,
      interactive: env.INTERACTIVE_QUEUE_URL,
      urgent: env.URGENT_QUEUE_URL,
      bulk: env.BULK_QUEUE_URL,
      images: env.IMAGES_QUEUE_URL,
    }),
    queries: queryFilters(dynamoQueries(db, env.LEDGER_TABLE)),
    groupRoutes: groupRouteReader(db, env.REGISTRY_TABLE),
    planner: lambdaPlanner(lambdaClient(), env.PLAN_JOB_FUNCTION),
    crypto: nodeCrypto,
    random: systemRandom,
    clock: systemClock,
  };
}
