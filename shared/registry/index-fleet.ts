import type { AccessStore } from "../jobs/access.ts";
import { slotsOfBitmap } from "../jobs/targets.ts";
import type { Columnar, Row } from "../ports/columnar.ts";
import { toHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import {
  FILE_SEGMENTS,
  FLEET_FILE_COLUMNS,
  type FleetFile,
  type FleetFiles,
  type FleetMark,
  type FleetMix,
  fleetFileOf,
  fleetRow,
} from "./fleet-files.ts";
import { ALL } from "./member-sets.ts";
import type { Registry, Segments } from "./registry.ts";

export interface IndexPorts {
  readonly files: FleetFiles;
  readonly segments: Pick<Segments, "members">;
  readonly access: Pick<AccessStore, "readMany">;
  readonly registry: Pick<Registry, "meters">;
  readonly columnar: Columnar;
  readonly objects: {
    put(object: string, file: string): Promise<unknown>;
    get(object: string, file: string): Promise<void>;
    remove(object: string): Promise<void>;
  };
  /** Files of this machine for as long as the call lasts. */
  readonly scratch: <T>(use: (fileNamed: (name: string) => string) => Promise<T>) => Promise<T>;
  readonly random: Random;
  readonly clock: { readonly now: () => number };
}

/** A change has come to rest, or has been coming for so long that the file is built all the same, ms. */
const SETTLED_MS = 60_000;
const LONG_MS = 10 * 60_000;
const LEASE_MS = 15 * 60_000;
/** An enrolment that is not done by then has broken off; whoever finishes it marks its segment. */
const ENROLLING_MS = 3_600_000;
/** What the mix is told of. */
const MIXES = {
  profile: "profile || ' version ' || profileVersion",
  commodity: "commodity",
  route: "route",
  firmware: "profile || ' ' || firmware",
  program: "program",
  keyVersion: "coalesce(keyVersion::VARCHAR, 'none')",
} as const;

export interface IndexFacts {
  readonly built: number;
  readonly segments: number;
  /** Files that somebody else has or took over. */
  readonly lost: number;
}

/**
 * Builds the fleet files of which a segment has changed: new rows for those segments, the others as they were, a new object,
 * then the pointer. One that breaks off leaves an object that nobody points to, and its marks: the next one builds it.
 */
export async function indexFleet(ports: IndexPorts, mayGoOn: () => boolean): Promise<IndexFacts> {
  const now = ports.clock.now();
  await begin(ports, now);
  const due = (await ports.files.marks()).filter(({ at, since }) => now - at >= SETTLED_MS || now - since >= LONG_MS);
  let [built, segments, lost] = [0, 0, 0];
  for (const [file, marks] of Map.groupBy(due, ({ segment }) => fleetFileOf(segment))) {
    if (!mayGoOn()) break;
    const owner = toHex(ports.random.octets(8));
    const leased = await ports.files.lease(file, owner, ports.clock.now(), ports.clock.now() + LEASE_MS);
    if (leased === undefined || !(await build(ports, leased, marks, owner))) {
      lost++;
      continue;
    }
    built++;
    segments += marks.length;
  }
  return { built, segments, lost };
}

/** Meters that were enrolled before there were fleet files: every segment is marked once. */
async function begin({ files, segments }: IndexPorts, now: number): Promise<void> {
  if ((await files.files()).length > 0 || (await files.marks()).length > 0) return;
  for await (const { segment } of segments.members(ALL)) await files.mark(segment, now);
}

async function build(ports: IndexPorts, file: FleetFile, marks: readonly FleetMark[], owner: string): Promise<boolean> {
  const asOf = ports.clock.now();
  const changed = new Set(marks.map(({ segment }) => segment));
  /** Segments with a meter that is not enrolled yet: they change once more. */
  const unsettled = new Set<number>();
  const object = `fleet/${String(file.file).padStart(6, "0")}/${asOf}-${owner}.parquet`;
  const end = await ports.scratch(async (fileNamed) => {
    const [was, next] = [fileNamed("was.parquet"), fileNamed("next.parquet")];
    if (file.current !== undefined) await ports.objects.get(file.current.object, was);
    const meters = await ports.columnar.write(
      {
        // The numbers of segments are ours.
        sql: `SELECT * FROM was WHERE segment NOT IN (${[...changed].join(", ")}) UNION ALL SELECT * FROM changed ORDER BY segment, slot`,
        sources: {
          was: { kind: "parquet", columns: FLEET_FILE_COLUMNS, files: file.current === undefined ? [] : [was] },
          changed: { kind: "rows", columns: FLEET_FILE_COLUMNS, rows: rowsOf(ports, file.file, changed, unsettled) },
        },
      },
      next,
    );
    await ports.objects.put(object, next);
    return { meters, mix: await mixOf(ports.columnar, next) };
  });
  const { current: before, previous } = file;
  const published = await ports.files.publish(
    { file: file.file, current: { object, asOf, ...end }, previous: before?.object },
    owner,
  );
  if (published === "lost") {
    await ports.objects.remove(object);
    return false;
  }
  for (const mark of marks) if (!unsettled.has(mark.segment)) await ports.files.clear(mark);
  if (previous !== undefined) await ports.objects.remove(previous);
  return true;
}

async function* rowsOf(
  { segments, access, registry, clock }: IndexPorts,
  file: number,
  changed: ReadonlySet<number>,
  unsettled: Set<number>,
): AsyncGenerator<Row> {
  const end = (file + 1) * FILE_SEGMENTS;
  for await (const { segment, bitmap } of segments.members(ALL, file * FILE_SEGMENTS)) {
    if (segment >= end) return;
    if (!changed.has(segment)) continue;
    const items = new Map((await access.readMany(segment, slotsOfBitmap(bitmap))).map((item) => [item.meterId, item]));
    for (const [meterId, meter] of await registry.meters([...items.keys()])) {
      const item = items.get(meterId);
      if (item === undefined || meter.place.segment !== segment || meter.place.slot !== item.slot) continue;
      if (meter.state === "enrolling" && clock.now() - meter.enrolledAt < ENROLLING_MS) unsettled.add(segment);
      if (meter.state === "enrolled") yield fleetRow(meter, item);
    }
  }
}

const VALUES_MAX = 200;

async function mixOf(columnar: Columnar, file: string): Promise<FleetMix> {
  const mix: Record<string, Record<string, number>> = {};
  for (const [kind, value] of Object.entries(MIXES)) {
    const { rows } = await columnar.query(
      {
        sql: `SELECT ${value} AS value, count(*) AS meters FROM fleet GROUP BY value ORDER BY meters DESC, value`,
        sources: { fleet: { kind: "parquet", columns: FLEET_FILE_COLUMNS, files: [file] } },
      },
      VALUES_MAX,
    );
    mix[kind] = Object.fromEntries(rows.map(([name, meters]) => [String(name ?? "none"), Number(meters)]));
  }
  return mix;
}

/** The mix of the whole fleet; no part of it is newer than `asOf`. */
export function fleetMix(files: readonly FleetFile[]): { readonly asOf?: number; readonly mix: FleetMix } {
  const mix: Record<string, Record<string, number>> = {};
  let asOf: number | undefined;
  for (const { current } of files) {
    if (current === undefined) continue;
    asOf = Math.min(asOf ?? current.asOf, current.asOf);
    for (const [kind, values] of Object.entries(current.mix)) {
      const sum = mix[kind] ?? {};
      mix[kind] = sum;
      for (const [value, meters] of Object.entries(values)) sum[value] = (sum[value] ?? 0) + meters;
    }
  }
  return asOf === undefined ? { mix } : { asOf, mix };
}
