import { z } from "zod";
import { SwitchStory } from "../events/timeline.ts";
import { EVENT_NAMES, type EventName, EventNameSchema } from "../metering/event-catalogue.ts";
import { MeterCredit } from "../metering/meter-credit.ts";
import { PowerLimitShown } from "../metering/power-limit.ts";
import { Instant } from "./instant.ts";
import { limitUpTo } from "./page.ts";

const { emergency } = PowerLimitShown.shape;
/** The limits as the meter showed them; null: none. */
const PowerLimitInApi = PowerLimitShown.extend({
  emergency: emergency.unwrap().extend({ activateAt: Instant.nullable() }).nullable(),
});
const { token } = MeterCredit.shape;
/** Credit as the meter showed it. */
const MeterCreditInApi = MeterCredit.extend({ token: token.unwrap().extend({ at: Instant.optional() }).optional() });
const Range = { from: Instant.optional(), to: Instant.optional() };
const ordered = ({ from, to }: { readonly from?: number | undefined; readonly to?: number | undefined }): boolean =>
  from === undefined || to === undefined || from < to;
const RISING = { message: "expected from < to", path: ["to"] };

export const EVENT_CLASSES = [
  "power",
  "voltage",
  "tamper",
  "switch",
  "limit",
  "clock",
  "firmware",
  "program",
  "demand",
  "hardware",
  "communications",
  "security",
  "credit",
] as const;
export const EVENT_SEVERITIES = ["info", "warning", "alarm"] as const;

/** What happened at a meter with from < at <= to; default the last seven days; at most 62 days. */
export const TimelineQuery = z
  .strictObject({
    ...Range,
    /** Only these, by commas. */
    kinds: z
      .string()
      .transform((text) => text.split(","))
      .pipe(z.array(z.enum(["read", "event", "command", "change", "setting"])).min(1))
      .optional(),
    limit: limitUpTo(1000, 200),
  })
  .refine(ordered, RISING);

const ReadInApi = z.strictObject({
  kind: z.literal("read"),
  at: Instant,
  /** The result batch that is its evidence. */
  batch: z.string(),
  /** Values of it that are still stored: a register, or one channel of one interval. */
  values: z.int(),
});
const EventInApi = z.strictObject({
  kind: z.literal("event"),
  at: Instant,
  event: EventNameSchema,
  class: z.enum(EVENT_CLASSES),
  severity: z.enum(EVENT_SEVERITIES),
  /** CIM EndDeviceEventType. */
  eventType: z.string(),
  log: z.string(),
  /** The meter's own code. */
  code: z.string(),
  sequence: z.int().optional(),
  argument: z.string().optional(),
  receivedAt: Instant,
  batch: z.string(),
});
const CommandInApi = z.strictObject({
  kind: z.literal("command"),
  at: Instant,
  operation: z.string(),
  jobId: z.string(),
  outcome: z.enum(["done", "failed", "cancelled"]),
  reason: z.string().optional(),
  code: z.string().optional(),
  /** Of an order to its switch: positions and voltages before and after, and how the end is proved. */
  switch: SwitchStory.optional(),
  /** Of an order of credit: what the meter showed at its proof. */
  meterCredit: MeterCreditInApi.optional(),
  batch: z.string(),
});
const ChangeInApi = z.strictObject({
  kind: z.literal("change"),
  at: Instant,
  what: z.string(),
  detail: z.record(z.string(), z.string()).optional(),
  by: z.strictObject({ id: z.string(), name: z.string().optional() }).optional(),
});

const SettingInApi = z.strictObject({
  kind: z.literal("setting"),
  at: Instant,
  jobId: z.string(),
  batch: z.string(),
  powerLimit: PowerLimitInApi.optional(),
  meterCredit: MeterCreditInApi.optional(),
});

/** Newest first. `next`: there is more; ask again with it as `to`. */
export const TimelineInApi = z.strictObject({
  meterId: z.string(),
  asOf: Instant,
  entries: z.array(z.discriminatedUnion("kind", [ReadInApi, EventInApi, CommandInApi, ChangeInApi, SettingInApi])),
  next: Instant.optional(),
});
export type TimelineInApi = z.output<typeof TimelineInApi>;

/** Alarms that came with from < receivedAt <= to; default the last 24 h; at most 31 days. */
export const AlarmQuery = z
  .strictObject({ ...Range, event: z.enum(EVENT_NAMES as [EventName, ...EventName[]]).optional() })
  .refine(ordered, RISING);

/** All alarms of one event within one hour are one line. */
export const AlarmList = z.strictObject({
  asOf: Instant,
  alarms: z.array(
    z.strictObject({
      event: EventNameSchema,
      class: z.enum(EVENT_CLASSES),
      eventType: z.string(),
      hour: Instant,
      firstAt: Instant,
      lastAt: Instant,
      /** How many meters, and some of them. */
      meters: z.int(),
      meterIds: z.array(z.string()),
    }),
  ),
});

/** GET /events: the catalogue. A name is never renamed; new ones may come. */
export const EventCatalogue = z.strictObject({
  events: z.array(
    z.strictObject({
      event: EventNameSchema,
      class: z.enum(EVENT_CLASSES),
      severity: z.enum(EVENT_SEVERITIES),
      eventType: z.string(),
    }),
  ),
});
