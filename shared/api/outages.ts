import { z } from "zod";
import { NeighbourEvidence, POWER_VERDICTS, VERDICT_REASONS } from "../outage/no-power-verdict.ts";
import { OUTAGE_STATES, OutageEvidence, OutageId } from "../outage/outage.ts";
import { POWER_STATES } from "../readings/fleet-columns.ts";
import { Instant } from "./instant.ts";
import { Cursor, limitUpTo, Name } from "./page.ts";

export const OutageInApi = z.strictObject({
  outageId: z.string(),
  feeder: z.string(),
  /** The device that all its meters have above them, or the meter itself where its service alone is out. */
  node: z.string(),
  kind: z.enum(["feeder", "lateral", "transformer", "service"]),
  state: z.enum(OUTAGE_STATES),
  startedAt: Instant,
  detectedAt: Instant,
  /** When the first of its meters was back. */
  restoredAt: Instant.optional(),
  endedAt: Instant.optional(),
  confidence: z.number(),
  evidence: OutageEvidence,
  /** The outage under whose restoration it was found. */
  within: z.string().optional(),
  mergedInto: z.string().optional(),
  changedAt: Instant,
});

/** GET /outages: `state=open` (the default) those under way now; `all` those that began with from <= startedAt <= to. */
export const OutageQuery = z
  .strictObject({
    state: z.enum(["open", "all"]).default("open"),
    feeder: Name.optional(),
    from: Instant.optional(),
    to: Instant.optional(),
    limit: limitUpTo(500, 100),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    message: "expected from <= to",
    path: ["to"],
  });
export const OutageList = z.strictObject({ asOf: Instant, outages: z.array(OutageInApi) });

export const OutagePath = z.strictObject({ outageId: OutageId });
export const OutageWithMeters = OutageInApi.extend({
  /** Its meters as they now stand. */
  meters: z.array(
    z.strictObject({
      meterId: z.string(),
      /** It said itself that it lost supply. */
      gasped: z.boolean(),
      power: z.enum(POWER_STATES),
      powerAt: Instant.optional(),
    }),
  ),
});

/** GET /outage-events: what was told after `since`, oldest first; `since` absent: from the oldest that is kept. */
export const OutageEventQuery = z.strictObject({ since: Cursor.optional(), limit: limitUpTo(200, 50) });

/** An EndDeviceEvent in the words of IEC 61968-9, as JSON. */
export const EndDeviceEvent = z.strictObject({
  /** The same event again has the same one. */
  mRID: z.string(),
  createdDateTime: Instant,
  issuerID: z.string(),
  issuerTrackingID: z.string(),
  reason: z.string(),
  severity: z.enum(["alarm", "info"]),
  Assets: z.array(z.strictObject({ mRID: z.string() })),
  EndDeviceEventDetails: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  EndDeviceEventType: z.strictObject({ ref: z.string() }),
  status: z.strictObject({ value: z.enum(OUTAGE_STATES), dateTime: Instant }),
});
export type EndDeviceEvent = z.output<typeof EndDeviceEvent>;
export const OutageEventList = z.strictObject({
  EndDeviceEvents: z.array(EndDeviceEvent),
  /** Ask on with it as `since`, at once if the page is full; what comes again has the same mRID. */
  next: Cursor.optional(),
});

/** POST /electrical-nodes: a CSV with the columns node, kind, parent and feeder, in any order. */
export const ElectricalNodesBody = z.strictObject({ csv: z.string().min(1).max(5_000_000) });
export const ElectricalNodesStored = z.strictObject({
  stored: z.int(),
  /** The first of them. */
  errors: z.array(z.strictObject({ row: z.int(), column: z.string(), expected: z.string() })),
  rejected: z.int(),
});
export const FeederPath = z.strictObject({ feeder: Name });
export const FeederTree = z.strictObject({
  feeder: z.string(),
  nodes: z.array(
    z.strictObject({
      node: z.string(),
      kind: z.enum(["transformer", "lateral", "feeder"]),
      parent: z.string().optional(),
      /** Below it, all of them, and those of them that are without supply by their own account. */
      meters: z.int(),
      off: z.int(),
    }),
  ),
});
export const FeederNodePath = z.strictObject({ feeder: Name, node: Name });

/** GET /meters/{meterId}/power. */
export const MeterPower = z.strictObject({
  meterId: z.string(),
  asOf: Instant,
  power: z.enum(POWER_STATES),
  at: Instant.optional(),
  by: z.enum(["answer", "restoration", "last-gasp"]).optional(),
  /** Of the last 31 days, by the meter's own account; those within the hold time are counted apart. */
  interruptions: z.array(z.strictObject({ from: Instant, to: Instant.optional(), momentary: z.boolean() })),
  sustained: z.int(),
  momentaries: z.int(),
});

export const NoPowerCheckPath = z.strictObject({ meterId: z.string().min(1).max(64), checkId: z.string().max(64) });
/** POST /meters/{meterId}/no-power-checks. */
export const NoPowerCheckBody = z.strictObject({
  /** Of the call: a case number. The same of the same caller is the same check. */
  reference: z.string().min(1).max(100).optional(),
});
export const NoPowerCheckInApi = z.strictObject({
  checkId: z.string(),
  meterId: z.string(),
  askedAt: Instant,
  verdict: z.enum(POWER_VERDICTS),
  because: z.enum(VERDICT_REASONS),
  /** `false`: it may change while answers come. */
  final: z.boolean(),
  evidence: z.strictObject({
    meter: z.enum(["asking", "answered", "module-only", "silent"]),
    /** Volts, by phase. */
    lineVolts: z.array(z.number()),
    loadVolts: z.array(z.number()),
    switch: z.enum(["open", "closed", "armed", "unknown"]).optional(),
    lastGaspAt: Instant.optional(),
    neighbours: NeighbourEvidence,
    outageId: z.string().optional(),
  }),
  jobs: z.array(z.string()),
});
