import { z } from "zod";
import { Integer64 } from "../jobs/messages.ts";
import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { MeterIdentity } from "../metering/identity.ts";
import { MeasurementName } from "../metering/measurement.ts";
import { Commodity, Location, Memberships, Meter, MeterId } from "../metering/meter.ts";
import { MeterKeys } from "../metering/meter-keys.ts";
import { DeviceProfile } from "../metering/profile.ts";
import { Route } from "../metering/route.ts";
import { POWER_STATES } from "../readings/fleet-columns.ts";
import { Instant, WholeSecond } from "./instant.ts";
import { Cursor, limitUpTo, Name } from "./page.ts";

export const MeterPath = z.strictObject({ meterId: MeterId });

/** POST /meters. Keys come in clear inside TLS and are sealed before anything is written; they are never answered. */
export const Enrolment = Meter.extend({
  memberships: Memberships.prefault({}),
  keys: MeterKeys.optional(),
});
export type Enrolment = z.output<typeof Enrolment>;

export const Enrolled = z.strictObject({
  meterId: z.string(),
  /** `unchanged`: the same meter was enrolled before with the same content. */
  outcome: z.enum(["enrolled", "unchanged"]),
  segment: z.int(),
  slot: z.int(),
});

export const MeterInApi = z.strictObject({
  meterId: z.string(),
  state: z.enum(["enrolling", "enrolled", "retired"]),
  commodity: Commodity,
  serial: z.string(),
  profile: z.strictObject({ name: z.string(), version: z.int() }),
  systemTitle: z.string().optional(),
  routes: z.array(Route),
  memberships: Memberships,
  location: Location.optional(),
  servicePoint: Name.optional(),
  /** Whose place it took at its service point, and which meter took its own. */
  installed: z.strictObject({ at: Instant, replaces: z.string() }).optional(),
  retired: z.strictObject({ at: Instant, replacedBy: z.string().optional() }).optional(),
  /** Absent while it enrols. */
  segment: z.int().optional(),
  slot: z.int().optional(),
  /** Whether its keys are held; the keys themselves leave the vault for a session only. */
  secured: z.boolean(),
});

/** A register as somebody read it from a display: `value × 10^scaler` of the measurement's unit. */
const DisplayReads = z
  .array(
    z.strictObject({
      measurement: MeasurementName,
      value: Integer64,
      scaler: z.int().min(-12).max(12),
    }),
  )
  .max(64)
  .refine((reads) => new Set(reads.map(({ measurement }) => measurement)).size === reads.length, {
    message: "expected each measurement once",
  });

/** POST /meters/{meterId}/exchange: another meter hangs at the service point from `at` on. */
export const Exchange = z.strictObject({
  at: WholeSecond,
  reason: z.string().min(1).max(500),
  /** What the meter showed that is taken away; none: it could not be read. */
  finalReads: DisplayReads,
  /** What the new one showed. */
  startReads: DisplayReads.default([]),
  /** Memberships, location and service point that are left out are those of the meter before. */
  meter: Meter.extend({ memberships: Memberships.optional(), keys: MeterKeys.optional() }),
});

export const Exchanged = z.strictObject({
  meterId: z.string(),
  /** `unchanged`: the same exchange was carried out before. */
  outcome: z.enum(["exchanged", "unchanged"]),
  replaces: z.string(),
  servicePoint: z.string(),
  segment: z.int(),
  slot: z.int(),
});

/** POST /meters/{meterId}/retirement: it was taken away at `at`, and no meter takes its place. */
export const RetirementRequest = z.strictObject({
  at: WholeSecond,
  reason: z.string().min(1).max(500),
  /** What it showed then; none: it could not be read. */
  finalReads: DisplayReads.default([]),
});
export const Retired = z.strictObject({
  meterId: z.string(),
  /** `unchanged`: it retired so before. */
  outcome: z.enum(["retired", "unchanged"]),
  retired: z.strictObject({ at: Instant }),
});

export const ServicePointPath = z.strictObject({ servicePoint: Name });

/** What the meter showed last; what was never seen is absent. */
export const MeterFacts = z.strictObject({
  /** The last authenticated exchange. */
  contactAt: Instant.optional(),
  /** The supply as the newest evidence has it. */
  power: z.enum(POWER_STATES),
  /** When the supply was last shown to be there; where it is gone: since when, by the meter's own time. */
  powerAt: Instant.optional(),
  /** The meter answered, told of a restoration, or told of the loss. */
  powerBy: z.enum(["answer", "restoration", "last-gasp"]).optional(),
  /** From when the last read might begin to its result; within 3 % and 0.1 s. */
  latencyMs: z.int().optional(),
  /** When a task last ended or gave up a pass, and why it failed (`none`: it did not). */
  triedAt: Instant.optional(),
  reason: z.enum(FAILURE_REASONS as [FailureReason, ...FailureReason[]]),
  switch: z
    .strictObject({
      position: z.enum(["open", "closed", "armed", "unknown"]),
      contactClosed: z.boolean().optional(),
      at: Instant,
    })
    .optional(),
  /** When intervals were last read, and how many of that UTC day the meter then did not hold. */
  intervalsAt: Instant.optional(),
  missing: z.int(),
  /** Meter clock minus ours when they were last compared, ms; within 5 % and 0.1 s. */
  clock: z.strictObject({ offsetMs: z.int(), at: Instant }).optional(),
});
/** One meter, with its facts once anything was heard of it. */
export const MeterWithFacts = MeterInApi.extend({
  asOf: Instant,
  facts: MeterFacts.optional(),
  /** What it said of itself when it was asked last, each month at the most. */
  identity: MeterIdentity.extend({ at: Instant }).optional(),
});

export const MeterListQuery = z.strictObject({
  /** Beginning of a meter id; or a whole serial or system title. */
  search: z.string().min(1).max(64).optional(),
  group: Name.optional(),
  limit: limitUpTo(500, 100),
  cursor: Cursor.optional(),
});
export const MeterList = z.strictObject({ meters: z.array(MeterInApi), cursor: Cursor.optional() });

export const ProfileList = z.strictObject({ profiles: z.array(DeviceProfile) });
