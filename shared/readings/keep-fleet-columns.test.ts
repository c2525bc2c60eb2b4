import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handClock, T0 } from "../jobs/engine-fixture.ts";
import type { Job } from "../jobs/job.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { MeterId } from "../metering/meter.ts";
import type { Operation } from "../metering/operation.ts";
import { seeded } from "../ports/random.ts";
import { DAY_MS, dayOf } from "./day-block.ts";
import { type FleetColumnStore, factsOf, noColumns } from "./fleet-columns.ts";
import { fleetColumnKeeper } from "./keep-fleet-columns.ts";
import { memoryFleetColumns } from "./memory-fleet-columns.ts";

const SEGMENT = 3;
const TODAY = dayOf(T0);
const report = (change: Partial<TaskReport> = {}): TaskReport => ({
  slot: 5,
  meterId: MeterId.parse("M-5"),
  attempt: 1,
  at: T0,
  outcome: { kind: "done" },
  ...change,
});
const failed = (reason: "timeout" | "auth" | "meter-silent"): TaskReport["outcome"] => ({
  kind: "failed",
  reason,
  code: "link.timeout",
  retry: "later",
});
const jobOf = (operation: Operation, change: Partial<Job> = {}): Job =>
  ({ jobId: "j".repeat(26), createdAt: T0 - 9_000, operation, ...change }) as unknown as Job;
const REGISTERS = jobOf({ kind: "readRegisters" });

function world(store: FleetColumnStore = memoryFleetColumns()) {
  const keeper = fleetColumnKeeper({ columns: store, clock: handClock(), random: seeded(1) });
  return {
    store,
    keep: (reports: readonly TaskReport[], job: Job | "none" = REGISTERS) =>
      keeper.keep({
        segment: SEGMENT,
        reference: "aa".repeat(8),
        job: job === "none" ? undefined : job,
        sentAt: T0 + 1_000,
        reports,
      }),
    facts: async (slot = 5) => factsOf((await store.read(SEGMENT))?.columns ?? noColumns(), slot),
  };
}

describe("what reports tell of a meter's fast facts", () => {
  it("a read that is done: the meter answered, has power, and how long it took from when the job might begin", async () => {
    const { keep, facts } = world();
    await keep([report()], jobOf({ kind: "readRegisters" }, { notBefore: T0 - 4_000 }));
    const { latencyMs, ...others } = await facts();
    expect(others).toEqual({
      triedAt: T0,
      reason: "none",
      contactAt: T0,
      power: "on",
      powerAt: T0,
      powerBy: "answer",
      missing: 0,
    });
    expect(Math.abs((latencyMs ?? 0) - 5_000)).toBeLessThan(200);
  });

  it("one that failed: only why, unless a part of it was brought", async () => {
    const { keep, facts } = world();
    await keep([report({ outcome: failed("timeout") })]);
    expect(await facts()).toEqual({ triedAt: T0, reason: "timeout", power: "unknown", missing: 0 });
    await keep([
      report({ slot: 6, outcome: failed("timeout"), registers: [{ m: "energy.active.import.total", v: 1n, s: 0 }] }),
    ]);
    expect(await facts(6)).toMatchObject({ reason: "timeout", contactAt: T0 });
  });

  it("a ping counts where the meter itself answered, not where its network card did", async () => {
    const { keep, facts } = world();
    const ping = jobOf({ kind: "ping", depth: "meter" });
    await keep([report({ evidence: ["tcp-accept", "module-answer"] })], ping);
    expect((await facts()).contactAt).toBeUndefined();
    await keep([report({ slot: 6, evidence: ["tcp-accept", "meter-answer"] })], ping);
    expect((await facts(6)).contactAt).toBe(T0);
    const dead = { outcome: failed("meter-silent"), evidence: ["tcp-accept", "module-answer"] } as const;
    await keep([report({ slot: 7, ...dead, evidence: [...dead.evidence] })], ping);
    expect(await facts(7)).toMatchObject({ triedAt: T0, reason: "meter-silent", power: "unknown" });
    expect((await facts(7)).contactAt).toBeUndefined();
  });

  it("where the switch stands, until it is read anew", async () => {
    const { keep, facts } = world();
    const look = jobOf({ kind: "readSwitch" });
    await keep([report({ switch: { position: "open", contactClosed: false } })], look);
    await keep([report({ at: T0 + 60_000 })]);
    expect(await facts()).toMatchObject({
      contactAt: T0 + 60_000,
      switch: { position: "open", contactClosed: false, at: T0 },
    });
    await keep([report({ at: T0 + 90_000, switch: { position: "closed" } })], look);
    expect((await facts()).switch).toEqual({ position: "closed", at: T0 + 90_000 });
  });

  it("how many intervals of today the meter does not hold", async () => {
    const { keep, facts } = world();
    const ends = [1, 2, 4, 5].map((hour) => TODAY + hour * 3_600_000);
    const load = {
      set: "load",
      period: 3600,
      channels: [{ m: "volume.water" as const, s: 0 }],
      ends,
      values: [ends.map(() => 1n)],
      status: ends.map(() => 0),
    };
    const range = { from: TODAY - DAY_MS, to: T0 };
    await keep([report({ at: TODAY + 8.5 * 3_600_000, intervals: [load] })], jobOf({ kind: "readIntervals", range }));
    // Of the intervals that end by 7:30, when the last whole one is sure, the third, sixth and seventh.
    expect(await facts()).toMatchObject({ missing: 3, intervalsAt: TODAY + 8.5 * 3_600_000 });
  });

  it("what a meter says by itself is no try; its last gasp says that it has no power, until it answers again", async () => {
    const { keep, facts } = world();
    const gasp = { at: T0, e: "power.last-gasp", log: "alarm", code: "1" } as const;
    await keep([report({ outcome: failed("timeout") })]);
    await keep([report({ at: T0 + 5_000, events: [gasp] })], "none");
    const off = { power: "off", powerAt: T0, powerBy: "last-gasp" };
    expect(await facts()).toEqual({ triedAt: T0, reason: "timeout", contactAt: T0 + 5_000, ...off, missing: 0 });
    // Data that it sent before, on their way until now.
    await keep([report({ at: T0 + 6_000, saidAt: T0 - 2_000 })], "none");
    expect(await facts()).toMatchObject({ contactAt: T0 + 6_000, ...off });
    await keep([report({ at: T0 + 9_000, events: [gasp] })], jobOf({ kind: "readEvents", range: { from: 0, to: T0 } }));
    expect((await facts()).power).toBe("on");
  });

  it("what was sent by somebody else in its name is no answer", async () => {
    const { keep, facts } = world();
    const gasp = { at: T0, e: "security.push-replayed", log: "headend", code: "1" } as const;
    await keep([report({ outcome: failed("auth"), events: [gasp] })], "none");
    expect((await facts()).contactAt).toBeUndefined();
  });

  it("pushes are noted forty minutes late at most, of each quarter of an hour every third, a change of the supply at once", async () => {
    const { keep, facts, store } = world();
    const versions: (number | undefined)[] = [];
    for (let minute = 0; minute <= 90; minute += 15) {
      await keep([report({ at: T0 + minute * 60_000 })], "none");
      versions.push((await store.read(SEGMENT))?.version);
    }
    expect(versions).toEqual([1, 1, 1, 2, 2, 2, 3]);
    const at = T0 + 91 * 60_000;
    await keep([report({ at, events: [{ at, e: "power.last-gasp", log: "alarm", code: "1" }] })], "none");
    expect(await facts()).toMatchObject({ contactAt: at, power: "off" });
  });

  it("of a push that is news but no urgent ones wait, and are written along with the next that is", async () => {
    const { keep, facts, store } = world();
    await keep([report({ at: T0 }), report({ slot: 6, at: T0 + 1_000 })], "none");
    await keep([report({ at: T0 + 30 * 60_000 })], "none");
    expect((await facts()).contactAt).toBe(T0);
    await keep([report({ slot: 6, at: T0 + 45 * 60_000 })], "none");
    expect((await facts()).contactAt).toBe(T0 + 30 * 60_000);
    expect((await store.read(SEGMENT))?.version).toBe(2);
  });

  it("an order that was superseded says nothing of the meter", async () => {
    const { keep, store } = world();
    await keep([report({ outcome: { kind: "cancelled", reason: "superseded", code: "order.superseded" } })]);
    expect((await store.read(SEGMENT))?.columns.tried[5] ?? 0).toBe(0);
  });
});

