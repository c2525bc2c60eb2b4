import { z } from "zod";
import { timelineDays } from "../../shared/events/timeline.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { ExchangePorts } from "../../shared/readings/exchange-meter.ts";
import type { RetirePorts } from "../../shared/readings/retire-meter.ts";
import type { DisplayRead } from "../../shared/readings/take-away.ts";
import type { EnrolPorts } from "../../shared/registry/enrolment.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoLakeMarks } from "../adapters/dynamo-lake.ts";
import { dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { retentionDays, Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({
  READINGS_TABLE: Setting,
  TIMELINE_TABLE: Setting,
  TIMELINE_DAYS: z.string(),
  BLOCK_DAYS: z.string(),
});
const db = documentClient();
const stores = {
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE, retentionDays(env.BLOCK_DAYS)),
  lake: dynamoLakeMarks(db, env.READINGS_TABLE),
  crypto: nodeCrypto,
};
const timeline = dynamoTimeline(db, env.TIMELINE_TABLE, timelineDays(env.TIMELINE_DAYS));
const auditLog = auditOfEnvironment();

const shownBy = ({ id, name }: Caller) => ({ id, ...(name === undefined ? {} : { name }) });
const readsText = (reads: readonly DisplayRead[]): string =>
  reads
    .map(({ measurement, value, scaler }) => `${measurement} ${value}e${scaler}`)
    .join(", ")
    .slice(0, 256);

/** What the retirement of a meter works on, asked for by this caller for this reason. */
export function retirePorts(enrol: EnrolPorts, caller: Caller, reason: string): RetirePorts {
  const by = shownBy(caller);
  const at = (servicePoint: string | undefined) => (servicePoint === undefined ? {} : { servicePoint });
  return {
    ...enrol,
    ...stores,
    audit: ({ retires, at: instant, finalReads }, servicePoint) =>
      auditLog.append({
        at: systemClock.now(),
        by,
        action: "meter.retire",
        meterId: retires,
        reason,
        detail: { ...at(servicePoint), at: new Date(instant).toISOString(), finalReads: readsText(finalReads) },
      }),
    async told({ retires, at: instant }, servicePoint) {
      await timeline.add([
        {
          meterId: retires,
          id: "retired",
          entry: { kind: "change", at: instant, what: "meter.retired", detail: { ...at(servicePoint), reason }, by },
        },
      ]);
    },
  };
}

/** What an exchange works on, asked for by this caller for this reason. */
export function exchangePorts(enrol: EnrolPorts, caller: Caller, reason: string): ExchangePorts {
  const by = shownBy(caller);
  return {
    ...enrol,
    ...stores,
    audit: ({ retires, meter, at, finalReads }, servicePoint) =>
      auditLog.append({
        at: systemClock.now(),
        by,
        action: "meter.exchange",
        meterId: retires,
        reason,
        detail: {
          replacedBy: meter.meterId,
          servicePoint,
          at: new Date(at).toISOString(),
          finalReads: readsText(finalReads),
        },
      }),
    async told({ retires, meter: { meterId }, at }, servicePoint) {
      const entry = (what: string, other: Record<string, string>) =>
        ({ kind: "change", at, what, detail: { servicePoint, ...other }, by }) as const;
      await timeline.add([
        { meterId: retires, id: "retired", entry: entry("meter.retired", { replacedBy: meterId }) },
        { meterId, id: "installed", entry: entry("meter.installed", { replaces: retires }) },
      ]);
    },
  };
}
