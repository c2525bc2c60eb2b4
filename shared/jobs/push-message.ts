import { z } from "zod";
import { MeterId, SEGMENT_SLOTS } from "../metering/meter.ts";
import { EventRecord, Integer64, IntervalRecord, RegisterRecord } from "./messages.ts";

/**
 * What proves a push: the key that its authentication was verified under, and the number that the meter never uses twice
 * with that key. It comes from a bridge that has verified it; what nobody has proved never becomes a report.
 */
export const PushProof = z.strictObject({
  /** Which of the meter's keys, in the protocol's word: `unicast`, `agreed`, a C12.22 key id… */
  key: z.string().regex(/^[A-Za-z0-9._-]{1,32}$/),
  /** Version of the meter's sealed keys that it was opened with. */
  version: z.int().min(0),
  /** Rises with every push of the meter under that key. */
  counter: Integer64,
});
export type PushProof = z.infer<typeof PushProof>;

export const PUSH_TRANSPORTS = ["tcp", "udp", "relay", "mqtt"] as const;

/** What one meter said by itself, proved to be the meter's own; in the same words as what it answers. */
export const PushReport = z.strictObject({
  slot: z
    .int()
    .min(0)
    .max(SEGMENT_SLOTS - 1),
  meterId: MeterId,
  proof: PushProof,
  transport: z.enum(PUSH_TRANSPORTS),
  /** Of one that a queue brought, which may bring it again: the same each time. Else the report has its place in its batch. */
  delivery: z.string().min(1).max(128).optional(),
  /** When the bridge had it, clock ms. */
  receivedAt: z.int(),
  /** When the meter says that it sent it, clock ms. */
  sentAt: z.int().optional(),
  profile: z.strictObject({ name: z.string(), version: z.int() }),
  /** SHA-256 of the octets of the message, hex. */
  frameDigest: z.string(),
  registers: z.array(RegisterRecord).optional(),
  intervals: z.array(IntervalRecord).optional(),
  /** Events and alarms. */
  events: z.array(EventRecord).optional(),
  clockOffsetMs: z.number().optional(),
  /** As in a task's report. */
  installedAt: z.int().optional(),
});
export type PushReport = z.infer<typeof PushReport>;

/** What meters of one segment said by themselves, as a bridge reports it: immutable evidence once it is written. */
export const PushBatch = z.strictObject({
  v: z.literal(1),
  /** Unique: bridge id and a running number; the same batch again is the same content. */
  batch: z.string().min(1).max(100),
  bridge: z.string(),
  segment: z.int().min(0),
  sentAt: z.int(),
  pushes: z.array(PushReport),
});
export type PushBatch = z.infer<typeof PushBatch>;