describe("fleet columns under redelivery, crashes and other writers", () => {
  it("a batch that brings nothing new is not written", async () => {
    const { store, keep } = world();
    await keep([report(), report({ slot: 6 })]);
    await keep([report(), report({ slot: 6 })]);
    expect((await store.read(SEGMENT))?.version).toBe(1);
  });

  it("writers at once lose no fact", async () => {
    const { store, keep } = world();
    await Promise.all(
      Array.from({ length: 20 }, (_, batch) =>
        keep(Array.from({ length: 5 }, (_, at) => report({ slot: batch * 5 + at, at: T0 + batch * 1000 }))),
      ),
    );
    const columns = (await store.read(SEGMENT))?.columns;
    expect([...(columns?.contact ?? [])].filter((at) => at > 0).length).toBe(100);
  });

  it("end the same wherever writing breaks off and in whichever order batches come again", async () => {
    const outcome = fc.constantFrom<TaskReport["outcome"]>({ kind: "done" }, failed("timeout"), failed("auth"));
    const batch = fc.array(
      fc.record({ slot: fc.integer({ min: 0, max: 4 }), at: fc.integer({ min: T0, max: T0 + 6_000 }), outcome }),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), fc.integer(), async (batches, seed) => {
        const calm = world();
        for (const reports of batches) await calm.keep(reports.map(report));
        const random = seeded(seed);
        const store = memoryFleetColumns();
        const rough = world({
          ...store,
          async write(...given) {
            const lot = random.uint32() % 4;
            if (lot === 0) throw new Error("broke off before the write");
            const end = await store.write(...given);
            if (lot === 1) throw new Error("broke off after the write");
            return end;
          },
        });
        const left = [...batches];
        while (left.length > 0) {
          const [reports = []] = left.splice(random.uint32() % left.length, 1);
          await rough.keep(reports.map(report)).catch(() => left.push(reports));
          if (random.uint32() % 3 === 0) left.push(reports); // delivered again
        }
        expect((await store.read(SEGMENT))?.columns).toEqual((await calm.store.read(SEGMENT))?.columns);
      }),
      { numRuns: 60 },
    );
  });
});
