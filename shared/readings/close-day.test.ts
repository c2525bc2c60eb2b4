import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Job } from "../jobs/job.ts";
import type { TaskReport } from "../jobs/messages.ts";
import type { Slice } from "../jobs/slice.ts";
import { noSlots, type SlotState, setSlot } from "../jobs/slots.ts";
import type { ChannelPlan } from "../metering/channel-plan.ts";
import type { FailureReason } from "../metering/failure.ts";
import { MeterId } from "../metering/meter.ts";
import { changedBitmap } from "../registry/member-sets.ts";
import { type ClosedSegment, closeSegmentDay } from "./close-day.ts";
import { countRun } from "./count-runs.ts";
import { DAY_MS } from "./day-block.ts";
import { memoryDayBlocks } from "./memory-day-blocks.ts";
import { memoryMissingRecords } from "./memory-missing-records.ts";
import type { DayCounts } from "./missing-records.ts";
import { notHeldKeeper } from "./not-held.ts";
import { storeReadings } from "./store-readings.ts";

const DAY = Date.UTC(2026, 10, 2);
const PERIOD = 900;
const QUARTER_MS = PERIOD * 1000;
const SEGMENT = 5;
const DEADLINE = DAY + DAY_MS + 6 * 3_600_000;
const LATER = DAY + 2 * DAY_MS;
const PLAN: ChannelPlan = [{ from: DAY - 10 * DAY_MS, sets: [{ set: "load", period: PERIOD }] }];

interface Task {
  readonly slot: number;
  readonly state: Exclude<SlotState, "untargeted">;
  readonly reason?: FailureReason;
  /** Which intervals of the job's range the meter brought. */
  readonly brought?: readonly number[];
  readonly refusedSet?: boolean;
}

/** A segment whose ingest, ledger and plans are the real ones, in memory. */
function segment(plans: ReadonlyMap<number, ChannelPlan>) {
  const blocks = memoryDayBlocks();
  const records = memoryMissingRecords();
  const jobs: Job[] = [];
  const slices = new Map<string, Slice>();
  const keeper = notHeldKeeper(records);
  const ports = {
    plans: { plansOf: async () => plans },
    blocks,
    records,
    ledger: {
      async *slicesOf(jobId: Job["jobId"]) {
        const slice = slices.get(jobId);
        if (slice !== undefined) yield slice;
      },
    },
  };
  return {
    blocks,
    /** The intervals that the newest job was to bring. */
    countNewest: async (now: number) => (await countRun(ports, jobs[0] as Job, now, () => true)).counts,
    /** One job over intervals [from, to) of the day, with how its tasks ended; `loses`: slots whose readings get lost. */
    async job(
      from: number,
      to: number,
      at: number,
      tasks: readonly Task[],
      loses: readonly number[] = [],
      schedule?: NonNullable<Job["schedule"]>,
    ) {
      const jobId = `job${jobs.length}`.padEnd(26, "0") as Job["jobId"];
      const range = { from: DAY + from * QUARTER_MS, to: DAY + to * QUARTER_MS };
      const job = { jobId, operation: { kind: "readIntervals", range }, schedule } as unknown as Job;
      jobs.unshift(job);
      const slots = noSlots();
      const reports: TaskReport[] = [];
      for (const { slot, state, reason, brought = [], refusedSet } of tasks) {
        setSlot(slots, slot, state, reason);
        const ends = brought.map((number) => DAY + (number + 1) * QUARTER_MS);
        reports.push({
          slot,
          meterId: MeterId.parse(`M-${slot}`),
          attempt: 1,
          at,
          outcome:
            state === "done" ? { kind: "done" } : { kind: "failed", reason: "timeout", code: "x", retry: "never" },
          ...(refusedSet === true
            ? { refusals: [{ item: "load", code: "dlms.object-undefined" }] }
            : {
                intervals: [
                  {
                    set: "load",
                    period: PERIOD,
                    channels: [{ m: "energy.active.import.total", s: 0 }],
                    ends,
                    values: [ends.map((end) => BigInt(end / 1000))],
                    status: ends.map(() => 0),
                  },
                ],
              }),
        });
      }
      slices.set(jobId, { jobId, segment: SEGMENT, part: 0, slots } as unknown as Slice);
      const reference = jobs.length.toString(16).padStart(16, "0");
      await storeReadings(
        { blocks },
        SEGMENT,
        reference,
        reports.filter(({ slot }) => !loses.includes(slot)),
      );
      await keeper.keep({ segment: SEGMENT, reference, job, sentAt: LATER, reports });
      await keeper.keep({ segment: SEGMENT, reference, job, sentAt: LATER, reports }); // redelivered
    },
    close: (now = LATER, maintenance?: Uint8Array): Promise<ClosedSegment> =>
      closeSegmentDay({ ...ports, maintenance: async () => maintenance }, SEGMENT, DAY, jobs, DEADLINE, now),
  };
}

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);
const one = () => segment(new Map([[7, PLAN]]));
const SOON = DAY + DAY_MS + QUARTER_MS;

