import type { Columnar } from "../ports/columnar.ts";
import { toHex } from "../ports/octets.ts";
import { DAY_MS, dayOf } from "./day-block.ts";
import { type ExportLakePorts, exportLake } from "./export-lake.ts";
import {
  dailyExportId,
  type ExportedFile,
  type ExportState,
  type ExportStore,
  manifestObject,
  manifestOf,
} from "./exports.ts";
import { fileOf, type LakeFile, type LakeObjects } from "./lake-files.ts";
import { type ExportedMeter, type ExportFormat, exportSources, exportSql, rowsSql } from "./mdm-rows.ts";

export interface WriteExportPorts extends Omit<ExportLakePorts, "columnar"> {
  readonly columnar: Columnar;
  readonly exports: ExportStore;
  /** The bucket of exports. */
  readonly out: LakeObjects & { putText(object: string, text: string): Promise<void> };
  /** Whose these places are; nobody's are left out. */
  readonly metersAt: (places: readonly { segment: number; slot: number }[]) => Promise<readonly ExportedMeter[]>;
  /** Where these meters are; unknown ones are left out. */
  readonly placesOf: (meterIds: readonly string[]) => Promise<readonly ExportedMeter[]>;
}

/** Late data go into supplements for so long. */
export const SUPPLEMENT_DAYS = 45;
/** A day is exported so long after its end: the closing pass has counted it then, and asked for what was missing. */
export const DAILY_AFTER_MS = 7 * 3_600_000;
const PLACES_MAX = 70_000;

/** Makes the daily export that is due, if it is not there. `now`: product clock ms. */
export async function createDaily(
  { exports, clock }: Pick<WriteExportPorts, "exports" | "clock">,
  format: ExportFormat,
): Promise<void> {
  const now = clock.now();
  const day = dayOf(now - DAILY_AFTER_MS) - DAY_MS;
  const exportId = dailyExportId(day);
  if ((await exports.read(exportId)) !== undefined) return;
  const caller = { id: "headrace", name: "daily export" };
  await exports.create({
    exportId,
    kind: "daily",
    caller,
    format,
    from: day,
    to: day,
    state: "running",
    createdAt: now,
    version: 1,
  });
}

/**
 * Writes an export's files and its manifest. First the lake is brought up to date for its days; then a file is written for each
 * of the lake's, noted one by one, so that it goes on where it stopped; the manifest comes last. False: its time is up.
 */
export async function writeExport(ports: WriteExportPorts, exportId: string, mayGoOn: () => boolean): Promise<boolean> {
  const state = await ports.exports.read(exportId);
  if (state === undefined || state.state !== "running") return true;
  const days = Array.from({ length: (state.to - state.from) / DAY_MS + 1 }, (_, index) => state.from + index * DAY_MS);
  const earlier =
    state.kind === "daily"
      ? Array.from({ length: SUPPLEMENT_DAYS }, (_, index) => state.from - (SUPPLEMENT_DAYS - index) * DAY_MS)
      : [];
  const lake = await exportLake(ports, { days: new Set([...earlier, ...days]), mayGoOn });
  if (lake.unfinished) return false;
  const named = state.meters === undefined ? undefined : await ports.placesOf(state.meters);
  const wanted = named === undefined ? undefined : new Set(named.map(({ segment }) => fileOf(segment)));
  const noted = await ports.exports.files(exportId);
  const done = new Set(noted.map(({ day, file }) => `${day}#${file}`));
  const tasks: (() => Promise<void>)[] = [];
  for (const day of days)
    for (const source of await ports.pointers.ofDay(day))
      if (wanted === undefined || wanted.has(source.file))
        if (!done.has(`${day}#${source.file}`)) tasks.push(() => writeFile(ports, state, source, named, undefined));
  for (const day of earlier) {
    // A day that never went out has no supplement.
    if ((await ports.exports.read(dailyExportId(day)))?.state !== "done") continue;
    for (const source of await ports.pointers.ofDay(day)) {
      if (done.has(`${day}#${source.file}`) || source.current === undefined) continue;
      const before = await ports.exports.delivered(day, source.file);
      if (before?.source !== source.current.object)
        tasks.push(() => writeFile(ports, state, source, named, before?.copy ?? "nothing"));
    }
  }
  for (const task of tasks) {
    if (!mayGoOn()) return false;
    await task();
  }
  const files = await ports.exports.files(exportId);
  await ports.out.putText(manifestObject(exportId), manifestOf(state, files));
  // After the manifest names them they count as delivered.
  for (const { day, file, source, copy } of files)
    if (copy !== undefined) await ports.exports.deliver(day, file, { source, copy });
  await ports.exports.write(state, { state: "done", endedAt: ports.clock.now() });
  return true;
}

/** `since`: copy of what went out before, `nothing` where nothing did; absent: all goes out, as the day's full file. */
async function writeFile(
  ports: WriteExportPorts,
  state: ExportState,
  { day, file, current }: LakeFile,
  named: readonly ExportedMeter[] | undefined,
  since: string | undefined,
): Promise<void> {
  if (current === undefined) return;
  const { exportId, format, measurements } = state;
  const kind = since === undefined ? "full" : "supplement";
  const ending = format === "csv" ? "csv.gz" : "parquet";
  const token = toHex(ports.random.octets(4));
  const name = `${new Date(day).toISOString().slice(0, 10)}-${String(file).padStart(6, "0")}-${kind}-${token}`;
  const noted = await ports.scratch(async (fileNamed): Promise<ExportedFile> => {
    const lake = fileNamed("lake.parquet");
    await ports.objects.get(current.object, lake);
    const delivered = since === undefined || since === "nothing" ? undefined : fileNamed("delivered.parquet");
    if (delivered !== undefined && since !== undefined) await ports.out.get(since, delivered);
    const meters = named ?? (await metersIn(ports, lake));
    const sources = exportSources([lake], delivered === undefined ? undefined : [delivered], meters, measurements);
    const sql = exportSql(format, rowsSql(delivered !== undefined, measurements !== undefined));
    const path = fileNamed(`out.${ending}`);
    const rows = await ports.columnar.write({ sql, sources }, path, format === "csv" ? "csv.gz" : "parquet");
    const object = `exports/${exportId}/${name}.${ending}`;
    const empty = rows === 0 && kind === "supplement";
    const put = empty ? { octets: 0, sha256: "" } : await ports.out.put(object, path);
    const copy = state.kind === "daily" ? `delivered/${exportId}/${name}.parquet` : undefined;
    if (copy !== undefined) await ports.out.put(copy, lake);
    const { asOf, object: source } = current;
    return {
      day,
      file,
      kind,
      ...(empty ? {} : { object }),
      rows,
      ...put,
      asOf,
      source,
      ...(copy === undefined ? {} : { copy }),
    };
  });
  await ports.exports.keepFile(exportId, noted);
}

/** Whose values are in a lake file. */
async function metersIn({ columnar, metersAt }: WriteExportPorts, lake: string): Promise<readonly ExportedMeter[]> {
  const { lake: source } = exportSources([lake], undefined, [], undefined);
  if (source === undefined) return [];
  const answer = await columnar.query(
    { sql: "SELECT DISTINCT segment, slot FROM lake", sources: { lake: source } },
    PLACES_MAX,
  );
  return metersAt(answer.rows.map(([segment, slot]) => ({ segment: Number(segment), slot: Number(slot) })));
}
