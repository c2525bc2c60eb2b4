import { z } from "zod";
import { type DemandPorts, driveEvents } from "../../shared/demand/drive-events.ts";
import { importCurve } from "../../shared/demand/import-curve.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoDemand } from "../adapters/dynamo-demand.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ LEDGER_TABLE: Setting, READINGS_TABLE: Setting });
const db = documentClient();
const blocks = dynamoDayBlocks(db, env.READINGS_TABLE);
const ports: DemandPorts = {
  ...jobPorts(),
  demand: dynamoDemand(db, env.LEDGER_TABLE),
  curve: (place, from, to) => importCurve({ blocks }, place, from, to),
};

/** Once a minute: demand response events begin, tell and release their meters, and are measured. */
export const handler = eventHandler(z.object({}), async () => {
  const did = await driveEvents(ports, productClock.now());
  return did.length === 0 ? undefined : { did };
});
