import { z } from "zod";
import { type DemandPorts, driveEvents } from "../../shared/demand/drive-events.ts";
import { importCurve } from "../../shared/demand/import-curve.ts";
import { eventReport } from "../../shared/demand/openadr/event-report.ts";
import { sendReport, takeEvents, type VenPorts } from "../../shared/demand/openadr/ven-client.ts";
import { Vtn } from "../../shared/demand/openadr/vtn.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAuthority } from "../adapters/dynamo-authority.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoVtns } from "../adapters/dynamo-named.ts";
import { dynamoVtnSecrets } from "../adapters/dynamo-vtns.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";
import { factsOf, logger } from "../adapters/telemetry.ts";
import { venSend } from "../adapters/ven-send.ts";
import { vtnPorts } from "../adapters/vtn-ports.ts";

const env = settings({ LEDGER_TABLE: Setting, READINGS_TABLE: Setting, AUTHORITY_TABLE: Setting });
const db = documentClient();
const authority = dynamoAuthority(db, env.AUTHORITY_TABLE);
const blocks = dynamoDayBlocks(db, env.READINGS_TABLE);
const served = vtnPorts(db);
const vtn = new Vtn(served);
const vtns = dynamoVtns(db, env.LEDGER_TABLE);
const secrets = dynamoVtnSecrets(db, env.LEDGER_TABLE, vaultOfEnvironment().vault);
const now = () => productClock.now();
const ven: VenPorts = { demand: served.demand, send: venSend, secretOf: secrets.open, now };

/** What another VTN does must not hold up the headend's own events. */
async function tried<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    logger.warn("VTN not served", { vtn: name, ...factsOf(error) });
    return undefined;
  }
}

const ports: DemandPorts = {
  ...jobPorts(),
  demand: served.demand,
  authority: authority.active,
  curve: (place, from, to) => importCurve({ blocks }, place, from, to),
  async onMeasured(event, _, entries) {
    await vtn.keep(eventReport(event, entries, now()));
    const { source } = event;
    const connection = source && (await vtns.read(source.vtn));
    if (connection !== undefined) await tried(connection.name, () => sendReport(ven, connection, event, entries));
  },
};

/** Once a minute: events of other VTNs are taken; events begin, tell and release their meters, and are measured. */
export const handler = eventHandler(z.object({}), async () => {
  const taken = [];
  for (const connection of await vtns.list())
    taken.push(...((await tried(connection.name, () => takeEvents(ven, connection))) ?? []));
  const did = await driveEvents(ports, now());
  return did.length + taken.length === 0 ? undefined : { did, ...(taken.length === 0 ? {} : { taken }) };
});
