import { z } from "zod";
import { LANES } from "../jobs/lane.ts";
import { Instant } from "./instant.ts";
import { limitUpTo } from "./page.ts";

/** Queues whose undeliverable messages are parked. */
export const PARKING_QUEUES = [...LANES, "results", "uplink", "notices", "webhooks"] as const;
export const ParkedPath = z.strictObject({ queue: z.enum(PARKING_QUEUES) });
export const ParkedQuery = z.strictObject({ limit: limitUpTo(100, 25) });

export const ParkedMessage = z.strictObject({
  messageId: z.string(),
  /** When it was first sent. */
  sentAt: Instant,
  receives: z.int(),
  /** Why it could not be handled. */
  reason: z.string(),
  /** What it is about, where its body can be read. */
  job: z.string().optional(),
  segment: z.int().optional(),
  subscription: z.string().optional(),
  octets: z.int(),
});
export const ParkedList = z.strictObject({
  queue: z.enum(PARKING_QUEUES),
  /** About how many there are. */
  count: z.int(),
  messages: z.array(ParkedMessage),
});

export const ReplayRequest = z.strictObject({
  /** Absent: all that are parked, 1,000 at most a call. */
  messageIds: z.array(z.string().min(1).max(100)).min(1).max(1000).optional(),
});
export const Replayed = z.strictObject({ replayed: z.int(), remaining: z.int() });
