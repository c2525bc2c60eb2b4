import { z } from "zod";
import { Route } from "./route.ts";

/** The utility's own name for a meter: letters, digits, `-`, `_`, `.`; at most 64. */
export const MeterId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "expected 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit",
  )
  .brand<"MeterId">();
export type MeterId = z.infer<typeof MeterId>;

/**
 * The name under which a meter secures its messages. DLMS: 8 octets as 16 lower-case hex digits, the first three being
 * the manufacturer's FLAG id in ASCII. C12.22: an ApTitle, `.23.273` or `2.16.124.113620.1.22.0.23.273`.
 */
export const SystemTitle = z
  .string()
  .max(128)
  .regex(
    /^(?:[0-9a-fA-F]{16}|\.\d+(?:\.\d+)*|\d+(?:\.\d+)+)$/,
    "expected 16 hex digits (8 octets), or an ApTitle as .23.273",
  )
  .transform((title) => title.toLowerCase())
  .brand<"SystemTitle">();
export type SystemTitle = z.infer<typeof SystemTitle>;

export const Commodity = z.enum(["electric", "gas", "water"]);
export type Commodity = z.infer<typeof Commodity>;

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");

/** What a meter belongs to; each is a target of a job. */
export const Memberships = z.strictObject({
  groups: z.array(Name).max(16).default([]),
  feeder: Name.optional(),
  transformer: Name.optional(),
  collector: Name.optional(),
  /** Radio cell whose sessions are limited: a way in, no target of jobs. */
  cell: Name.optional(),
});
export type Memberships = z.infer<typeof Memberships>;

/** WGS 84 degrees. */
export const Location = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});
export type Location = z.infer<typeof Location>;

/** What is known of a meter apart from how it is reached and secured (that is its access item). */
export const Meter = z.strictObject({
  meterId: MeterId,
  commodity: Commodity,
  serial: z.string().min(1).max(64),
  profile: Name,
  systemTitle: SystemTitle.optional(),
  routes: z.array(Route).min(1).max(4),
  memberships: Memberships,
  location: Location.optional(),
  /** Where the utility's network meets the customer's: it stays when the meter there is exchanged for another. */
  servicePoint: Name.optional(),
  /** Load that its switch usually carries, for the caps on switched load; absent: the deployment's assumption. */
  loadWatts: z.int().min(0).max(10_000_000).optional(),
});
export type Meter = z.infer<typeof Meter>;

/** Slots of a segment. A slot is given at enrolment, for life, and never reused. */
export const SEGMENT_SLOTS = 1024;
export interface Place {
  readonly segment: number;
  /** 0..1023 */
  readonly slot: number;
}
