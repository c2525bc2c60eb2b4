import type { Clock } from "../ports/clock.ts";
import type { Columnar } from "../ports/columnar.ts";
import { toHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import type { DayBlocks } from "./blocks.ts";
import { DAY_MS, dayOf } from "./day-block.ts";
import { fileOf, type LakeFile, type LakeObjects, type LakePointers, type Scratch, segmentsOf } from "./lake-files.ts";
import type { LakeMark, LakeMarks } from "./lake-marks.ts";
import { LAKE_COLUMNS, lakeRows } from "./lake-rows.ts";

export interface ExportLakePorts {
  readonly marks: LakeMarks;
  readonly pointers: LakePointers;
  readonly objects: LakeObjects;
  readonly blocks: Pick<DayBlocks, "ofSegment">;
  readonly columnar: Pick<Columnar, "write">;
  readonly scratch: Scratch;
  readonly random: Random;
  /** The product's clock. */
  readonly clock: Pick<Clock, "now">;
  /** Days for which blocks are kept; absent: for good. What is older cannot be derived again, and is left as it is. */
  readonly blockDays?: number | undefined;
}

export interface LakeWish {
  /** Only these UTC days, whenever they were written last. @default all days, each file at most once an hour */
  readonly days?: ReadonlySet<number>;
  /** Asked between files. */
  readonly mayGoOn?: () => boolean;
}

export interface LakeFacts {
  /** Files written, and those that another export wrote meanwhile. */
  written: number;
  lost: number;
  rows: number;
  octets: number;
  unfinished: boolean;
}

/** A file is written again so long after its last version. */
export const AGAIN_AFTER_MS = 3_600_000;
/** A dropped object is removed so much later: whoever followed a pointer to it may still read it. */
export const DROPPED_KEPT_MS = 2 * DAY_MS;
/** How far back dropped objects are looked for. */
const CLEANED_DAYS = 60;

/**
 * Writes the lake's files of which something was marked. The lake is derived: day blocks are the truth, and doing this again, or
 * twice at once, or stopping it anywhere, loses nothing. Marks are taken before the blocks are read and cleared after the
 * pointer names the new object; what is stored in between marks again.
 */
export async function exportLake(ports: ExportLakePorts, wish: LakeWish = {}): Promise<LakeFacts> {
  const facts: LakeFacts = { written: 0, lost: 0, rows: 0, octets: 0, unfinished: false };
  const files = new Map<string, LakeMark[]>();
  for await (const mark of ports.marks.list()) {
    if (wish.days !== undefined && !wish.days.has(mark.day)) continue;
    const key = `${mark.day}#${fileOf(mark.segment)}`;
    files.set(key, [...(files.get(key) ?? []), mark]);
  }
  for (const marks of files.values()) {
    if (wish.mayGoOn?.() === false) return { ...facts, unfinished: true };
    await exportFile(ports, marks, wish.days !== undefined, facts);
  }
  return facts;
}

async function exportFile(
  ports: ExportLakePorts,
  marks: readonly LakeMark[],
  atOnce: boolean,
  facts: LakeFacts,
): Promise<void> {
  const [{ day, segment } = { day: 0, segment: 0 }] = marks;
  const file = fileOf(segment);
  const now = ports.clock.now();
  const found = await ports.pointers.read(day, file);
  if (!atOnce && now - (found?.current?.asOf ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_MS) return;
  const token = toHex(ports.random.octets(8));
  const taken: LakeMark[] = [];
  for (const mark of marks) if (await ports.marks.take(mark, token)) taken.push(mark);
  if (taken.length === 0) return;
  if (!isGone(ports, day, now)) {
    const name = `lake/day=${dayText(day)}/${String(file).padStart(6, "0")}-${token}.parquet`;
    // Its name is noted before the object comes to be: one that no pointer ever names is found and removed all the same.
    const was = await swept(ports, found ?? { day, file, dropped: [], version: 0 }, now);
    const noted = { ...was, dropped: [...was.dropped, { object: name, at: now }] };
    if ((await ports.pointers.write(noted, was.version)) === "conflict") return void facts.lost++;
    const { rows, octets, sha256 } = await ports.scratch(async (fileNamed) => {
      const path = fileNamed("lake.parquet");
      const rows = await writeRows(ports, day, file, fileNamed, path);
      return { rows, ...(await ports.objects.put(name, path)) };
    });
    const dropped = [
      ...was.dropped,
      ...(was.current === undefined ? [] : [{ object: was.current.object, at: ports.clock.now() }]),
    ];
    const next = { day, file, dropped, current: { object: name, asOf: now, rows, octets, sha256 } };
    if ((await ports.pointers.write(next, was.version + 1)) === "conflict") return void facts.lost++;
    facts.written++;
    facts.rows += rows;
    facts.octets += octets;
  }
  for (const mark of taken) await ports.marks.clear(mark, token);
}

const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);

/** Some of the day's blocks may have expired: a file made now would lack what an earlier one has. */
const isGone = ({ blockDays }: ExportLakePorts, day: number, now: number): boolean =>
  blockDays !== undefined && now >= day + (blockDays - 1) * DAY_MS;

/** A part a segment, so that memory is bounded by a segment; sorted, so that equal and rising values lie side by side. */
async function writeRows(
  { blocks, columnar }: ExportLakePorts,
  day: number,
  file: number,
  fileNamed: (name: string) => string,
  path: string,
): Promise<number> {
  const parts: string[] = [];
  for (const segment of segmentsOf(file)) {
    const stored = await blocks.ofSegment(segment, day);
    if (stored.length === 0) continue;
    const part = fileNamed(`${segment}.parquet`);
    const rows = (function* () {
      for (const block of stored) yield* lakeRows(block);
    })();
    await columnar.write(
      {
        sql: "SELECT * FROM part ORDER BY kind, measurement, slot, end_at",
        sources: { part: { kind: "rows", columns: LAKE_COLUMNS, rows } },
      },
      part,
    );
    parts.push(part);
  }
  const sources = { parts: { kind: "parquet", columns: LAKE_COLUMNS, files: parts } } as const;
  return columnar.write({ sql: "SELECT * FROM parts", sources }, path);
}

/** Removes what was dropped long ago; answers what is left, not yet written. */
async function swept(ports: Pick<ExportLakePorts, "objects">, file: LakeFile, now: number): Promise<LakeFile> {
  const kept = file.dropped.filter(({ at }) => at > now - DROPPED_KEPT_MS);
  for (const { object, at } of file.dropped) if (at <= now - DROPPED_KEPT_MS) await ports.objects.remove(object);
  return { ...file, dropped: kept };
}

/** Removes dropped objects of one of the last days: another one each minute, so that each is looked at once an hour. */
export async function cleanLake(ports: Pick<ExportLakePorts, "objects" | "pointers" | "clock">): Promise<number> {
  const now = ports.clock.now();
  const day = dayOf(now) - (Math.floor(now / 60_000) % CLEANED_DAYS) * DAY_MS;
  let removed = 0;
  for (const file of await ports.pointers.ofDay(day)) {
    const { version, ...rest } = await swept(ports, file, now);
    if (rest.dropped.length === file.dropped.length) continue;
    removed += file.dropped.length - rest.dropped.length;
    await ports.pointers.write(rest, version); // a conflict: the other one removes the same again
  }
  return removed;
}
