import { describe, expect, it } from "vitest";
import type { JobRequest } from "../jobs/submit-job.ts";
import { type CloseDaysPorts, closeDays, DEADLINE_MS } from "./close-days.ts";
import { DAY_MS } from "./day-block.ts";
import { memoryDayBlocks } from "./memory-day-blocks.ts";
import { memoryDaySummaries } from "./memory-day-summaries.ts";
import { memoryMissingRecords } from "./memory-missing-records.ts";
import { storeReadings } from "./store-readings.ts";

const DAY = Date.UTC(2026, 10, 2);
const HOUR_MS = 3_600_000;
const SEGMENTS = 100;
const DUE = DAY + DAY_MS + DEADLINE_MS;

/** A fleet of a meter a segment with hourly intervals, nobody of whom was ever asked. */
function fleet() {
  const asked: JobRequest[] = [];
  const blocks = memoryDayBlocks();
  const summaries = memoryDaySummaries();
  const ports: CloseDaysPorts = {
    plans: { plansOf: async () => new Map([[3, [{ from: 0, sets: [{ set: "load", period: 3600, depth: 240 }] }]]]) },
    blocks,
    records: memoryMissingRecords(),
    ledger: { async *slicesOf() {} },
    summaries,
    async *segments(from) {
      for (let segment = from; segment < SEGMENTS; segment++) yield { segment, bitmap: new Uint8Array(128) };
    },
    jobsAbout: async () => [],
    submit: async (_, request) => {
      asked.push(request);
      return { kind: "accepted", jobId: "j".repeat(26) as never, state: "planning" };
    },
    clock: { now: () => 5 },
  };
  const fill = async (segment: number): Promise<void> => {
    const ends = Array.from({ length: 24 }, (_, hour) => DAY + (hour + 1) * HOUR_MS);
    await storeReadings({ blocks }, segment, "0".repeat(16), [
      {
        slot: 3,
        at: DAY + DAY_MS,
        intervals: [
          {
            set: "load",
            period: 3600,
            channels: [{ m: "volume.water", s: 0 }],
            ends,
            values: [ends.map(() => 1n)],
            status: ends.map(() => 0),
          },
        ],
      },
    ]);
  };
  return { ports, asked, fill, summary: async () => (await summaries.list(DAY, DAY))[0] };
}
const always = () => true;

describe("closing passes over days", () => {
  it("begin six hours after the day, and have read again what is missing", async () => {
    const { ports, asked, summary } = fleet();
    expect((await closeDays(ports, DUE - 1, always)).closed.map(({ day }) => day)).toEqual([DAY - DAY_MS]);
    asked.length = 0;
    const { closed } = await closeDays(ports, DUE, always);
    expect(closed).toMatchObject([
      { day: DAY, toRead: SEGMENTS, counts: { meters: SEGMENTS, missing: SEGMENTS * 24 } },
    ]);
    expect(asked).toMatchObject([
      {
        operation: { kind: "readIntervals", range: { from: DAY, to: DAY + DAY_MS } },
        target: { kind: "missing", day: "2026-11-02" },
        lane: "urgent",
      },
    ]);
    expect((await closeDays(ports, DUE + 1, always)).closed).toEqual([]);
    expect((await summary())?.nextAt).toBe(DUE + 6 * HOUR_MS);
  });

  it("end when nothing is left to be read", async () => {
    const { ports, asked, fill, summary } = fleet();
    await closeDays(ports, DUE, always);
    for (let segment = 0; segment < SEGMENTS; segment++) await fill(segment);
    asked.length = 0;
    const later = DUE + 6 * HOUR_MS;
    const { closed } = await closeDays(ports, later, always);
    expect(closed.find(({ day }) => day === DAY)).toMatchObject({
      toRead: 0,
      counts: { complete: SEGMENTS, missing: 0 },
    });
    expect(await summary()).toMatchObject({ passes: 2, nextAt: undefined });
  });

  it("end when the meters' memory no longer holds the day", async () => {
    const { ports, summary } = fleet();
    let now = DUE;
    for (let passes = 0; passes < 60; passes++) {
      await closeDays(ports, now, always);
      now += DAY_MS / 2;
    }
    const end = await summary();
    expect(end?.nextAt).toBeUndefined();
    expect(end?.counted?.counts).toMatchObject({ missing: SEGMENTS * 24, reasons: { "not-asked": SEGMENTS * 24 } });
    expect(end?.counted?.at).toBeGreaterThanOrEqual(DAY + 11 * DAY_MS);
  });

  it("go on where they were interrupted, and count each segment once", async () => {
    const { ports, asked } = fleet();
    let unfinished = true;
    let rounds = 0;
    const closed = [];
    for (; unfinished && rounds < 20; rounds++) {
      const end = await closeDays(ports, DUE + rounds, () => false);
      unfinished = end.unfinished;
      closed.push(...end.closed);
    }
    expect(rounds).toBe(4);
    expect(closed).toMatchObject([{ day: DAY, counts: { meters: SEGMENTS } }]);
    expect(asked).toHaveLength(1);
  });

  it("done twice at once end once", async () => {
    const { ports, asked, summary } = fleet();
    const ends = await Promise.all([closeDays(ports, DUE, always), closeDays(ports, DUE, always)]);
    expect(ends.flatMap(({ closed }) => closed)).toHaveLength(1);
    expect(new Set(asked.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(await summary()).toMatchObject({ passes: 1 });
  });
});
