import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duckdb } from "../../functions/adapters/duckdb.ts";
import { dynamoExports } from "../../functions/adapters/dynamo-exports.ts";
import { scratch } from "../../functions/adapters/s3-lake.ts";
import { below, chance, seeded } from "../../shared/ports/random.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import type { ExportState, ExportStore } from "../../shared/readings/exports.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { memoryExports } from "../../shared/readings/memory-exports.ts";
import { memoryLakeMarks, memoryLakePointers } from "../../shared/readings/memory-lake.ts";
import { storeReadings } from "../../shared/readings/store-readings.ts";
import { createDaily, DAILY_AFTER_MS, type WriteExportPorts, writeExport } from "../../shared/readings/write-export.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const DAY = Date.UTC(2026, 10, 2);
const HOUR_MS = 3_600_000;
let dynamo: EmbeddedDynamo;
const folder = mkdtempSync(join(tmpdir(), "headrace-exports-"));
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dynamo.close();
});

describe.each<{ name: string; open: () => ExportStore }>([
  { name: "in memory", open: memoryExports },
  { name: "on DynamoDB", open: () => dynamoExports(dynamo.db, "Readings") },
])("exports $name", ({ open }) => {
  it("are created once, written under their version and listed newest first", async () => {
    const store = open();
    const state = (exportId: string, createdAt: number): ExportState => ({
      exportId,
      kind: exportId.startsWith("daily") ? "daily" : "requested",
      caller: { id: "mdm" },
      format: "csv",
      from: DAY,
      to: DAY,
      measurements: ["volume.gas"],
      state: "running",
      createdAt,
      version: 1,
    });
    const [first, daily, last] = [state("0mx0kk8k6aaa", 1), state("daily-2026-11-02", 2), state("0mx0kk8k7aaa", 3)];
    for (const one of [first, daily, last]) expect(await store.create(one)).toBe(true);
    expect(await store.create(first)).toBe(false);
    expect(await store.write(first, { state: "done", endedAt: 9 })).toBe(true);
    expect(await store.write(first, { state: "failed" })).toBe(false);
    expect(await store.read(first.exportId)).toEqual({ ...first, state: "done", endedAt: 9, version: 2 });
    expect((await store.list(2)).map(({ exportId }) => exportId)).toEqual([last.exportId, daily.exportId]);

    const file = { day: DAY, file: 3, kind: "full", rows: 1, octets: 2, sha256: "ab", asOf: 4, source: "s" } as const;
    await store.keepFile(first.exportId, { ...file, object: "a" });
    await store.keepFile(first.exportId, { ...file, object: "b", copy: "c" });
    expect(await store.files(first.exportId)).toEqual([{ ...file, object: "b", copy: "c" }]);
    expect(await store.files("none")).toEqual([]);
    await store.deliver(DAY, 3, { source: "s", copy: "c" });
    expect(await store.delivered(DAY, 3)).toEqual({ source: "s", copy: "c" });
    expect(await store.delivered(DAY, 4)).toBeUndefined();
  });
});

class Crash extends Error {}

/** A headend with a lake whose objects are files here. `crash`: asked before each effect. */
function headend(seed: number, crash: () => boolean = () => false) {
  const random = seeded(seed);
  const [blocks, marks, pointers, exports] = [
    memoryDayBlocks(),
    memoryLakeMarks(),
    memoryLakePointers(),
    memoryExports(),
  ];
  let now = DAY + DAY_MS - 1;
  const at = (object: string): string => join(folder, String(seed), object);
  const effect = (): void => {
    if (crash()) throw new Crash();
  };
  const bucket: WriteExportPorts["out"] = {
    async put(object, file) {
      effect();
      expect(existsSync(at(object)), "an object never changes").toBe(false);
      mkdirSync(dirname(at(object)), { recursive: true });
      copyFileSync(file, at(object));
      const octets = readFileSync(file);
      return { octets: octets.length, sha256: createHash("sha256").update(octets).digest("hex") };
    },
    async putText(object, text) {
      effect();
      mkdirSync(dirname(at(object)), { recursive: true });
      writeFileSync(at(object), text);
    },
    get: async (object, file) => copyFileSync(at(object), file),
    remove: async (object) => rmSync(at(object), { force: true }),
  };
  const crashing = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(inside, name) {
        const found = inside[name as keyof T];
        if (typeof found !== "function" || name === "list") return found;
        return (...given: unknown[]) => {
          effect();
          return found.apply(inside, given);
        };
      },
    });
  const meterOf = (segment: number, slot: number): string => `M-${segment}-${slot}`;
  const ports: WriteExportPorts = {
    blocks,
    marks: crashing(marks),
    pointers: crashing(pointers),
    exports: crashing(exports),
    objects: bucket,
    out: bucket,
    columnar: duckdb({ memoryMb: 256, timeoutMs: 20_000 }),
    scratch,
    random,
    clock: { now: () => now },
    metersAt: async (places) => places.map((place) => ({ ...place, meterId: meterOf(place.segment, place.slot) })),
    placesOf: async (ids) =>
      ids.map((meterId) => {
        const [, segment, slot] = meterId.split("-");
        return { meterId, segment: Number(segment), slot: Number(slot) };
      }),
  };
  const store = (segment: number, slot: number, hour: number, value: bigint, day = DAY, scaler = -3) =>
    storeReadings({ blocks, lake: marks }, segment, `${hour}`.padStart(16, "0"), [
      {
        slot,
        at: now,
        intervals: [
          {
            set: "load",
            period: 3600,
            channels: [{ m: "energy.active.import.interval", s: scaler }],
            ends: [day + (hour + 1) * HOUR_MS],
            values: [[value]],
            status: [0x81],
          },
        ],
      },
    ]);
  const manifest = (exportId: string) => {
    const parsed = JSON.parse(readFileSync(at(`exports/${exportId}/manifest.json`), "utf8")) as {
      files: { name: string; kind: string; day: string; rows: number; octets: number; sha256: string }[];
    };
    return parsed.files.map((file) => {
      const octets = readFileSync(at(`exports/${exportId}/${file.name}`));
      expect([octets.length, createHash("sha256").update(octets).digest("hex")]).toEqual([file.octets, file.sha256]);
      const lines = file.name.endsWith(".csv.gz") ? gunzipSync(octets).toString().trimEnd().split("\n") : [];
      return { ...file, lines };
    });
  };
  return { ports, exports, store, manifest, at, forward: (ms: number) => (now += ms), blocks };
}
const always = () => true;
const asked = (change: Partial<ExportState> = {}): ExportState => ({
  exportId: "x1",
  kind: "requested",
  caller: { id: "mdm" },
  format: "csv",
  from: DAY,
  to: DAY,
  state: "running",
  createdAt: DAY,
  version: 1,
  ...change,
});

