import { z } from "zod";
import { MeasurementName } from "../metering/measurement.ts";
import { SNAPSHOT_KINDS } from "../metering/result.ts";
import { QUALITY, type QualityFlag } from "../readings/quality.ts";
import { Instant } from "./instant.ts";

const Integer = z.string().regex(/^-?\d+$/);

/**
 * Readings of a meter: intervals whose end lies in (from, to], registers captured or read there, snapshots taken there.
 * Default: the last 24 h. An interval is named by its end, in UTC: with a period of 15 minutes, the one that ends at
 * 10:15 holds what was counted after 10:00 and up to 10:15, or the dial as it stood at 10:15.
 */
export const ReadingQuery = z
  .strictObject({ from: Instant.optional(), to: Instant.optional() })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    message: "expected from < to",
    path: ["to"],
  });

const RegisterInApi = z.strictObject({
  measurement: MeasurementName,
  unit: z.string(),
  value: Integer,
  scaler: z.int(),
  at: Instant,
  readingType: z.string(),
  /** The result batch that is its evidence. */
  batch: z.string().optional(),
});

/** Values are integers as decimal strings: `value × 10^scaler unit`. */
export const Readings = z.strictObject({
  meterId: z.string(),
  asOf: Instant,
  registers: z.array(RegisterInApi),
  /** What the meter kept when a billing period or season ended, or its demand was reset. */
  snapshots: z.array(
    z.strictObject({
      kind: z.enum(SNAPSHOT_KINDS),
      at: Instant,
      /** `at` of a demand: when its peak was. */
      registers: z.array(RegisterInApi),
    }),
  ),
  intervals: z.array(
    z.strictObject({
      channelSet: z.string(),
      /** Seconds. */
      period: z.int(),
      channels: z.array(
        z.strictObject({
          measurement: MeasurementName,
          unit: z.string(),
          scaler: z.int(),
          readingType: z.string(),
          /** Values only rise: consumption is the difference of two. */
          cumulative: z.boolean(),
        }),
      ),
      entries: z.array(
        z.strictObject({
          /** The instant at which the interval ended. */
          end: Instant,
          values: z.array(Integer.nullable()),
          /** What the meter says of it. */
          status: z.array(z.string()),
          /** What the headend's validation says of it; nothing is left out for that. */
          quality: z.array(z.enum(Object.keys(QUALITY) as [QualityFlag, ...QualityFlag[]])),
          batch: z.string().optional(),
        }),
      ),
    }),
  ),
});
/** GET /service-points/{servicePoint}/readings: meters that hung there in turn, each with what it counted in its own time. */
export const ServicePointReadings = z.strictObject({
  servicePoint: z.string(),
  asOf: Instant,
  meters: z.array(
    Readings.omit({ asOf: true }).extend({
      /** It took another one's place then; another one took its place then. */
      installedAt: Instant.optional(),
      retiredAt: Instant.optional(),
    }),
  ),
});
export type Readings = z.output<typeof Readings>;
