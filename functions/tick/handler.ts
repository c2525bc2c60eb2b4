import { z } from "zod";
import { lambdaClient } from "../adapters/aws-clients.ts";
import { deploymentMarker, SEED_VERSION } from "../adapters/deployment-marker.ts";
import { documentClient } from "../adapters/document-client.ts";
import { invoker } from "../adapters/lambda-invoker.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";

const env = settings({
  REGISTRY_TABLE: Setting,
  BOOTSTRAP_FUNCTION: Setting,
  SWEEP_LEDGER_FUNCTION: Setting,
  RUN_SCHEDULES_FUNCTION: Setting,
  CLOSE_DAYS_FUNCTION: Setting,
  EXPORT_LAKE_FUNCTION: Setting,
  WRITE_EXPORT_FUNCTION: Setting,
  COUNT_KPIS_FUNCTION: Setting,
  INDEX_FLEET_FUNCTION: Setting,
  DRIVE_DEMAND_FUNCTION: Setting,
  SEAL_AUDIT_FUNCTION: Setting,
  WATCH_OUTAGES_FUNCTION: Setting,
  RUN_PREPAYMENT_FUNCTION: Setting,
  TELL_STORMS_FUNCTION: Setting,
});
const lambda = lambdaClient();
const marker = deploymentMarker(documentClient(), env.REGISTRY_TABLE);

/** The one tick: starts what hangs on it. A double tick is harmless, for everything that it starts is. */
export const handler = eventHandler(z.object({ scheduledTime: z.string() }), async ({ scheduledTime }) => {
  const seeded = ((await marker.read()) ?? 0) >= SEED_VERSION;
  const started = [
    ...(seeded ? [] : [env.BOOTSTRAP_FUNCTION]),
    env.SWEEP_LEDGER_FUNCTION,
    env.RUN_SCHEDULES_FUNCTION,
    env.CLOSE_DAYS_FUNCTION,
    env.EXPORT_LAKE_FUNCTION,
    env.WRITE_EXPORT_FUNCTION,
    env.COUNT_KPIS_FUNCTION,
    env.INDEX_FLEET_FUNCTION,
    env.DRIVE_DEMAND_FUNCTION,
    env.SEAL_AUDIT_FUNCTION,
    env.WATCH_OUTAGES_FUNCTION,
    env.RUN_PREPAYMENT_FUNCTION,
    env.TELL_STORMS_FUNCTION,
  ];
  await Promise.all(started.map((name) => invoker(lambda, name)({ scheduledTime })));
  return { scheduledTime, seeded };
});
