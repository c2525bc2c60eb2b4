import { z } from "zod";
import { EVENTS, EventNameSchema, type EventSeverity } from "../metering/event-catalogue.ts";
import { MeterId } from "../metering/meter.ts";

/** What subscribers are told of: events of meters, outages as they are found and end, jobs that are over. */
export const TOLD_KINDS = ["device", "outage", "job"] as const;
export type ToldKind = (typeof TOLD_KINDS)[number];

const Told = {
  /** The same for the same event, however often it is read, told or delivered. */
  id: z.string().min(1).max(200),
  /** When it happened, clock ms. */
  at: z.int(),
};

/** An entry of a meter's log, an alarm that it sent, or what the headend found at it. */
export const DeviceEvent = z.strictObject({
  ...Told,
  kind: z.literal("device"),
  meterId: MeterId,
  event: EventNameSchema,
  /** When it came to us, clock ms. */
  receivedAt: z.int(),
  log: z.string(),
  /** As the meter has it. */
  code: z.string(),
  sequence: z.int().optional(),
  argument: z.string().optional(),
});
export type DeviceEvent = z.infer<typeof DeviceEvent>;

/** An outage in one of the states that are told. */
export const OutageNews = z.strictObject({
  ...Told,
  kind: z.literal("outage"),
  outageId: z.string(),
  feeder: z.string(),
  severity: z.enum(["alarm", "info"]),
  /** EndDeviceEventType. */
  code: z.string(),
  /** Those of them that are named. */
  meterIds: z.array(z.string()),
  /** As `GET /outage-events` has it. */
  body: z.record(z.string(), z.unknown()),
});
export type OutageNews = z.infer<typeof OutageNews>;

const JobNews = z.strictObject({
  ...Told,
  kind: z.literal("job"),
  jobId: z.string(),
  operation: z.string(),
  /** Who asked for it. */
  callerId: z.string(),
  tasks: z.strictObject({ done: z.int(), failed: z.int(), expired: z.int(), cancelled: z.int() }),
});
export type JobNews = z.infer<typeof JobNews>;

export const ToldEvent = z.discriminatedUnion("kind", [DeviceEvent, OutageNews, JobNews]);
export type ToldEvent = z.infer<typeof ToldEvent>;

export function severityOf(event: ToldEvent): EventSeverity {
  if (event.kind === "device") return EVENTS[event.event].severity;
  if (event.kind === "outage") return event.severity;
  return event.tasks.failed + event.tasks.expired > 0 ? "warning" : "info";
}

/** CIM EndDeviceEventType; undefined: it has none. */
export const codeOf = (event: ToldEvent): string | undefined =>
  event.kind === "device" ? EVENTS[event.event].cim : event.kind === "outage" ? event.code : undefined;
