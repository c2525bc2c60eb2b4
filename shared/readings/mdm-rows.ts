import { channelReadingType, MEASUREMENT_NAMES, MEASUREMENTS, type Measurement } from "../metering/measurement.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import type { Row, Source } from "../ports/columnar.ts";
import { LAKE_COLUMNS } from "./lake-rows.ts";
import { QUALITY, qualityFlags } from "./quality.ts";

export type ExportFormat = "csv" | "parquet";

/** A meter and its place. */
export interface ExportedMeter {
  readonly meterId: string;
  readonly segment: number;
  readonly slot: number;
}

/** `value × 10^scaler` as exact decimal text, digit by digit, in SQL. */
const DECIMAL = `CASE
  WHEN value IS NULL THEN NULL
  WHEN scaler >= 0 OR value = 0 THEN CAST(value AS VARCHAR) || CASE WHEN value = 0 THEN '' ELSE repeat('0', scaler) END
  ELSE (CASE WHEN value < 0 THEN '-' ELSE '' END)
    || left(digits, length(digits) + scaler) || '.' || right(digits, -scaler)
END`;
/** At least one digit before the point. */
const UNSIGNED = "replace(CAST(value AS VARCHAR), '-', '')";
const DIGITS = `lpad(${UNSIGNED}, CAST(greatest(length(${UNSIGNED}), 1 - scaler) AS INTEGER), '0')`;
const instant = (column: string): string => `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%gZ') AS ${column}`;

const ORDER = "ORDER BY meter, kind, measurement, end_at, read_at";
const JOINED = `
  SELECT wanted.meter, lake.kind, lake.set AS channel_set, lake.measurement, units.unit, reading_types.reading_type,
    lake.period_s, lake.start_at, lake.end_at, lake.value, lake.scaler, nullif(statuses.flags, '') AS status,
    nullif(qualities.flags, '') AS quality, lake.batch, lake.read_at, ${DIGITS} AS digits
  FROM rows AS lake
  JOIN wanted USING (segment, slot)
  JOIN units ON units.measurement = lake.measurement
  LEFT JOIN reading_types ON reading_types.measurement = lake.measurement AND reading_types.period_s = coalesce(lake.period_s, 0)
  JOIN statuses ON statuses.bits = lake.status
  JOIN qualities ON qualities.bits = lake.quality`;

/**
 * Columns of both formats: meter, kind, channel_set, measurement, unit, reading_type, period_s, start_at, end_at, value, (Parquet:
 * scaler,) status, quality, batch, read_at. CSV: `value` is decimal text in the unit, instants are ISO 8601 in UTC; Parquet: `value` is
 * an integer, `value × 10^scaler` of the unit. Flags are names with blanks between.
 */
export const exportSql = (format: ExportFormat, rows: string): string =>
  format === "csv"
    ? `WITH rows AS (${rows}) SELECT meter, kind, channel_set, measurement, unit, reading_type, period_s, ${instant("start_at")}, ${instant("end_at")},
  ${DECIMAL} AS value, status, quality, batch, ${instant("read_at")} FROM (${JOINED}) ${ORDER}`
    : `WITH rows AS (${rows}) SELECT * EXCLUDE (digits) FROM (${JOINED}) ${ORDER}`;

/** The rows that are to go out of a lake file; `delivered`: those of an earlier version of it, which went out already. */
export const rowsSql = (delivered: boolean, measurements: boolean): string => {
  const chosen = measurements ? " WHERE measurement IN (SELECT measurement FROM chosen)" : "";
  return delivered ? `(SELECT * FROM lake${chosen}) EXCEPT (SELECT * FROM delivered)` : `SELECT * FROM lake${chosen}`;
};

const PERIODS_S = [60, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400] as const;
const allBits = (flags: Readonly<Record<string, number>>): number =>
  Object.values(flags).reduce((sum, bit) => sum | bit, 0);
const STATUS = Object.entries(INTERVAL_STATUS);

function* flagRows(most: number, namesOf: (bits: number) => readonly string[]): Generator<Row> {
  for (let bits = 0; bits <= most; bits++) yield [bits, namesOf(bits).join(" ")];
}
const flagSource = (most: number, namesOf: (bits: number) => readonly string[]): Source => ({
  kind: "rows",
  columns: [
    { name: "bits", type: "integer" },
    { name: "flags", type: "text" },
  ],
  rows: flagRows(most, namesOf),
});

/** What `exportSql` reads. `lake`, `delivered`: files of this machine. Sources are read once: new ones for each file. */
export const exportSources = (
  lake: readonly string[],
  delivered: readonly string[] | undefined,
  meters: readonly ExportedMeter[],
  measurements: readonly Measurement[] | undefined,
): Readonly<Record<string, Source>> => ({
  lake: { kind: "parquet", columns: LAKE_COLUMNS, files: lake },
  ...(delivered === undefined
    ? {}
    : { delivered: { kind: "parquet", columns: LAKE_COLUMNS, files: delivered } as const }),
  ...(measurements === undefined
    ? {}
    : {
        chosen: {
          kind: "rows",
          columns: [{ name: "measurement", type: "text" }],
          rows: measurements.map((name) => [name]),
        } as const,
      }),
  wanted: {
    kind: "rows",
    columns: [
      { name: "meter", type: "text" },
      { name: "segment", type: "integer" },
      { name: "slot", type: "integer" },
    ],
    rows: meters.map(({ meterId, segment, slot }) => [meterId, segment, slot]),
  },
  units: {
    kind: "rows",
    columns: [
      { name: "measurement", type: "text" },
      { name: "unit", type: "text" },
    ],
    rows: MEASUREMENT_NAMES.map((name) => [name, MEASUREMENTS[name].unit]),
  },
  reading_types: {
    kind: "rows",
    columns: [
      { name: "measurement", type: "text" },
      { name: "period_s", type: "integer" },
      { name: "reading_type", type: "text" },
    ],
    rows: MEASUREMENT_NAMES.flatMap((name) => [
      [name, 0, MEASUREMENTS[name].readingType] as Row,
      ...PERIODS_S.map((period): Row => [name, period, channelReadingType(name, period)]),
    ]),
  },
  statuses: flagSource(allBits(INTERVAL_STATUS), (bits) => STATUS.flatMap(([name, bit]) => (bits & bit ? [name] : []))),
  qualities: flagSource(
    Object.values(QUALITY).reduce((sum, { bit }) => sum | bit, 0),
    qualityFlags,
  ),
});
