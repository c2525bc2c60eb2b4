import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eachOf } from "../../shared/jobs/concurrency.ts";
import type { SegmentMembers } from "../../shared/jobs/targets.ts";
import type { Columnar } from "../../shared/ports/columnar.ts";
import { METERS_LOOKED_AT } from "../../shared/queries/find-meters.ts";
import type { MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import type { SegmentFacts } from "../../shared/queries/meter-row.ts";
import { type FleetQueries, fleetQueries } from "../../shared/queries/query-fleet.ts";
import { DAY_MS, dayOf } from "../../shared/readings/day-block.ts";
import type { FleetColumnStore } from "../../shared/readings/fleet-columns.ts";
import type { MissingRecords } from "../../shared/readings/missing-records.ts";
import type { FleetFiles } from "../../shared/registry/fleet-files.ts";

/** Queries over a fleet that is too large to be walked. */
export interface FleetSearch {
  /**
   * Asks fleet files and columns. `asOf`: no slow fact of the answer is newer, clock ms. Undefined: the fleet is small
   * enough for its directory, which is newer, or no file was built yet.
   */
  ask<T>(use: (queries: FleetQueries, asOf: number) => Promise<T>): Promise<T | undefined>;
  members(filter: MeterFilter): Promise<readonly SegmentMembers[] | undefined>;
}

export interface FleetSearchPorts {
  readonly files: Pick<FleetFiles, "files">;
  readonly objects: { get(object: string, file: string): Promise<void> };
  readonly columns: Pick<FleetColumnStore, "readMany">;
  readonly missing: Pick<MissingRecords, "read">;
  readonly columnar: Columnar;
  /** Product clock: ages and days count from it. */
  readonly now: () => number;
  /** More meters than this are asked by files. @default what one walk looks at */
  readonly above?: number;
}

const FETCHES_MAX = 16;
const READS_MAX = 32;

export function fleetSearch(ports: FleetSearchPorts): FleetSearch {
  const { columns, missing, columnar, now, above = METERS_LOOKED_AT } = ports;
  const fetched = keptObjects(ports.objects);

  const factsOf = async (segments: readonly number[]): Promise<ReadonlyMap<number, SegmentFacts>> => {
    const yesterday = dayOf(now()) - DAY_MS;
    const [known, records] = await Promise.all([
      columns.readMany(segments),
      new Map<number, SegmentFacts["missing"]>(),
    ]);
    await eachOf(segments, READS_MAX, async (segment) => {
      records.set(segment, await missing.read(segment, yesterday));
    });
    return new Map(
      segments.map((segment) => [segment, { columns: known.get(segment), missing: records.get(segment) }]),
    );
  };

  const ask: FleetSearch["ask"] = async (use) => {
    const current = (await ports.files.files()).flatMap((file) => file.current ?? []);
    const meters = current.reduce((sum, file) => sum + file.meters, 0);
    if (current.length === 0 || meters <= above) return undefined;
    const files = await fetched(current.map(({ object }) => object));
    return use(fleetQueries(columnar, { files, facts: factsOf }, now()), Math.min(...current.map(({ asOf }) => asOf)));
  };
  return { ask, members: (filter) => ask((queries) => queries.members(filter)) };
}

/** Objects never change: what was fetched for one question serves the next ones, until nothing points to it any more. */
function keptObjects(objects: FleetSearchPorts["objects"]) {
  const kept = new Map<string, string>();
  let folder: Promise<string> | undefined;
  let fetches = 0;
  return async (wanted: readonly string[]): Promise<readonly string[]> => {
    folder ??= mkdtemp(join(tmpdir(), "headrace-fleet-"));
    const into = await folder;
    for (const [object, file] of kept)
      if (!wanted.includes(object)) {
        kept.delete(object);
        await rm(file, { force: true });
      }
    await eachOf(
      wanted.filter((object) => !kept.has(object)),
      FETCHES_MAX,
      async (object) => {
        const file = join(into, `${++fetches}.parquet`);
        await objects.get(object, file);
        kept.set(object, file);
      },
    );
    return wanted.flatMap((object) => kept.get(object) ?? []);
  };
}
