import { describe, expect, it } from "vitest";
import type { Cell, Row } from "../ports/columnar.ts";
import { below, chance, type Random, seeded } from "../ports/random.ts";
import { DAY_MS } from "./day-block.ts";
import { AGAIN_AFTER_MS, cleanLake, DROPPED_KEPT_MS, type ExportLakePorts, exportLake } from "./export-lake.ts";
import { lakeRows } from "./lake-rows.ts";
import { memoryDayBlocks } from "./memory-day-blocks.ts";
import { memoryLakeMarks, memoryLakePointers } from "./memory-lake.ts";
import { storeReadings } from "./store-readings.ts";

const DAY = Date.UTC(2026, 10, 2);
const HOUR_MS = 3_600_000;

class Crash extends Error {}

/** Lets others run, or not. */
const pause = async (random: Random): Promise<void> => {
  for (let turns = below(random, 4); turns > 0; turns--) await Promise.resolve();
};

/**
 * A lake in memory: files of the machine and objects are lists of rows. `before`: called before each effect and read; it may
 * throw, or let others run.
 */
function lake(random: Random, before: () => Promise<void> = async () => {}) {
  const blocks = memoryDayBlocks();
  const marks = memoryLakeMarks();
  const pointers = memoryLakePointers();
  const objects = new Map<string, readonly Row[]>();
  let now = DAY + 12 * HOUR_MS;
  const guarded = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(inside, name) {
        const found = inside[name as keyof T];
        if (typeof found !== "function") return found;
        if (name === "list") return found.bind(inside);
        return async (...given: unknown[]) => {
          await before();
          const answer: unknown = await found.apply(inside, given);
          await before();
          return answer;
        };
      },
    });
  /** Every process has a machine of its own. */
  const machine = (): ExportLakePorts => {
    const files = new Map<string, readonly Row[]>();
    return {
      marks: guarded(marks),
      pointers: guarded(pointers),
      objects: guarded({
        async put(object: string, file: string) {
          expect(objects.has(object), "an object never changes").toBe(false);
          const rows = files.get(file) ?? [];
          objects.set(object, rows);
          return { octets: rows.length, sha256: "" };
        },
        async get() {},
        async remove(object: string) {
          objects.delete(object);
        },
      }),
      blocks: {
        async ofSegment(segment, day) {
          await pause(random); // so many reads: a crash at one of each hundred would be one in every export
          return blocks.ofSegment(segment, day);
        },
      },
      columnar: {
        async write({ sources }, file) {
          const rows: Row[] = [];
          for (const source of Object.values(sources))
            if (source.kind === "parquet") for (const one of source.files) rows.push(...(files.get(one) ?? []));
            else for await (const row of source.rows) rows.push(row);
          files.set(file, rows);
          return rows.length;
        },
      },
      scratch: (use) => use((name) => name),
      random,
      clock: { now: () => now },
    };
  };
  const store = (segment: number, slot: number, hour: number, value: bigint, batch: string, day = DAY) =>
    storeReadings({ blocks: guarded(blocks), lake: guarded(marks) }, segment, batch, [
      {
        slot,
        at: now,
        intervals: [
          {
            set: "load",
            period: 3600,
            channels: [{ m: "energy.active.import.interval", s: 0 }],
            ends: [day + (hour + 1) * HOUR_MS],
            values: [[value]],
            status: [0],
          },
        ],
      },
    ]);
  const text = (rows: Iterable<Row>): string[] => Array.from(rows, (row) => row.map(String).join("|")).sort();
  return {
    machine,
    store,
    objects,
    pointers,
    marks,
    forward: (ms: number) => {
      now += ms;
    },
    now: () => now,
    /** What readers find who follow the pointers of a day. */
    async inLake(day = DAY): Promise<string[]> {
      const found: Row[] = [];
      for (const { current } of await pointers.ofDay(day)) {
        if (current === undefined) continue;
        const rows = objects.get(current.object);
        expect(rows, "a pointer names an object that is there").toBeDefined();
        found.push(...(rows ?? []));
      }
      return text(found);
    },
    async inBlocks(segments: readonly number[], day = DAY): Promise<string[]> {
      const found: Row[] = [];
      for (const segment of segments)
        for (const block of await blocks.ofSegment(segment, day)) found.push(...lakeRows(block));
      return text(found);
    },
  };
}
const column = (row: string, index: number): Cell => row.split("|")[index];