describe("the closing pass", () => {
  it("finds a day complete that was read whole", async () => {
    const world = one();
    await world.job(0, 96, SOON, [{ slot: 7, state: "done", brought: upTo(96) }]);
    expect(await world.close()).toMatchObject({
      counts: { meters: 1, complete: 1, expected: 96, present: 96, late: 0, missing: 0, unaccounted: 0 },
      toRead: [],
    });
  });

  it("says late of what was read after the deadline", async () => {
    const world = one();
    await world.job(0, 96, DEADLINE + 1, [{ slot: 7, state: "done", brought: upTo(96) }]);
    expect((await world.close()).counts).toMatchObject({ present: 96, late: 96, complete: 1, inTime: 0 });
  });

  it("counts who was read in time, with and without those in maintenance or held by somebody else", async () => {
    const world = segment(new Map([7, 8, 9].map((slot) => [slot, PLAN])));
    await world.job(0, 96, SOON, [
      { slot: 7, state: "done", brought: upTo(96) },
      { slot: 8, state: "failed", reason: "busy" },
      { slot: 9, state: "done", brought: upTo(96) },
    ]);
    expect((await world.close()).counts).toMatchObject({ meters: 3, inTime: 2, excluded: 1, inTimeOfCounted: 2 });
    const maintenance = changedBitmap(undefined, [9]);
    expect((await world.close(LATER, maintenance)).counts).toMatchObject({
      inTime: 2,
      excluded: 2,
      inTimeOfCounted: 1,
    });
  });

  it("takes the meter's word for what it does not hold, and does not ask again", async () => {
    const world = one();
    await world.job(0, 96, SOON, [{ slot: 7, state: "done", brought: upTo(90) }]);
    expect(await world.close()).toMatchObject({ counts: { missing: 6, reasons: { "not-held": 6 } }, toRead: [] });
    expect((await world.close()).counts.missing).toBe(6);
  });

  it("asks again for what was asked for before the meter had it", async () => {
    const world = one();
    await world.job(0, 96, DAY + 50 * QUARTER_MS, [{ slot: 7, state: "done", brought: upTo(49) }]);
    const { counts, toRead } = await world.close();
    expect(counts.reasons).toEqual({ "not-yet": 47 });
    expect(toRead).toEqual([7]);
  });

  it("gives the reason of the newest task that failed, and says of the rest that nobody asked", async () => {
    const world = one();
    await world.job(0, 40, SOON, [{ slot: 7, state: "failed", reason: "unreachable" }]);
    await world.job(20, 60, SOON, [{ slot: 7, state: "expired", reason: "timeout" }]);
    const { counts, toRead } = await world.close();
    expect(counts.reasons).toEqual({ unreachable: 20, timeout: 40, "not-asked": 36 });
    expect(toRead).toEqual([7]);
  });

  it("waits for a task that is still open", async () => {
    const world = one();
    await world.job(0, 96, SOON, [{ slot: 7, state: "open" }]);
    expect((await world.close()).counts).toMatchObject({ pending: 96, missing: 0, unaccounted: 0 });
  });

  it("sees that readings of a task that ended done were lost", async () => {
    const world = segment(
      new Map([
        [7, PLAN],
        [8, PLAN],
      ]),
    );
    const tasks = [7, 8].map((slot) => ({ slot, state: "done", brought: upTo(96) }) as const);
    await world.job(0, 96, SOON, tasks, [8]);
    expect(await world.close()).toMatchObject({
      counts: { present: 96, unaccounted: 96 },
      differing: [8],
      toRead: [8],
    });
  });

  it("takes a refused channel set as the reason for all of it", async () => {
    const world = one();
    await world.job(0, 96, SOON, [{ slot: 7, state: "done", refusedSet: true }]);
    expect(await world.close()).toMatchObject({ counts: { reasons: { refused: 96 }, unaccounted: 0 }, toRead: [] });
    expect(await world.close()).toMatchObject({ counts: { reasons: { refused: 96 }, unaccounted: 0 }, toRead: [] });
  });

  it("expects nothing before a meter's plan, and what each part of it says", async () => {
    const noon = DAY + 48 * QUARTER_MS;
    const plan: ChannelPlan = [
      { from: DAY + 60_000, sets: [{ set: "load", period: PERIOD }] },
      { from: noon, sets: [{ set: "load", period: 3600 }] },
    ];
    const { counts } = await segment(new Map([[7, plan]])).close();
    expect(counts.expected).toBe(47 + 12);
  });

  it("counts nothing that is not due yet", async () => {
    const { counts } = await one().close(DAY + 10 * QUARTER_MS + 5);
    expect(counts).toMatchObject({ expected: 10, reasons: { "not-asked": 10 } });
  });

  it("stops asking when the meter's memory no longer holds the day", async () => {
    const plan: ChannelPlan = [{ from: 0, sets: [{ set: "load", period: PERIOD, depth: 960 }] }];
    const world = segment(new Map([[7, plan]]));
    expect((await world.close(DAY + 10 * DAY_MS)).toRead).toEqual([7]);
    expect((await world.close(DAY + 11 * DAY_MS)).toRead).toEqual([]);
  });

  it("accounts for every interval, whatever happened, and tells exactly the lost ones apart", async () => {
    const task = fc.record({
      slot: fc.integer({ min: 0, max: 5 }),
      state: fc.constantFrom("open", "done", "failed", "expired", "cancelled"),
      reason: fc.constantFrom("timeout", "unreachable", "auth"),
      brought: fc.uniqueArray(fc.integer({ min: 0, max: 95 }), { maxLength: 96 }),
      lost: fc.boolean(),
    });
    const job = fc.record({
      range: fc.tuple(fc.integer({ min: 0, max: 95 }), fc.integer({ min: 1, max: 96 })),
      tasks: fc.uniqueArray(task, { selector: ({ slot }) => slot, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(job, { maxLength: 4 }), async (given) => {
        const world = segment(new Map(upTo(6).map((slot) => [slot, PLAN])));
        const present = new Set<string>();
        const lost = new Set<string>();
        const denied = new Set<string>();
        const covered = new Set<string>();
        let asked = 0;
        for (const { range, tasks } of given) {
          const [from, to] = [Math.min(...range), Math.max(...range)];
          if (from === to) continue;
          const within = (number: number) => number >= from && number < to;
          const ended = tasks.map((one) => ({
            ...one,
            brought: one.state === "done" ? one.brought.filter(within) : [],
          }));
          const loses = ended.filter((one) => one.lost && one.state === "done").map(({ slot }) => slot);
          // Half of the jobs are runs of one schedule.
          const run = asked % 2 === 0 ? { scheduleId: "s", runAt: DAY + asked } : undefined;
          await world.job(from, to, LATER - DAY_MS / 2, ended, loses, run);
          asked++;
          if (run !== undefined)
            for (const { slot } of ended) for (const number of upTo(to - from, from)) covered.add(`${slot}/${number}`);
          for (const { slot, state, brought } of ended)
            for (const number of upTo(to - from, from)) {
              const name = `${slot}/${number}`;
              if (state !== "done") continue;
              if (!brought.includes(number)) denied.add(name);
              else (loses.includes(slot) ? lost : present).add(name);
            }
        }
        const { counts, schedules } = await world.close();
        const ofRuns = schedules.get("s");
        expect(ofRuns?.expected ?? 0).toBe(covered.size);
        expect((ofRuns?.inTime ?? 0) + (ofRuns?.late ?? 0)).toBe(
          [...covered].filter((name) => present.has(name)).length,
        );
        if (ofRuns !== undefined)
          expect(ofRuns.inTime + ofRuns.late + ofRuns.missing + ofRuns.pending + ofRuns.unaccounted).toBe(covered.size);
        expect(counts.expected).toBe(6 * 96);
        expect(counts.present).toBe(present.size);
        expect(sumOfAll(counts)).toBe(counts.expected);
        // What one task lost and another brought is there; what the meter later denied has that reason.
        const missed = [...lost].filter((name) => !present.has(name) && !denied.has(name));
        expect(counts.unaccounted).toBe(missed.length);
      }),
      { numRuns: 60 },
    );
  });
});

const sumOfAll = ({ present, missing, unaccounted, pending }: DayCounts): number =>
  present + missing + unaccounted + pending;

describe("what the runs of a schedule were to bring", () => {
  const within = (seconds: number) => ({ share: 0.9, withinSeconds: seconds });
  const HOUR_MS = 3_600_000;

  it("is counted by intervals of the meters that they asked, each once, late by the first run that asked for it", async () => {
    const world = segment(new Map([7, 8, 9].map((slot) => [slot, PLAN])));
    const first = { scheduleId: "daily", runAt: DAY + 12 * HOUR_MS, sla: within(3600) };
    // Of the first half: one in time, one that fails and comes with the run after it, and so too late.
    await world.job(
      0,
      48,
      first.runAt + HOUR_MS,
      [
        { slot: 7, state: "done", brought: upTo(48) },
        { slot: 8, state: "failed", reason: "timeout" },
      ],
      [],
      first,
    );
    const second = { ...first, runAt: DAY + 24 * HOUR_MS };
    await world.job(
      0,
      96,
      second.runAt + QUARTER_MS,
      [
        { slot: 7, state: "failed", reason: "unreachable" },
        { slot: 8, state: "done", brought: upTo(90) },
      ],
      [],
      second,
    );
    const { schedules, counts } = await world.close();
    expect(counts.expected).toBe(3 * 96); // of the third meter nobody asked
    expect(schedules.get("daily")).toEqual({
      expected: 192,
      inTime: 48 + 42,
      late: 48,
      missing: 48 + 6,
      pending: 0,
      unaccounted: 0,
      reasons: { unreachable: 48, "not-held": 6 },
    });
    expect(await world.countNewest(LATER)).toMatchObject({ expected: 192, inTime: 48 + 90, missing: 54 });
  });

  it("counts what somebody else brought, and waits for tasks that are open", async () => {
    const world = one();
    await world.job(0, 40, SOON, [{ slot: 7, state: "done", brought: upTo(40) }]);
    await world.job(0, 96, SOON, [{ slot: 7, state: "open" }], [], { scheduleId: "daily", runAt: SOON });
    expect(await world.countNewest(LATER)).toMatchObject({ expected: 96, inTime: 40, missing: 0, pending: 56 });
  });

  it("asks for nothing beyond the plan of a meter that was taken away", async () => {
    const plan: ChannelPlan = [...PLAN, { from: DAY + 48 * QUARTER_MS, sets: [] }];
    const world = segment(new Map([[7, plan]]));
    const run = { scheduleId: "daily", runAt: SOON };
    await world.job(0, 96, SOON, [{ slot: 7, state: "failed", reason: "retired" }], [], run);
    expect((await world.close()).schedules.get("daily")).toMatchObject({ expected: 48, missing: 48 });
  });
});
