import { z } from "zod";
import { MeasurementName } from "../metering/measurement.ts";
import { QUALITY, type QualityFlag } from "../readings/quality.ts";
import { Instant } from "./instant.ts";

const Integer = z.string().regex(/^-?\d+$/);

/** Readings of a meter: intervals whose end lies in (from, to], registers captured there. Default: the last 24 h. */
export const ReadingQuery = z
  .strictObject({ from: Instant.optional(), to: Instant.optional() })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    message: "expected from < to",
    path: ["to"],
  });

/** Values are integers as decimal strings: `value × 10^scaler unit`. */
export const Readings = z.strictObject({
  meterId: z.string(),
  asOf: Instant,
  registers: z.array(
    z.strictObject({
      measurement: MeasurementName,
      unit: z.string(),
      value: Integer,
      scaler: z.int(),
      at: Instant,
      readingType: z.string(),
      /** The result batch that is its evidence. */
      batch: z.string().optional(),
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
export type Readings = z.output<typeof Readings>;
