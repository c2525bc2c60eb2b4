import { z } from "zod";
import { MeasurementName } from "../metering/measurement.ts";

/** Meters that one export may name; without names it is about all of them. */
export const NAMED_METERS_MAX = 1000;
export const EXPORT_DAYS_MAX = 62;

/** One export: what was asked for, and how far it is. Instants are clock ms. */
export const ExportState = z.strictObject({
  exportId: z.string(),
  /** `daily`: made by the headend each day, for whoever may export. */
  kind: z.enum(["requested", "daily"]),
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
  format: z.enum(["csv", "parquet"]),
  /** Starts of the first and the last UTC day. */
  from: z.int(),
  to: z.int(),
  /** Absent: all. */
  meters: z.array(z.string()).optional(),
  measurements: z.array(MeasurementName).optional(),
  state: z.enum(["running", "done", "failed"]),
  createdAt: z.int(),
  endedAt: z.int().optional(),
  failure: z.string().optional(),
  /** Rises with every write. */
  version: z.int(),
});
export type ExportState = z.infer<typeof ExportState>;

/** A file that was written for an export; its source is one lake file of one day. */
export const ExportedFile = z.strictObject({
  /** Start of the UTC day, clock ms. */
  day: z.int(),
  file: z.int(),
  /** `supplement`: what came or changed since that day's files went out. */
  kind: z.enum(["full", "supplement"]),
  /** In the bucket of exports. Absent: nothing was to be said. */
  object: z.string().optional(),
  rows: z.int(),
  octets: z.int(),
  /** Hex. */
  sha256: z.string(),
  /** What was stored at this instant is in it, clock ms. */
  asOf: z.int(),
  /** The lake object that it was made of, and the copy of it that a supplement is told from. */
  source: z.string(),
  copy: z.string().optional(),
});
export type ExportedFile = z.infer<typeof ExportedFile>;

/** What went out last of a lake file. */
export interface Delivered {
  readonly source: string;
  readonly copy: string;
}

/** Exports as stored. Keys live in `functions/adapters/dynamo-exports.ts`. */
export interface ExportStore {
  /** If absent. */
  create(state: ExportState): Promise<boolean>;
  /** Strongly consistent. */
  read(exportId: string): Promise<ExportState | undefined>;
  /** Conditional on `was.version`. */
  write(was: ExportState, change: Partial<ExportState>): Promise<boolean>;
  /** The newest first. */
  list(limit: number): Promise<readonly ExportState[]>;
  /** By day and lake file; the same source again overwrites. */
  keepFile(exportId: string, file: ExportedFile): Promise<void>;
  files(exportId: string): Promise<readonly ExportedFile[]>;
  delivered(day: number, file: number): Promise<Delivered | undefined>;
  deliver(day: number, file: number, delivered: Delivered): Promise<void>;
}

const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);
export const dailyExportId = (day: number): string => `daily-${dayText(day)}`;
export const manifestObject = (exportId: string): string => `exports/${exportId}/manifest.json`;

/** What tells a receiver that it has everything. `sha256` is over a file's octets as they are downloaded. */
export const manifestOf = (state: ExportState, files: readonly ExportedFile[]): string =>
  `${JSON.stringify(
    {
      exportId: state.exportId,
      kind: state.kind,
      format: state.format,
      from: dayText(state.from),
      to: dayText(state.to),
      createdAt: new Date(state.createdAt).toISOString(),
      ...(state.meters === undefined ? {} : { meters: state.meters }),
      ...(state.measurements === undefined ? {} : { measurements: state.measurements }),
      files: files.flatMap(({ object, day, kind, rows, octets, sha256, asOf }) =>
        object === undefined
          ? []
          : [
              {
                name: fileName(object),
                day: dayText(day),
                kind,
                rows,
                octets,
                sha256,
                asOf: new Date(asOf).toISOString(),
              },
            ],
      ),
    },
    undefined,
    2,
  )}\n`;

export const fileName = (object: string): string => object.slice(object.lastIndexOf("/") + 1);
