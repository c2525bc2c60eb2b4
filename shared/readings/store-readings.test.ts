import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS } from "./day-block.ts";
import { decodeDayBlock } from "./day-block-codec.ts";
import { qualityFlags } from "./quality.ts";
import { BATCH, DAY, end, LATER, PERIOD_MS, place, type Row, reportOf, rowsOf, store } from "./store-fixture.ts";

describe("stored readings", () => {
  it("are those that were reported, by their end, with unit scaler, status and origin", async () => {
    const { put, read } = store();
    const registers = [{ m: "energy.active.import.total" as const, v: 2n ** 63n + 5n, s: -1 }];
    const { facts, bad } = await put([reportOf(rowsOf(1, 97), { registers, status: 0x10 })]);
    expect(bad).toEqual([]);
    expect(facts).toMatchObject({ added: 193, corrected: 0, written: 1 });
    const readings = await read();
    expect(readings.registers).toEqual([
      {
        measurement: "energy.active.import.total",
        value: 2n ** 63n + 5n,
        scaler: -1,
        at: DAY + 40_000_000,
        readAt: DAY + 40_000_000,
        batch: BATCH,
      },
    ]);
    expect(readings.intervals[0]).toMatchObject({ channelSet: "load", period: 900 });
    expect(readings.intervals[0]?.entries.map((entry) => entry.end)).toEqual(rowsOf(1, 97).map(([at]) => at));
    expect(readings.intervals[0]?.entries[95]).toEqual({
      start: end(95),
      end: end(96),
      values: [196n, 5n],
      status: 0x10,
      quality: 0,
      batch: BATCH,
      readAt: DAY + 40_000_000,
    });
  });

  it("lie in the UTC day in which the interval begins: the one that ends at midnight is the last of its day", async () => {
    const { put, blocks, read } = store();
    await put([reportOf(rowsOf(95, 99))]);
    const [first, second] = await blocks.ofMeter(place, DAY, DAY + DAY_MS);
    expect([...decodeDayBlock(DAY, first?.octets ?? new Uint8Array()).entries.keys()]).toEqual([94, 95]);
    expect([...decodeDayBlock(DAY + DAY_MS, second?.octets ?? new Uint8Array()).entries.keys()]).toEqual([0, 1]);
    expect((await read(end(95), end(97))).intervals[0]?.entries.map((entry) => entry.end)).toEqual([end(96), end(97)]);
    expect((await read(end(96), end(96) + 1)).intervals).toEqual([]);
    expect((await read(end(96) - 1, end(96))).intervals[0]?.entries.length).toBe(1);
  });

  it("cost one write for intervals and registers of a day, and none when everything is known", async () => {
    const { put, writes } = store();
    const report = reportOf(rowsOf(1, 40), { registers: [{ m: "energy.active.import.total", v: 1n, s: 0 }] });
    await put([report]);
    expect(writes()).toBe(1);
    const again = await put([report]);
    const reread = await put([{ ...report, registers: [], at: report.at + 60_000 }], LATER);
    expect(writes()).toBe(1);
    expect(again.facts).toMatchObject({ added: 0, corrected: 0, written: 0, unchanged: 1 });
    expect(reread.facts).toMatchObject({ added: 0, corrected: 0, written: 0, unchanged: 1 });
  });

  it("keep the first origin of a value that is read again", async () => {
    const { put, read } = store();
    await put([reportOf(rowsOf(1, 3))]);
    await put([reportOf(rowsOf(1, 5), { at: DAY + 50_000_000 })], LATER);
    expect((await read()).intervals[0]?.entries.map(({ batch }) => batch)).toEqual([BATCH, BATCH, LATER, LATER]);
  });

  it("are corrected by a newer reading, and what gives way is kept with its origin", async () => {
    const { put, read, blocks } = store();
    await put([
      reportOf([
        [end(1), 1, 1],
        [end(2), 2, 2],
      ]),
    ]);
    const { facts } = await put(
      [
        reportOf(
          [
            [end(2), 22, 2],
            [end(3), 3, 3],
          ],
          { at: DAY + 50_000_000 },
        ),
      ],
      LATER,
    );
    expect(facts.corrected).toBe(1);
    expect((await read()).intervals[0]?.entries.map(({ values, batch }) => [values[0], batch])).toEqual([
      [1n, BATCH],
      [22n, LATER],
      [3n, LATER],
    ]);
    const [kept] = await blocks.supersededOf(place, DAY);
    expect(kept).toMatchObject({ loser: BATCH, winner: LATER });
    const old = decodeDayBlock(DAY, kept?.octets ?? new Uint8Array());
    expect([...old.entries]).toEqual([
      [1, { values: [2n, 2n], status: 0, origin: { batch: BATCH, at: DAY + 40_000_000 } }],
    ]);
  });

  it("are not put back by an older batch that is delivered again after the correction", async () => {
    const { put, read } = store();
    const old = reportOf([[end(2), 2, 2]]);
    await put([old]);
    await put([reportOf([[end(2), 22, 2]], { at: DAY + 50_000_000 })], LATER);
    await put([old]);
    expect((await read()).intervals[0]?.entries.map(({ values }) => values[0])).toEqual([22n]);
  });

  it("never lose a value to a gap", async () => {
    const { put, read } = store();
    await put([reportOf([[end(1), 1, 1]])]);
    await put([reportOf([[end(1), null, null]], { at: DAY + 50_000_000 })], LATER);
    await put([reportOf([[end(1), null, 9]], { at: DAY + 60_000_000 })], "00000000000000b3");
    expect((await read()).intervals[0]?.entries[0]?.values).toEqual([1n, 9n]);
  });

  it("off the grid keep their true start and end; one that is listed twice is kept twice", async () => {
    const { put, read } = store();
    const odd = end(4) + 17_000;
    await put([
      reportOf([
        [end(4), 1, 1],
        [odd, 2, 2],
        [end(4), 3, 3],
      ]),
    ]);
    expect((await read()).intervals[0]?.entries.map((entry) => [entry.start, entry.end, entry.values[0]])).toEqual([
      [end(3), end(4), 1n],
      [end(3), end(4), 3n],
      [odd - PERIOD_MS, odd, 2n],
    ]);
  });

  it("of a meter whose channels changed lie beside the older ones", async () => {
    const { put, read } = store();
    await put([reportOf(rowsOf(1, 3))]);
    await put([reportOf(rowsOf(3, 5), { scaler: 3 })], LATER);
    await put([reportOf(rowsOf(5, 6), { scaler: 3 })], LATER);
    const { intervals } = await read();
    expect(
      intervals.map(({ channelSet, channels, entries }) => [channelSet, channels[0]?.scaler, entries.length]),
    ).toEqual([
      ["load", 0, 2],
      ["load", 3, 3],
    ]);
  });

  it("of registers alone have a block of their own; captured ones keep the instant of their capture", async () => {
    const { put, read } = store();
    const registers = [{ m: "demand.active.import.max" as const, v: 4200n, s: 0, at: DAY - 3 * DAY_MS }];
    const { intervals: _none, ...report } = reportOf([]);
    await put([{ ...report, registers }]);
    await put([{ ...report, registers, at: report.at + 5 }], LATER);
    expect((await read()).registers).toEqual([
      expect.objectContaining({ value: 4200n, at: DAY - 3 * DAY_MS, readAt: report.at, batch: BATCH }),
    ]);
  });

  it("of one malformed report are none, and its neighbours' are stored", async () => {
    const { put, read } = store();
    const good = reportOf(rowsOf(1, 3));
    const short = reportOf(rowsOf(1, 3), { slot: 8 });
    const [record] = short.intervals ?? [];
    if (record === undefined) throw new Error("a report of intervals has one");
    const bad = { ...short, intervals: [{ ...record, status: [0] }] };
    const answer = await put([bad, good]);
    expect(answer.bad).toEqual([{ slot: 8, problem: "expected 2 status values of load, got 1" }]);
    expect((await read()).intervals[0]?.entries.length).toBe(2);
  });

  it("are all there when writers meet in one block", async () => {
    const { put, read } = store();
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        put([reportOf(rowsOf(index * 10 + 1, index * 10 + 11))], `000000000000000${index}`),
      ),
    );
    expect((await read()).intervals[0]?.entries.length).toBe(80);
  });

  const piece = fc.record({
    from: fc.integer({ min: 1, max: 180 }),
    length: fc.integer({ min: 1, max: 40 }),
    at: fc.integer({ min: 0, max: DAY_MS }),
    bump: fc.constantFrom(0, 0, 0, 1000),
  });

  it("are the same whether batches come once, twice, or in another order (where no two values differ)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        async (pieces, chance) => {
          const batches = pieces.map(({ from, length, at }, index) => ({
            batch: `00000000000000c${index}`,
            report: reportOf(rowsOf(from, from + length), { at: DAY + at }),
          }));
          const valuesOf = async (order: readonly number[]) => {
            const { put, read } = store();
            for (const index of order) {
              const { batch, report } = batches[index] ?? { batch: BATCH, report: reportOf([]) };
              await put([report], batch);
            }
            return (await read(DAY, DAY + 4 * DAY_MS)).intervals.map(({ entries }) =>
              entries.map(({ end: at, values }) => [at, values]),
            );
          };
          const once = batches.map((_, index) => index);
          const shuffled = [...once, ...once].sort(() => ((chance.next().value ?? 0) % 2) * 2 - 1);
          expect(await valuesOf(shuffled)).toEqual(await valuesOf(once));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("end with the newest value of every interval, and no value vanishes, whatever differs and however it is repeated", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(piece, { minLength: 1, maxLength: 5, selector: ({ at }) => at }),
        fc.array(fc.nat({ max: 4 }), { maxLength: 8 }),
        async (pieces, repeats) => {
          const { put, read, blocks } = store();
          const batches = pieces.map(({ from, length, at, bump }, index) => ({
            batch: `00000000000000c${index}`,
            at,
            rows: rowsOf(from, from + length).map(
              ([stamp, value, other]) => [stamp, (value ?? 0) + bump + index * bump, other] as Row,
            ),
          }));
          // What is read again the same is not written, so that it is as old as when it was first read.
          const newest = new Map<number, { readonly value: number; readonly at: number }>();
          for (const index of [...pieces.keys(), ...repeats]) {
            const given = batches[index];
            if (given === undefined) continue;
            const { rows, at, batch } = given;
            await put([reportOf(rows, { at: DAY + at })], batch);
            for (const [stamp, value] of rows) {
              const there = newest.get(stamp);
              if (there === undefined || (there.value !== value && at > there.at))
                newest.set(stamp, { value: value ?? 0, at });
            }
          }
          const stored = (await read(DAY, DAY + 4 * DAY_MS)).intervals[0]?.entries ?? [];
          expect(new Map(stored.map(({ end: at, values }) => [at, Number(values[0])]))).toEqual(
            new Map([...newest].map(([stamp, { value }]) => [stamp, value])),
          );
          const kept = new Set(stored.map(({ end: at, values }) => `${at}=${values[0]}`));
          for (const day of [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS])
            for (const { octets } of await blocks.supersededOf(place, day))
              for (const [number, { values }] of decodeDayBlock(day, octets).entries)
                kept.add(`${day + (number + 1) * PERIOD_MS}=${values[0]}`);
          for (const { rows } of batches)
            for (const [stamp, value] of rows) expect(kept).toContain(`${stamp}=${value}`);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("dials over midnight", () => {
  const TODAY = 30 * 3_600_000;
  /** The last quarter-hours of a day and the first of the next; `fallen`: from midnight on another meter's dials. */
  const evening: Row[] = [94, 95, 96].map((number) => [end(number), 50_000 + number * 10, 8_000]);
  const morning = (fallen: boolean): Row[] =>
    [97, 98, 99].map((number) => [end(number), (fallen ? 0 : 50_000) + number * 2, fallen ? 0 : 8_000]);
  const flagsAt = async (read: ReturnType<typeof store>["read"], number: number) => {
    const { intervals } = await read(DAY, DAY + DAY_MS + TODAY);
    const entry = intervals[0]?.entries.find((one) => one.end === end(number));
    return entry === undefined ? undefined : qualityFlags(entry.quality);
  };
  const later = { at: DAY + DAY_MS + TODAY };

  it("that go on are nothing to say", async () => {
    const { put, read } = store();
    await put([
      reportOf([...evening, ...[97, 98].map((number): Row => [end(number), 50_000 + number * 10, 8_000])], later),
    ]);
    expect(await flagsAt(read, 97)).toEqual([]);
  });

  it.each([
    ["in one report", (put: ReturnType<typeof store>["put"]) => put([reportOf([...evening, ...morning(true)], later)])],
    [
      "in two reports",
      async (put: ReturnType<typeof store>["put"]) => {
        await put([reportOf(evening, later)]);
        await put([reportOf(morning(true), later)], LATER);
      },
    ],
    [
      "where the day before comes after",
      async (put: ReturnType<typeof store>["put"]) => {
        await put([reportOf(morning(true), later)]);
        await put([reportOf(evening, later)], LATER);
      },
    ],
  ])("that fell to nothing are another meter's, it may be: %s", async (_, bring) => {
    const { put, read } = store();
    await bring(put);
    expect(await flagsAt(read, 97)).toEqual(["notMonotone", "exchangeSuspected"]);
    expect(await flagsAt(read, 98)).toEqual([]);
    expect(await flagsAt(read, 96)).toEqual([]);
  });

  it("cost no write that a day alone would not", async () => {
    const { put, writes } = store();
    await put([reportOf(evening, later)]);
    await put([reportOf(morning(false), later)], LATER);
    expect(writes()).toBe(2);
    await put([reportOf(evening, later)]);
    expect(writes()).toBe(2);
  });
});

describe("registers that are read just after midnight", () => {
  it("are one write with the intervals of the day before", async () => {
    const { put, read, writes } = store();
    const at = DAY + DAY_MS + 420_000;
    await put([reportOf(rowsOf(1, 97), { at, registers: [{ m: "energy.active.import.total", v: 9_000n, s: 0 }] })]);
    expect(writes()).toBe(1);
    expect((await read(DAY + DAY_MS, DAY + 2 * DAY_MS)).registers).toMatchObject([{ at, value: 9_000n }]);
  });
});
