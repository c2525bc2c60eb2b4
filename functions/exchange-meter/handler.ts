import { z } from "zod";
import { timelineDays } from "../../shared/events/timeline.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { type ExchangePorts, exchangeMeter } from "../../shared/readings/exchange-meter.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoLakeMarks } from "../adapters/dynamo-lake.ts";
import { dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { enrolPorts } from "../adapters/enrol-ports.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
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
  ...enrolPorts(vaultOfEnvironment().vault),
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE, retentionDays(env.BLOCK_DAYS)),
  lake: dynamoLakeMarks(db, env.READINGS_TABLE),
  crypto: nodeCrypto,
};
const timeline = dynamoTimeline(db, env.TIMELINE_TABLE, timelineDays(env.TIMELINE_DAYS));
const auditLog = auditOfEnvironment();

function portsFor({ id, name }: Caller, reason: string): ExchangePorts {
  const by = { id, ...(name === undefined ? {} : { name }) };
  return {
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

export const handler = httpHandler({
  async exchangeMeter({ params: { meterId }, body, caller }) {
    const { reason, ...rest } = body;
    const outcome = await exchangeMeter(portsFor(caller, reason), { ...rest, retires: meterId });
    if (outcome.kind !== "refused") {
      const { meter, place } = outcome.there;
      const status = outcome.kind === "exchanged" ? 201 : 200;
      const { servicePoint = "" } = meter;
      const shown = { meterId: meter.meterId, outcome: outcome.kind, replaces: meterId, servicePoint };
      return { status, body: { ...shown, ...place } };
    }
    const { kind: _, because, ...error } = outcome;
    if (because === "unknown-meter") return refuse("not-found", `There is no meter ${meterId}.`, error);
    return because === "conflict"
      ? refuse("conflict", `Meter ${meterId} cannot be exchanged for ${body.meter.meterId}.`, error)
      : refuse("unprocessable", `Meter ${meterId} cannot be exchanged like this.`, error);
  },
});
