import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collected } from "../jobs/concurrency.ts";
import { handClock } from "../jobs/engine-fixture.ts";
import type { Job } from "../jobs/job.ts";
import { memoryLedger } from "../jobs/memory-ledger.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { MeterId, SEGMENT_SLOTS } from "../metering/meter.ts";
import { seeded } from "../ports/random.ts";
import { DAY_MS, dayOf } from "../readings/day-block.ts";
import { fleetColumnKeeper } from "../readings/keep-fleet-columns.ts";
import { memoryFleetColumns } from "../readings/memory-fleet-columns.ts";
import { memoryMissingRecords } from "../readings/memory-missing-records.ts";
import { changedBitmap, type MemberSet } from "../registry/member-sets.ts";
import { latencyAt, rateOf, WINDOW_NAMES, WINDOWS } from "./count-fleet.ts";
import { currentCounts, keepCounts } from "./fleet-history.ts";
import { memoryFleetHistory } from "./memory-fleet-history.ts";
import { lastRuns } from "./schedule-runs.ts";
import { countFleet, fleetFrom, placesWhere, placesWithGaps } from "./walk-fleet.ts";

const NOON = Date.UTC(2026, 10, 2, 12);
const MIDNIGHT = dayOf(NOON) + DAY_MS;

/** Meters by place, `segment/slot`; the sets are kept apart from everything that counts them. */
function fleet(active: readonly string[], maintenance: readonly string[] = []) {
  const sets: Readonly<Record<string, readonly string[]>> = { all: active, maintenance };
  const columns = memoryFleetColumns();
  const history = memoryFleetHistory();
  const keeper = fleetColumnKeeper({ columns, clock: handClock(), random: seeded(1) });
  const members = async function* ({ name }: MemberSet, from = 0) {
    const bySegment = Map.groupBy(sets[name] ?? [], (place) => Number(place.split("/")[0]));
    for (const [segment, places] of [...bySegment].sort(([left], [right]) => left - right))
      if (segment >= from)
        yield {
          segment,
          bitmap: changedBitmap(
            undefined,
            places.map((place) => Number(place.split("/")[1])),
          ),
        };
  };
  const job = { jobId: "j".repeat(26), createdAt: 0, operation: { kind: "readRegisters" } } as unknown as Job;
  return {
    ports: { segments: { members }, columns, history, missing: memoryMissingRecords() },
    report: (place: string, at: number, outcome: TaskReport["outcome"], latencyMs = 1_000) => {
      const [segment = 0, slot = 0] = place.split("/").map(Number);
      const report: TaskReport = { slot, meterId: MeterId.parse(`M-${segment}-${slot}`), attempt: 1, at, outcome };
      return keeper.keep({ segment, reference: "aa".repeat(8), job, sentAt: latencyMs, reports: [report] });
    },
  };
}
const failed = (reason: "timeout" | "busy" | "auth"): TaskReport["outcome"] => ({
  kind: "failed",
  reason,
  code: "x",
  retry: "later",
});
const DONE: TaskReport["outcome"] = { kind: "done" };
const text = ({ segment, slot }: { readonly segment: number; readonly slot: number }) => `${segment}/${slot}`;

