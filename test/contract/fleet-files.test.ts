import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duckdb } from "../../functions/adapters/duckdb.ts";
import { dynamoFleetFiles } from "../../functions/adapters/dynamo-fleet-files.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { Meter, type MeterId } from "../../shared/metering/meter.ts";
import { seeded } from "../../shared/ports/random.ts";
import { fleetQueries, FLEET_FILE_COLUMNS as QUERIED } from "../../shared/queries/query-fleet.ts";
import { FLEET_FILE_COLUMNS, type FleetFiles, marking } from "../../shared/registry/fleet-files.ts";
import { fleetMix, indexFleet } from "../../shared/registry/index-fleet.ts";
import { ALL, changedBitmap, type MemberSet } from "../../shared/registry/member-sets.ts";
import { memoryFleetFiles } from "../../shared/registry/memory-fleet-files.ts";
import type { RegisteredMeter } from "../../shared/registry/registered-meter.ts";
import type { Segments } from "../../shared/registry/registry.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";
import { REGISTRY_TABLES } from "./registry-tables.ts";

const T0 = Date.UTC(2026, 10, 2, 12);
const MINUTE_MS = 60_000;
let dynamo: EmbeddedDynamo;
let folder: string;
beforeAll(async () => {
  dynamo = await embeddedDynamo(REGISTRY_TABLES);
  folder = await mkdtemp(join(tmpdir(), "fleet-files-"));
});
afterAll(async () => {
  await dynamo.close();
  await rm(folder, { recursive: true });
});

const columnar = duckdb({ memoryMb: 256, timeoutMs: 20_000 });
let worlds = 0;

/** A registry of a few meters, and objects that are files of a folder. */
function world(files: FleetFiles) {
  const number = ++worlds;
  const meters = new Map<MeterId, RegisteredMeter>();
  const clock = { at: T0, now: () => clock.at };
  const objects = new Map<string, string>();
  const inFolder = (name: string): string => join(folder, `${number}-${name.replaceAll("/", "_")}`);
  const members = async function* (_: MemberSet, from = 0) {
    const bySegment = Map.groupBy(meters.values(), ({ place }) => place.segment);
    for (const [segment, of] of [...bySegment].sort(([left], [right]) => left - right))
      if (segment >= from)
        yield {
          segment,
          bitmap: changedBitmap(
            undefined,
            of.map(({ place }) => place.slot),
          ),
        };
  };
  const read = { segments: [] as number[] };
  const ports = {
    files,
    segments: { members },
    registry: { meters: async (ids: readonly MeterId[]) => new Map(ids.map((id) => [id, meters.get(id) as never])) },
    access: {
      readMany: async (segment: number, slots: readonly number[]) => {
        read.segments.push(segment);
        return [...meters.values()]
          .filter(({ place }) => place.segment === segment && slots.includes(place.slot))
          .map(
            ({ meter, place, profileVersion }) =>
              ({
                ...place,
                meterId: meter.meterId,
                profile: { name: meter.profile, version: profileVersion },
                sealedKeys: { blob: new Uint8Array(1), version: 3 },
                ...(place.slot === 1 ? { identity: { firmware: "2.4", at: T0 } } : {}),
              }) as unknown as AccessItem,
          );
      },
    },
    columnar,
    objects: {
      put: async (object: string, file: string) => {
        objects.set(object, inFolder(object));
        await copyFile(file, inFolder(object));
      },
      get: (object: string, file: string) => copyFile(objects.get(object) ?? "absent", file),
      remove: async (object: string) => void objects.delete(object),
    },
    scratch: async <T>(use: (fileNamed: (name: string) => string) => Promise<T>): Promise<T> => {
      const scratch = await mkdtemp(join(folder, "scratch-"));
      return use((name) => join(scratch, name));
    },
    random: seeded(number),
    clock,
  };
  const marked = marking({ changeMembers: async () => undefined } as unknown as Segments, files, clock);
  return {
    ports,
    clock,
    objects,
    read,
    meters,
    async enrol(segment: number, slot: number, change: Partial<RegisteredMeter> = {}, groups: string[] = []) {
      const meter = Meter.parse({
        meterId: `M-${segment}-${slot}`,
        commodity: "water",
        serial: `${segment}.${slot}`,
        profile: slot % 2 === 0 ? "even" : "odd",
        routes: [{ kind: "dial", host: "10.0.0.1", port: 4059 }],
        memberships: { groups, feeder: "F-1" },
        location: { latitude: 48.2, longitude: 16.4 },
      });
      const { meterId } = meter;
      meters.set(meterId, {
        meter,
        profileVersion: 2,
        state: "enrolled",
        place: { segment, slot },
        secured: true,
        enrolledAt: T0,
        version: 1,
        ...change,
      });
      await marked.changeMembers(ALL, segment, [slot]);
    },
    index: () => indexFleet(ports, () => true),
    async paths() {
      const current = (await files.files()).flatMap((file) => file.current?.object ?? []);
      return current.flatMap((object) => objects.get(object) ?? []); // others are of the tests beside
    },
    async rows(sql: string) {
      const sources = { fleet: { kind: "parquet", columns: FLEET_FILE_COLUMNS, files: await this.paths() } } as const;
      return (await columnar.query({ sql, sources }, 1000)).rows;
    },
  };
}