describe("an export", () => {
  it("as CSV has exact decimal values, units, ReadingTypes, instants in UTC, flags and provenance", async () => {
    const { ports, exports, store, manifest } = headend(1);
    await store(0, 5, 0, 7n);
    await store(0, 5, 1, 1234567n);
    await store(0, 6, 0, -(2n ** 63n));
    await store(0, 7, 0, 2n ** 64n - 1n, DAY, 2);
    await store(0, 8, 0, 0n);
    await exports.create(asked());
    expect(await writeExport(ports, "x1", always)).toBe(true);
    expect((await exports.read("x1"))?.state).toBe("done");
    const [{ lines, rows, kind } = { lines: [], rows: 0, kind: "" }, ...others] = manifest("x1");
    expect([rows, kind, others]).toEqual([5, "full", []]);
    expect(lines[0]).toBe(
      "meter,kind,channel_set,measurement,unit,reading_type,period_s,start_at,end_at,value,status,quality,batch,read_at",
    );
    expect(lines[1]).toBe(
      "M-0-5,interval,load,energy.active.import.interval,Wh,0.0.7.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0,3600,2026-11-02T00:00:00.000Z,2026-11-02T01:00:00.000Z,0.007,powerDown partial,,0000000000000000,2026-11-02T23:59:59.999Z",
    );
    expect(lines.slice(1).map((line) => [line.split(",")[0], line.split(",")[9]])).toEqual([
      ["M-0-5", "0.007"],
      ["M-0-5", "1234.567"],
      ["M-0-6", "-9223372036854775.808"],
      ["M-0-7", "1844674407370955161500"],
      ["M-0-8", "0"],
    ]);
  });

  it("as Parquet has the integers with their scalers", async () => {
    const { ports, exports, store, manifest, at } = headend(2);
    await store(0, 7, 0, 2n ** 64n - 1n);
    await exports.create(asked({ format: "parquet" }));
    await writeExport(ports, "x1", always);
    const [{ name } = { name: "" }] = manifest("x1");
    const columns = [
      { name: "meter", type: "text" },
      { name: "value", type: "wide" },
      { name: "scaler", type: "integer" },
      { name: "end_at", type: "instant" },
    ] as const;
    const sources = { x: { kind: "parquet", columns, files: [at(`exports/x1/${name}`)] } } as const;
    const { rows } = await ports.columnar.query({ sql: "SELECT * FROM x", sources }, 10);
    expect(rows).toEqual([["M-0-7", 2n ** 64n - 1n, -3, DAY + HOUR_MS]]);
  });

  it("holds the meters, measurements and days that were asked for, and no others", async () => {
    const { ports, exports, store, manifest } = headend(3);
    for (const segment of [0, 64, 128]) await store(segment, 5, 0, 7n);
    await store(64, 6, 0, 8n);
    await store(64, 6, 1, 9n, DAY - DAY_MS);
    await exports.create(asked({ meters: ["M-64-6", "M-0-9"], from: DAY - DAY_MS }));
    await writeExport(ports, "x1", always);
    const lines = manifest("x1").flatMap((file) => file.lines.slice(1));
    expect(lines.map((line) => line.split(",").slice(0, 10))).toMatchObject([
      { 0: "M-64-6", 9: "0.009" },
      { 0: "M-64-6", 9: "0.008" },
    ]);
    await exports.create(asked({ exportId: "x2", measurements: ["volume.gas"] }));
    await writeExport(ports, "x2", always);
    expect(manifest("x2").map(({ rows }) => rows)).toEqual([0, 0, 0]);
  });

  it("stops when its time is up and goes on with the files that are left", async () => {
    const { ports, exports, store, manifest } = headend(4);
    for (const segment of [0, 64, 128]) await store(segment, 5, 0, 7n);
    await exports.create(asked());
    let turns = 0;
    expect(await writeExport(ports, "x1", () => turns++ < 5)).toBe(false);
    const before = (await exports.files("x1")).map(({ object }) => object);
    expect(await writeExport(ports, "x1", always)).toBe(true);
    expect(manifest("x1")).toHaveLength(3);
    expect((await exports.files("x1")).map(({ object }) => object)).toEqual(expect.arrayContaining(before));
  });
});