describe("key figures of the fleet", () => {
  it("are those of an independent count, whatever happened, and the lists behind them have as many meters", async () => {
    const place = fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 4 }))
      .map(([segment, slot]) => `${segment * 7}/${slot * 255}`);
    const told = fc.record({
      place,
      /** Seconds before the count. */
      ago: fc.oneof(fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: 0, max: 700_000 })),
      outcome: fc.constantFrom(DONE, DONE, failed("timeout"), failed("busy"), failed("auth")),
    });
    const distinct = fc.uniqueArray(told, { selector: ({ place: at, ago }) => `${at}@${ago}`, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(place, { maxLength: 20 }),
        fc.uniqueArray(place, { maxLength: 4 }),
        distinct,
        async (active, maintenance, reports) => {
          const { ports, report } = fleet(active, maintenance);
          for (const { place: at, ago, outcome } of reports) await report(at, NOON - ago * 1000, outcome);
          const { counts, segments } = await countFleet(ports, NOON);

          const lastOf = (at: string, which = (_: TaskReport["outcome"]): boolean => true) =>
            reports
              .filter((one) => one.place === at && which(one.outcome))
              .reduce<(typeof reports)[number] | undefined>(
                (last, one) => (last === undefined || one.ago < last.ago ? one : last),
                undefined,
              );
          const reasonOf = (at: string): string => {
            const outcome = lastOf(at)?.outcome;
            return outcome?.kind === "failed" ? outcome.reason : "none";
          };
          const excluded = active.filter((at) => maintenance.includes(at) || reasonOf(at) === "busy");
          expect(segments).toBe(new Set(active.map((at) => at.split("/")[0])).size);
          expect(counts.active).toBe(active.length);
          expect(counts.excluded).toBe(excluded.length);
          for (const window of WINDOW_NAMES) {
            const heard = active.filter((at) => {
              const last = lastOf(at, ({ kind }) => kind === "done");
              return last !== undefined && last.ago * 1000 <= WINDOWS[window];
            });
            expect(counts.communicating[window]).toBe(heard.length);
            expect(counts.communicatingOfCounted[window]).toBe(heard.filter((at) => !excluded.includes(at)).length);
            const silent = await placesWhere(ports, (words) => !words.communicated(window), NOON, { limit: 100 });
            expect(silent.places.map(text).sort()).toEqual(active.filter((at) => !heard.includes(at)).sort());
          }
          for (const reason of ["timeout", "busy", "auth"])
            expect(counts.reasons[reason] ?? 0).toBe(active.filter((at) => reasonOf(at) === reason).length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("a meter in maintenance or found busy counts in the first rate and not in the second", async () => {
    const { ports, report } = fleet(["0/1", "0/2", "0/3", "0/4"], ["0/1"]);
    await report("0/1", NOON - 90_000_000, DONE);
    await report("0/2", NOON, failed("busy"));
    await report("0/3", NOON, DONE);
    await report("0/4", NOON, DONE);
    const { counts } = await countFleet(ports, NOON);
    expect(rateOf(counts.communicating.day, counts.active)).toBe(0.5);
    expect(rateOf(counts.communicatingOfCounted.day, counts.active - counts.excluded)).toBe(1);
    expect(rateOf(0, 0)).toBeNull();
  });

  it("latencies are told by the share of meters that they do not exceed", async () => {
    const { ports, report } = fleet(Array.from({ length: 100 }, (_, slot) => `0/${slot}`));
    for (let slot = 0; slot < 100; slot++) await report(`0/${slot}`, NOON, DONE, slot < 90 ? 2_000 : 60_000);
    const { counts } = await countFleet(ports, NOON);
    expect(latencyAt(counts.latencies, 0.9)).toBeLessThan(2_100);
    expect(latencyAt(counts.latencies, 0.91)).toBeGreaterThan(57_000);
    expect(latencyAt({}, 0.5)).toBeUndefined();
  });

  it("lists come page by page, each meter once", async () => {
    const active = Array.from({ length: 25 }, (_, at) => `${at % 3}/${at * 40}`);
    const { ports } = fleet(active);
    const found: string[] = [];
    let from: { segment: number; slot: number } | undefined;
    do {
      const page = await placesWhere(ports, (words) => !words.communicated("week"), NOON, { from, limit: 4 });
      found.push(...page.places.map(text));
      from = page.next;
    } while (from !== undefined);
    expect(found.toSorted()).toEqual(active.toSorted());
    expect(new Set(found).size).toBe(active.length);
  });

  it("of a day, the meters with gaps are those of which something is recorded missing, while they are active", async () => {
    const { ports } = fleet(["2/4", "2/9"]);
    const entry = (slot: number) => ({
      slot,
      set: "load",
      period: 900,
      reason: "timeout" as const,
      bits: Uint8Array.of(1),
    });
    const day = dayOf(NOON);
    await ports.missing.write({ segment: 2, day, entries: [entry(9), entry(5)] }, 0);
    expect(await placesWithGaps(ports, day, { limit: 10 })).toEqual({ places: [{ segment: 2, slot: 9 }] });
  });

  it("segments without facts have meters all the same", async () => {
    const { ports } = fleet(Array.from({ length: 230 }, (_, segment) => `${segment}/${SEGMENT_SLOTS - 1}`));
    expect((await collected(fleetFrom(ports))).map(({ segment }) => segment)).toEqual(
      Array.from({ length: 230 }, (_, segment) => segment),
    );
    expect((await countFleet(ports, NOON)).counts).toMatchObject({ active: 230, communicating: { week: 0 } });
  });
});

describe("the history of the fleet", () => {
  it("keeps of each day the first count after its end, once", async () => {
    const { ports, report } = fleet(["0/1", "0/2"]);
    await report("0/1", MIDNIGHT - 60_000, DONE);
    expect(await keepCounts(ports, MIDNIGHT - 120_000)).toBe("counted");
    expect(await keepCounts(ports, MIDNIGHT - 60_000)).toBe("fresh");
    expect(await keepCounts(ports, MIDNIGHT + 30_000)).toBe("counted");
    await report("0/2", MIDNIGHT + 40_000, DONE);
    expect(await keepCounts(ports, MIDNIGHT + 90_000)).toBe("fresh");
    expect(await keepCounts(ports, MIDNIGHT + 600_000)).toBe("counted");
    expect(await ports.history.days(0, NOON + 9 * DAY_MS)).toMatchObject([
      { day: dayOf(NOON), asOf: MIDNIGHT + 30_000, counts: { communicating: { day: 1 } } },
    ]);
  });

  it("says nothing of a day that was over for long before anybody counted", async () => {
    const { ports } = fleet(["0/1"]);
    await keepCounts(ports, NOON);
    await keepCounts(ports, MIDNIGHT + 2 * 3_600_000);
    expect(await ports.history.days(0, MIDNIGHT)).toEqual([]);
  });

  it("large fleets are shown as they were counted last, small ones as they are", async () => {
    const small = fleet(["0/1"]);
    await keepCounts(small.ports, NOON);
    expect((await currentCounts(small.ports, NOON + 9)).asOf).toBe(NOON + 9);
    const large = fleet(Array.from({ length: 65 }, (_, segment) => `${segment}/0`));
    await keepCounts(large.ports, NOON);
    expect((await currentCounts(large.ports, NOON + 9)).asOf).toBe(NOON);
  });
});

it("the last run of a schedule is the newest job that it made", async () => {
  const ledger = memoryLedger();
  const job = (number: number, scheduleId?: string) =>
    ledger.createJob({
      jobId: `${number}`.padStart(26, "0"),
      operation: { kind: "readRegisters" },
      createdAt: NOON + number,
      caller: { id: "anna", roles: [] },
      ...(scheduleId === undefined ? {} : { schedule: { scheduleId, runAt: NOON } }),
    } as unknown as Job);
  for (const [number, of] of [
    [1, "b"],
    [2, "a"],
    [3, "a"],
    [4, undefined],
    [-5, "old"],
  ] as const)
    await job(number, of);
  const runs = await lastRuns(ledger, NOON);
  expect(runs.map(({ schedule, createdAt }) => [schedule.scheduleId, createdAt - NOON])).toEqual([
    ["a", 3],
    ["b", 1],
  ]);
});
