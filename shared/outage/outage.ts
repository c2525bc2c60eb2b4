import { z } from "zod";
import { MeterId } from "../metering/meter.ts";

/**
 * `suspected`: the evidence is not yet enough. `confirmed`: told to others. `restoring`: meters of it are back, the rest is
 * being asked. `restored`: every meter of it is back or belongs to an outage of its own. `withdrawn`: it was none.
 * `merged`: it is part of a larger one.
 */
export const OUTAGE_STATES = ["suspected", "confirmed", "restoring", "restored", "withdrawn", "merged"] as const;
export type OutageState = (typeof OUTAGE_STATES)[number];
export const OPEN_STATES: ReadonlySet<OutageState> = new Set(["suspected", "confirmed", "restoring"]);

export const OutageId = z
  .string()
  .regex(/^[0-9a-f]{24}$/)
  .brand<"OutageId">();
export type OutageId = z.infer<typeof OutageId>;

/** How the meters of an outage stand. */
export const OutageEvidence = z.strictObject({
  meters: z.int().min(1),
  /** Said that they lost supply, and nothing newer shows it back. */
  gasped: z.int().min(0),
  /** Were asked since and stayed silent. */
  silent: z.int().min(0),
  /** Have shown supply since. */
  supplied: z.int().min(0),
});
export type OutageEvidence = z.infer<typeof OutageEvidence>;

/** A part of the grid without supply. Instants are clock ms. */
export const Outage = z.strictObject({
  outageId: OutageId,
  feeder: z.string(),
  /** The device that all meters of it have above them, or the meter itself (`service`). */
  node: z.string(),
  kind: z.enum(["feeder", "lateral", "transformer", "service"]),
  state: z.enum(OUTAGE_STATES),
  startedAt: z.int(),
  detectedAt: z.int(),
  /** When the first of its meters was back. */
  restoredAt: z.int().optional(),
  /** When the last of its meters was back, or when it was found to be none. */
  endedAt: z.int().optional(),
  confidence: z.number().min(0).max(1),
  evidence: OutageEvidence,
  meterIds: z.array(MeterId),
  /** Those of them that said so. */
  gaspedIds: z.array(MeterId),
  /** The outage that it was found within, when that was restored. */
  within: OutageId.optional(),
  /** The larger one that it is part of. */
  mergedInto: OutageId.optional(),
  /** Rises with every change. */
  version: z.int().min(1),
  changedAt: z.int(),
});
export type Outage = z.infer<typeof Outage>;

/** When a meter was last asked whether it has supply; `silences`: of so many questions since its outage is being restored. */
export const Asked = z.strictObject({ at: z.int(), silences: z.int().min(0), noted: z.boolean() });
export type Asked = z.infer<typeof Asked>;

/**
 * All that is under way at a feeder: the truth about its open outages, in one item. `outbox`: outages as they were changed
 * and not yet told; telling is repeated until it is done.
 */
export const FeederRecord = z.strictObject({
  feeder: z.string(),
  open: z.array(Outage),
  outbox: z.array(Outage),
  asked: z.record(z.string(), Asked),
  /** Momentary interruptions that were counted: by meter, when the last one began. */
  momentaries: z.record(z.string(), z.int()),
  version: z.int().min(0),
});
export type FeederRecord = z.infer<typeof FeederRecord>;

export const noRecord = (feeder: string): FeederRecord => ({
  feeder,
  open: [],
  outbox: [],
  asked: {},
  momentaries: {},
  version: 0,
});