describe("the daily export", () => {
  it("is made once for each day, and names in the next manifest what came late for an earlier one", async () => {
    const { ports, exports, store, manifest, forward } = headend(5);
    await store(0, 5, 0, 7n);
    await store(0, 6, 0, 7n);
    forward(1 + DAILY_AFTER_MS);
    for (let tick = 0; tick < 2; tick++) await createDaily(ports, "csv");
    expect((await exports.list(9)).map(({ exportId }) => exportId)).toEqual(["daily-2026-11-02"]);
    await writeExport(ports, "daily-2026-11-02", always);
    expect(manifest("daily-2026-11-02").map(({ kind, rows }) => [kind, rows])).toEqual([["full", 2]]);

    await store(0, 5, 1, 8n); // late
    await store(0, 6, 0, 9n); // corrected
    await store(99, 1, 0, 1n); // of a file that had nothing
    await store(0, 5, 0, 10n, DAY + DAY_MS);
    forward(DAY_MS);
    await createDaily(ports, "csv");
    await writeExport(ports, "daily-2026-11-03", always);
    const files = manifest("daily-2026-11-03");
    expect(files.map(({ kind, day, rows }) => [kind, day, rows]).sort()).toEqual([
      ["full", "2026-11-03", 1],
      ["supplement", "2026-11-02", 1],
      ["supplement", "2026-11-02", 2],
    ]);
    const late = files.find(({ kind, rows }) => kind === "supplement" && rows === 2)?.lines.slice(1) ?? [];
    expect(late.map((line) => [line.split(",")[0], line.split(",")[9], line.split(",")[11]])).toEqual([
      ["M-0-5", "0.008", ""],
      ["M-0-6", "0.009", "corrected"],
    ]);

    forward(DAY_MS);
    await createDaily(ports, "csv");
    await writeExport(ports, "daily-2026-11-04", always);
    expect(manifest("daily-2026-11-04")).toEqual([]);
  });

  it("says everything once, wherever it crashes", async () => {
    for (let seed = 100; seed < 104; seed++) {
      const random = seeded(seed);
      let calm = true;
      let crashes = 0;
      const world = headend(seed, () => !calm && chance(random, 0.06));
      const said = new Map<string, string[]>();
      for (let day = 0; day < 3; day++) {
        for (let count = 0; count < 3; count++)
          await world.store(
            64 * below(random, 2),
            below(random, 2),
            below(random, 3),
            BigInt(below(random, 1000)),
            DAY,
          );
        world.forward(day === 0 ? 1 + DAILY_AFTER_MS : DAY_MS);
        const exportId = `daily-2026-11-0${day + 2}`;
        calm = false;
        for (;;)
          try {
            await createDaily(world.ports, "csv");
            if (await writeExport(world.ports, exportId, always)) break;
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            crashes++;
          }
        calm = true;
        for (const { lines } of world.manifest(exportId))
          for (const line of lines.slice(1)) {
            const cells = line.split(",");
            const key = `${cells[0]} ${cells[8]}`;
            said.set(key, [...(said.get(key) ?? []), cells[9] ?? ""]);
          }
      }
      // The last export's own late data: bring the lake up to date and say it.
      world.forward(DAY_MS);
      await createDaily(world.ports, "csv");
      await writeExport(world.ports, "daily-2026-11-05", always);
      for (const { lines } of world.manifest("daily-2026-11-05"))
        for (const line of lines.slice(1)) {
          const cells = line.split(",");
          const key = `${cells[0]} ${cells[8]}`;
          said.set(key, [...(said.get(key) ?? []), cells[9] ?? ""]);
        }
      await world.exports.create(asked());
      await writeExport(world.ports, "x1", always);
      const stored = world.manifest("x1").flatMap(({ lines }) => lines.slice(1).map((line) => line.split(",")));
      expect(stored.length).toBeGreaterThan(0);
      // What was said last of each interval is what is stored, and nothing was said twice in a row.
      expect([seed, [...said].map(([key, values]) => [key, values.at(-1)]).sort()]).toEqual([
        seed,
        stored.map((cells) => [`${cells[0]} ${cells[8]}`, cells[9]]).sort(),
      ]);
      for (const values of said.values())
        for (const [index, value] of values.entries()) expect(value).not.toBe(values[index + 1]);
      expect(crashes).toBeGreaterThan(0);
    }
  });
});