describe("the lake", () => {
  it("has a file for each UTC day and 64 segments, and writes only those of which something was stored", async () => {
    const { machine, store, inLake, inBlocks, pointers, forward } = lake(seeded(1));
    for (const segment of [0, 63, 64, 200]) await store(segment, 5, 1, 7n, "0a".repeat(8));
    expect(await exportLake(machine())).toMatchObject({ written: 3, lost: 0, rows: 4, unfinished: false });
    expect((await pointers.ofDay(DAY)).map(({ file }) => file)).toEqual([0, 1, 3].sort());
    expect(await inLake()).toEqual(await inBlocks([0, 63, 64, 200]));
    forward(2 * AGAIN_AFTER_MS);
    expect(await exportLake(machine())).toMatchObject({ written: 0 });
  });

  it("writes a file that has late data as a new version, at most once an hour", async () => {
    const { machine, store, inLake, inBlocks, pointers, objects, forward } = lake(seeded(2));
    await store(0, 5, 1, 7n, "0a".repeat(8));
    await exportLake(machine());
    const [first] = await pointers.ofDay(DAY);
    await store(0, 5, 2, 9n, "0b".repeat(8));
    await store(0, 5, 1, 8n, "0c".repeat(8));
    forward(AGAIN_AFTER_MS - 1);
    expect(await exportLake(machine())).toMatchObject({ written: 0 });
    forward(1);
    expect(await exportLake(machine())).toMatchObject({ written: 1, rows: 2 });
    const [second] = await pointers.ofDay(DAY);
    expect(second?.current?.object).not.toBe(first?.current?.object);
    expect(objects.has(first?.current?.object ?? "")).toBe(true);
    expect(await inLake()).toEqual(await inBlocks([0]));
    expect((await inLake()).map((row) => column(row, 8)).sort()).toEqual(["8", "9"]);
  });

  it("brings a day that is asked for up to date at once, and no other", async () => {
    const { machine, store, inLake, inBlocks } = lake(seeded(3));
    await store(0, 5, 1, 7n, "0a".repeat(8));
    await exportLake(machine());
    await store(0, 5, 2, 9n, "0b".repeat(8));
    await store(0, 5, 2, 9n, "0b".repeat(8), DAY - DAY_MS);
    expect(await exportLake(machine(), { days: new Set([DAY]) })).toMatchObject({ written: 1 });
    expect(await inLake()).toEqual(await inBlocks([0]));
    expect(await inLake(DAY - DAY_MS)).toEqual([]);
  });

  it("stops between files when its time is up, and goes on", async () => {
    const { machine, store, inLake, inBlocks } = lake(seeded(4));
    for (const segment of [0, 64, 128]) await store(segment, 5, 1, 7n, "0a".repeat(8));
    let files = 0;
    expect(await exportLake(machine(), { mayGoOn: () => files++ < 1 })).toMatchObject({ written: 1, unfinished: true });
    expect(await exportLake(machine())).toMatchObject({ written: 2, unfinished: false });
    expect(await inLake()).toEqual(await inBlocks([0, 64, 128]));
  });

  it("keeps a dropped object for readers who follow an older pointer, and then removes it", async () => {
    const { machine, store, objects, forward, inLake, inBlocks } = lake(seeded(5));
    await store(0, 5, 1, 7n, "0a".repeat(8));
    await exportLake(machine());
    forward(AGAIN_AFTER_MS);
    await store(0, 5, 2, 9n, "0b".repeat(8));
    await exportLake(machine());
    expect(objects.size).toBe(2);
    forward(DROPPED_KEPT_MS);
    let removed = 0;
    for (let minute = 0; minute < 60; minute++) {
      removed += await cleanLake(machine());
      forward(60_000);
    }
    expect([removed, objects.size]).toEqual([1, 1]);
    expect(await inLake()).toEqual(await inBlocks([0]));
  });

  it("leaves a day alone of which blocks may have gone already", async () => {
    const { machine, store, inLake, marks, forward } = lake(seeded(6));
    await store(0, 5, 1, 7n, "0a".repeat(8));
    await exportLake(machine());
    const before = await inLake();
    forward(30 * DAY_MS);
    await store(0, 6, 1, 7n, "0b".repeat(8));
    expect(await exportLake({ ...machine(), blockDays: 30 })).toMatchObject({ written: 0 });
    expect(await inLake()).toEqual(before);
    expect(await marks.read(0, DAY)).toBeUndefined();
  });

  it("loses nothing when ingest and exports crash anywhere and run at once, and leaves no object behind", async () => {
    let [crashes, lost, versions] = [0, 0, 0];
    for (let seed = 1; seed <= 150; seed++) {
      const random = seeded(seed);
      let calm = false;
      const before = async (): Promise<void> => {
        await pause(random);
        if (!calm && chance(random, 0.03)) throw new Crash();
      };
      const world = lake(random, before);
      /** As the queue and the tick do: what crashed is done again from the start. */
      const untilDone = async (work: () => Promise<unknown>): Promise<void> => {
        for (;;)
          try {
            await work();
            return;
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            crashes++;
          }
      };
      const segments = [0, 1, 64];
      const ingest = async (worker: number): Promise<void> => {
        for (let batch = 0; batch < 4; batch++) {
          const [segment, slot, hour] = [segments[below(random, 3)] ?? 0, below(random, 3), below(random, 4)];
          const value = BigInt(below(random, 100));
          const name = `${worker}${batch}`.padStart(16, "0");
          await untilDone(() => world.store(segment, slot, hour, value, name));
          world.forward(below(random, HOUR_MS));
        }
      };
      const exporter = async (): Promise<void> => {
        for (let tick = 0; tick < 6; tick++) {
          for (let turns = below(random, 60); turns > 0; turns--) await Promise.resolve();
          try {
            const facts = await exportLake(world.machine());
            lost += facts.lost;
            versions += facts.written;
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            crashes++;
          }
          world.forward(AGAIN_AFTER_MS);
        }
      };
      await Promise.all([ingest(1), ingest(2), exporter(), exporter()]);
      calm = true;
      world.forward(AGAIN_AFTER_MS);
      await exportLake(world.machine());
      expect([seed, await world.inLake()]).toEqual([seed, await world.inBlocks(segments)]);
      expect([seed, await Array.fromAsync(world.marks.list())]).toEqual([seed, []]);
      world.forward(DROPPED_KEPT_MS + HOUR_MS);
      for (let minute = 0; minute < 60; minute++) {
        await cleanLake(world.machine());
        world.forward(60_000);
      }
      const current = (await world.pointers.ofDay(DAY)).map((file) => file.current?.object);
      expect([seed, [...world.objects.keys()].sort()]).toEqual([seed, current.sort()]);
    }
    expect(crashes).toBeGreaterThan(150);
    // Crashes, and exports that met, were many.
    expect(versions).toBeGreaterThan(150);
    expect(lost).toBeGreaterThan(100);
  });
});
