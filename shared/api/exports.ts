import { z } from "zod";
import { MeasurementName } from "../metering/measurement.ts";
import { MeterId } from "../metering/meter.ts";
import { DAY_MS } from "../readings/day-block.ts";
import { EXPORT_DAYS_MAX, NAMED_METERS_MAX } from "../readings/exports.ts";
import { Instant } from "./instant.ts";

export const ExportPath = z.strictObject({
  exportId: z.string().regex(/^(?:[0-9a-z]{26}|daily-\d{4}-\d\d-\d\d)$/, "expected the id of an export"),
});

/** POST /exports: what is stored of the UTC days `from` to `to`, both included. */
export const ExportSubmission = z
  .strictObject({
    from: z.iso.date(),
    to: z.iso.date(),
    format: z.enum(["csv", "parquet"]).default("csv"),
    /** Default: all meters. */
    meters: z.array(MeterId).min(1).max(NAMED_METERS_MAX).optional(),
    /** Default: all measurements. */
    measurements: z.array(MeasurementName).min(1).max(200).optional(),
  })
  .refine(({ from, to }) => from <= to, { message: "expected from <= to", path: ["to"] })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) < EXPORT_DAYS_MAX * DAY_MS, {
    message: `expected at most ${EXPORT_DAYS_MAX} days`,
    path: ["to"],
  });

export const ExportInApi = z.strictObject({
  exportId: z.string(),
  /** `daily`: of all meters, made by the headend each day. */
  kind: z.enum(["requested", "daily"]),
  state: z.enum(["running", "done", "failed"]),
  format: z.enum(["csv", "parquet"]),
  from: z.iso.date(),
  to: z.iso.date(),
  meters: z.array(z.string()).optional(),
  measurements: z.array(MeasurementName).optional(),
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
  createdAt: Instant,
  endedAt: Instant.optional(),
  failure: z.string().optional(),
});
export const ExportList = z.strictObject({ exports: z.array(ExportInApi) });

/** With links of an hour, when it is done. */
export const ExportWithFiles = ExportInApi.extend({
  manifestUrl: z.string().optional(),
  files: z.array(
    z.strictObject({
      name: z.string(),
      day: z.iso.date(),
      /** `supplement`: what came or changed since that day's files went out. */
      kind: z.enum(["full", "supplement"]),
      rows: z.int(),
      octets: z.int(),
      /** Of the file as it is downloaded, hex. */
      sha256: z.string(),
      /** What was stored at this instant is in it. */
      asOf: Instant,
      url: z.string(),
    }),
  ),
});
