import { z } from "zod";
import { EventNameSchema } from "../metering/event-catalogue.ts";
import { MeasurementName } from "../metering/measurement.ts";
import type { MeterId } from "../metering/meter.ts";
import { MeterCredit } from "../metering/meter-credit.ts";
import { PowerLimitShown } from "../metering/power-limit.ts";

/** What is kept of each kind, and for how long, is the deployment's choice: see `TimelineDays`. */
export const TIMELINE_KINDS = ["event", "command", "change", "setting"] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

/** An entry of a meter's log, or an alarm that it sent. Instants are clock ms. */
const EventEntry = z.strictObject({
  kind: z.literal("event"),
  /** When the meter says that it happened. */
  at: z.int(),
  event: EventNameSchema,
  log: z.string(),
  /** The meter's own code. */
  code: z.string(),
  sequence: z.int().optional(),
  argument: z.string().optional(),
  /** When it came to us, and by which result batch. */
  receivedAt: z.int(),
  batch: z.string(),
});

const SwitchSeen = z.strictObject({
  position: z.enum(["open", "closed", "armed", "unknown"]),
  /** What the contact itself says, where the meter shows it. */
  contactClosed: z.boolean().optional(),
  /** Value times ten to the scaler, volts. */
  voltages: z.array(z.strictObject({ measurement: MeasurementName, value: z.string(), scaler: z.int() })),
});
/** What was seen of a switch before an order to it was sent, and when it was last looked at. */
export const SwitchStory = z.strictObject({
  before: SwitchSeen.optional(),
  after: SwitchSeen.optional(),
  /** How its end position is proved; absent: it is not. */
  proof: z.enum(["position", "position+voltage"]).optional(),
});
export type SwitchStory = z.infer<typeof SwitchStory>;

/** How an order to the meter ended. */
const CommandEntry = z.strictObject({
  kind: z.literal("command"),
  at: z.int(),
  operation: z.string(),
  jobId: z.string(),
  outcome: z.enum(["done", "failed", "cancelled"]),
  reason: z.string().optional(),
  code: z.string().optional(),
  /** Of an order to its switch. */
  switch: SwitchStory.optional(),
  /** Of an order of credit: what the meter showed at its proof. */
  meterCredit: MeterCredit.optional(),
  batch: z.string(),
});

/** What was changed about the meter in the registry. */
const ChangeEntry = z.strictObject({
  kind: z.literal("change"),
  at: z.int(),
  what: z.string().max(64),
  detail: z.record(z.string(), z.string()).optional(),
  by: z.strictObject({ id: z.string(), name: z.string().optional() }).optional(),
});

/** What the meter showed of its own settings when it was asked. */
const SettingEntry = z.strictObject({
  kind: z.literal("setting"),
  at: z.int(),
  jobId: z.string(),
  batch: z.string(),
  powerLimit: PowerLimitShown.optional(),
  meterCredit: MeterCredit.optional(),
});

export const TimelineEntry = z.discriminatedUnion("kind", [EventEntry, CommandEntry, ChangeEntry, SettingEntry]);
export type TimelineEntry = z.infer<typeof TimelineEntry>;

/** Whether two entries of the same name were brought by the same batch; what has none is brought by whoever writes it. */
export const isSameTry = (one: TimelineEntry, other: TimelineEntry): boolean =>
  !("batch" in one && "batch" in other) || one.batch === other.batch;

/** `id`: tells entries of one meter, kind and instant apart; the same thing always has the same one. */
export interface TimelineItem {
  readonly meterId: MeterId;
  readonly id: string;
  readonly entry: TimelineEntry;
}

/** Entries of meters as stored. Keys live in `functions/adapters/dynamo-timeline.ts`. */
export interface Timeline {
  /**
   * The same entries again change nothing. Answers those that are as they came with these: kept for the first time, or by an
   * earlier try of the same batch.
   */
  add(items: readonly TimelineItem[]): Promise<readonly TimelineItem[]>;
  /** Entries of a meter with from < at <= to, newest first; at most `limit`, and all of the last one's instant. */
  of(meterId: MeterId, from: number, to: number, limit: number): Promise<readonly TimelineEntry[]>;
}

const DAYS_MAX = 36_500;
/**
 * For how many days entries of each kind are kept: `event=800,command=4000`; 0: not at all. A kind that is not named is
 * kept for good. Throws TypeError.
 */
export function timelineDays(text: string): ReadonlyMap<TimelineKind, number> {
  const days = new Map<TimelineKind, number>();
  for (const part of text.split(",").filter((piece) => piece !== "")) {
    const [name, value = "", ...rest] = part.split("=");
    const kind = TIMELINE_KINDS.find((one) => one === name);
    if (kind === undefined || rest.length > 0 || !/^\d{1,5}$/.test(value) || Number(value) > DAYS_MAX)
      throw new TypeError(
        `expected ${TIMELINE_KINDS.join(", ")} each with a number of days, as event=800, got ${part}`,
      );
    days.set(kind, Number(value));
  }
  return days;
}
