import { z } from "zod";
import { timelineDays } from "../../shared/events/timeline.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { ExchangePorts } from "../../shared/readings/exchange-meter.ts";
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

/** What an exchange works on, asked for by this caller for this reason. */
export function exchangePorts(enrol: EnrolPorts, { id, name }: Caller, reason: string): ExchangePorts {
  const by = { id, ...(name === undefined ? {} : { name }) };
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
          finalReads: finalReads
            .map(({ measurement, value, scaler }) => `${measurement} ${value}e${scaler}`)
            .join(", ")
            .slice(0, 256),
        },
      }),
    told: ({ retires, meter: { meterId }, at }, servicePoint) => {
      const entry = (what: string, other: Record<string, string>) =>
        ({ kind: "change", at, what, detail: { servicePoint, ...other }, by }) as const;
      return timeline.add([
        { meterId: retires, id: "retired", entry: entry("meter.retired", { replacedBy: meterId }) },
        { meterId, id: "installed", entry: entry("meter.installed", { replaces: retires }) },
      ]);
    },
  };
}