it("fleet files have every column that queries ask for", () => {
  expect(FLEET_FILE_COLUMNS).toEqual(expect.arrayContaining(QUERIED.map(({ name, type }) => ({ name, type }))));
});

describe.each<{ name: string; open: () => FleetFiles }>([
  { name: "in memory", open: memoryFleetFiles },
  { name: "on DynamoDB", open: () => dynamoFleetFiles(dynamo.db, "Registry") },
])("fleet files $name", ({ open }) => {
  it("are built when changes have come to rest, and again only of what changed", async () => {
    const fleet = world(open());
    await fleet.enrol(3, 1, {}, ["north", "pilot"]);
    await fleet.enrol(3, 2);
    await fleet.enrol(5, 4);
    await fleet.enrol(70, 9);
    expect(await fleet.index()).toEqual({ built: 0, segments: 0, lost: 0 });
    fleet.clock.at += MINUTE_MS;
    expect(await fleet.index()).toEqual({ built: 2, segments: 3, lost: 0 });
    expect(await fleet.index()).toEqual({ built: 0, segments: 0, lost: 0 });
    const [row] = await fleet.rows("SELECT * FROM fleet WHERE slot = 1");
    expect(row).toEqual([
      ...[3, 1, "M-3-1", "3.1", "water", "odd", 2, undefined, "dial", "north pilot"],
      ...["F-1", undefined, undefined, undefined, undefined, 48.2, 16.4, 3, "2.4", undefined, T0],
    ]);
    const { asOf, mix } = fleetMix(await fleet.ports.files.files());
    expect(asOf).toBe(T0 + MINUTE_MS);
    expect(mix).toMatchObject({
      profile: { "even version 2": 2, "odd version 2": 2 },
      commodity: { water: 4 },
      keyVersion: { "3": 4 },
      firmware: { "odd 2.4": 1, none: 3 },
      program: { none: 4 },
    });

    const paths = await fleet.paths();
    const queries = fleetQueries(columnar, { files: paths, facts: async () => new Map() }, T0);
    expect(await queries.members({ kind: "group", in: ["pilot"] } as never)).toMatchObject([{ segment: 3 }]);
    expect(await queries.count({ kind: "profile", in: ["even"] } as never)).toBe(2);
    expect(await queries.count({ kind: "firmware", startsWith: "2." })).toBe(1);
    expect(await queries.count({ kind: "program", known: false })).toBe(4);

    fleet.read.segments.length = 0;
    await fleet.enrol(5, 6);
    fleet.clock.at += MINUTE_MS;
    expect(await fleet.index()).toEqual({ built: 1, segments: 1, lost: 0 });
    expect(fleet.read.segments).toEqual([5]);
    expect(await fleet.rows("SELECT meterId FROM fleet ORDER BY segment, slot")).toEqual(
      ["M-3-1", "M-3-2", "M-5-4", "M-5-6", "M-70-9"].map((meterId) => [meterId]),
    );
    // Of what was built before, only what somebody may still be reading is kept.
    for (let round = 0; round < 3; round++) {
      await fleet.enrol(5, 6);
      fleet.clock.at += MINUTE_MS;
      await fleet.index();
    }
    expect([...fleet.objects.keys()].filter((object) => object.startsWith("fleet/000000/")).length).toBe(2);
    for (const { segment } of await fleet.ports.files.marks()) expect(segment).toBeUndefined();
  });

  it("take in whoever was enrolled before there were any", async () => {
    // The items of one table are shared by the tests on DynamoDB: here nothing is marked nor built yet.
    const fleet = world(memoryFleetFiles());
    await fleet.enrol(9, 1);
    const unmarked = world(memoryFleetFiles());
    for (const [meterId, meter] of fleet.meters) unmarked.meters.set(meterId, meter);
    expect(await unmarked.index()).toMatchObject({ built: 0 });
    unmarked.clock.at += MINUTE_MS;
    expect(await unmarked.index()).toMatchObject({ built: 1, segments: 1 });
  });

  it("that break off are built by the next; one that was overtaken turns no pointer", async () => {
    const files = open();
    const fleet = world(files);
    await fleet.enrol(130, 1);
    fleet.clock.at += MINUTE_MS;
    const broken = {
      ...fleet.ports,
      objects: { ...fleet.ports.objects, put: async () => Promise.reject(new Error("away")) },
    };
    await expect(indexFleet(broken, () => true)).rejects.toThrow("away");
    expect(await fleet.index()).toEqual({ built: 0, segments: 0, lost: 1 });
    fleet.clock.at += 16 * MINUTE_MS;
    // While the file is built, its lease runs out and another builds it.
    const slow = {
      ...fleet.ports,
      objects: {
        ...fleet.ports.objects,
        put: async (object: string, file: string) => {
          await fleet.ports.objects.put(object, file);
          fleet.clock.at += 16 * MINUTE_MS;
          expect(await fleet.index()).toEqual({ built: 1, segments: 1, lost: 0 });
        },
      },
    };
    expect(await indexFleet(slow, () => true)).toEqual({ built: 0, segments: 0, lost: 1 });
    const of130 = (await files.files()).filter(({ file }) => file === 2);
    expect(of130.map(({ current }) => current?.meters)).toEqual([1]);
    expect([...fleet.objects.keys()]).toEqual(of130.map(({ current }) => current?.object));
    expect((await files.marks()).filter(({ segment }) => segment === 130)).toEqual([]);
  });

  it("lose no change that comes while they are built, and wait for a meter that is still enrolling", async () => {
    const files = open();
    const fleet = world(files);
    await fleet.enrol(200, 1, { state: "enrolling" });
    fleet.clock.at += MINUTE_MS;
    const during = {
      ...fleet.ports,
      objects: {
        ...fleet.ports.objects,
        put: async (object: string, file: string) => {
          await fleet.ports.objects.put(object, file);
          await fleet.enrol(201, 1);
        },
      },
    };
    await fleet.enrol(201, 0);
    fleet.clock.at += MINUTE_MS;
    expect(await indexFleet(during, () => true)).toMatchObject({ built: 1, segments: 2 });
    expect(await fleet.rows("SELECT segment, slot FROM fleet WHERE segment >= 200")).toEqual([[201, 0]]);
    const left = (await files.marks()).map(({ segment }) => segment).filter((segment) => segment >= 200);
    expect(left).toEqual([200, 201]);
    await fleet.enrol(200, 1);
    fleet.clock.at += MINUTE_MS;
    await fleet.index();
    expect(await fleet.rows("SELECT segment, slot FROM fleet WHERE segment >= 200")).toEqual([
      [200, 1],
      [201, 0],
      [201, 1],
    ]);
  });
});
