import { describe, expect, it } from "vitest";
import type { Job } from "../jobs/job.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { MeterId } from "../metering/meter.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { memoryDayBlocks } from "../readings/memory-day-blocks.ts";
import { storeReadings } from "../readings/store-readings.ts";
import { groupsOf } from "./alarm.ts";
import { eventKeeper } from "./keep-events.ts";
import { memoryAlarms, memoryTimeline } from "./memory-timeline.ts";
import { readTimeline } from "./read-timeline.ts";
import { TIMELINE_KINDS, timelineDays } from "./timeline.ts";

const NOW = Date.UTC(2026, 10, 2, 12);
const DAY_MS = 86_400_000;
const meterId = MeterId.parse("M-1");
const place = { segment: 3, slot: 5 };

const report = (rest: Partial<TaskReport> = {}): TaskReport => ({
  slot: 5,
  meterId,
  attempt: 1,
  at: NOW,
  outcome: { kind: "done" },
  ...rest,
});
const job = (kind: Job["operation"]["kind"]): Job => ({ jobId: "j".repeat(26), operation: { kind } }) as unknown as Job;

function world() {
  const timeline = memoryTimeline();
  const alarms = memoryAlarms();
  const keeper = eventKeeper({ timeline, alarms, crypto: nodeCrypto });
  return {
    timeline,
    alarms,
    keep: (reports: readonly TaskReport[], of?: Job, reference = "aa".repeat(8)) =>
      keeper.keep({ segment: 3, reference, job: of, sentAt: NOW, reports }),
    entries: () => timeline.of(meterId, 0, NOW, 100),
  };
}

const opened = { e: "tamper.cover-opened", log: "fraud", code: "44", seq: 7 } as const;

describe("what the event keeper keeps", () => {
  it("an entry of a log is one entry however often it is read, by whatever batch", async () => {
    const { keep, entries } = world();
    await keep([report({ events: [{ at: NOW - 1000, ...opened }] })]);
    await keep([report({ at: NOW, events: [{ at: NOW - 1000, ...opened }] })], undefined, "bb".repeat(8));
    expect(await entries()).toMatchObject([
      { kind: "event", event: "tamper.cover-opened", code: "44", sequence: 7, at: NOW - 1000 },
    ]);
  });

  it("two entries of the same instant with another number are two", async () => {
    const { keep, entries } = world();
    await keep([
      report({
        events: [
          { at: NOW - 1000, ...opened },
          { at: NOW - 1000, ...opened, seq: 8 },
        ],
      }),
    ]);
    expect(await entries()).toHaveLength(2);
  });

  it("keeps what was seen of a switch with the order, and raises an alarm as soon as nobody can tell where it stands", async () => {
    const { keep, entries, alarms } = world();
    const order = { ...job("operateSwitch"), operation: { kind: "operateSwitch", to: "open" } } as unknown as Job;
    const volts = (v: bigint) => [{ m: "voltage.l1.load" as const, v, s: -1 }];
    const before = { position: "closed" as const, voltages: volts(2301n) };
    const after = { position: "open" as const, contactClosed: true, voltages: volts(2300n) };
    const unverified = {
      kind: "failed",
      reason: "unverified",
      code: "switch.contact-differs",
      retry: "later",
    } as const;
    await keep([report({ at: NOW - 1000, outcome: unverified, switchEvidence: { before, after } })], order);
    expect((await groupsOf(alarms.within(0, NOW))).map(({ event }) => event)).toEqual(["switch.open-failed"]);
    const proved = { before, after: { position: "open" as const, voltages: volts(0n) }, proof: "position" as const };
    await keep([report({ switchEvidence: proved })], order, "bb".repeat(8));
    const shown = (value: string) => [{ measurement: "voltage.l1.load", value, scaler: -1 }];
    const seen = { position: "closed", voltages: shown("2301") };
    expect(await entries()).toMatchObject([
      {
        outcome: "done",
        switch: { before: seen, after: { position: "open", voltages: shown("0") }, proof: "position" },
      },
      {
        outcome: "failed",
        code: "switch.contact-differs",
        switch: { before: seen, after: { position: "open", contactClosed: true, voltages: shown("2300") } },
      },
    ]);
  });

  it("raises what is an alarm and of today, and nothing else", async () => {
    const { keep, alarms } = world();
    await keep([
      report({
        events: [
          { at: NOW - 1000, ...opened },
          { at: NOW - 2 * DAY_MS, ...opened, e: "tamper.magnetic-started" },
          { at: NOW - 1000, e: "power.failed", log: "standard", code: "1" },
        ],
      }),
    ]);
    expect((await groupsOf(alarms.within(0, NOW))).map(({ event }) => event)).toEqual(["tamper.cover-opened"]);
  });

  it("of an order its end is an entry, a try that is repeated is none, a read is none", async () => {
    const { keep, entries } = world();
    const later = { kind: "failed", reason: "timeout", code: "link.timeout", retry: "later" } as const;
    await keep([report({ outcome: later })], job("resetDemand"));
    await keep([report()], job("readRegisters"), "cc".repeat(8));
    expect(await entries()).toEqual([]);
    await keep([report()], job("resetDemand"), "bb".repeat(8));
    await keep([report()], job("resetDemand"), "bb".repeat(8));
    expect(await entries()).toMatchObject([{ kind: "command", operation: "resetDemand", outcome: "done" }]);
  });
});

describe("a meter's timeline", () => {
  it("joins reads from the day blocks with what was kept, newest first, page by page", async () => {
    const { keep, timeline } = world();
    const blocks = memoryDayBlocks();
    for (const hours of [1, 2, 3]) {
      const at = NOW - hours * 3_600_000;
      await storeReadings({ blocks }, place.segment, `0${hours}`.repeat(8), [
        { slot: 5, at, registers: [{ m: "energy.active.import.total", v: BigInt(1000 - hours), s: 0 }] },
      ]);
      await keep(
        [report({ at, events: [{ at: at - 60_000, ...opened, seq: hours }] })],
        undefined,
        `0${hours}`.repeat(8),
      );
    }
    const all = new Set(["read" as const, ...TIMELINE_KINDS]);
    const seen: (readonly [string, number])[] = [];
    let to: number | undefined = NOW;
    for (let pages = 0; to !== undefined && pages < 10; pages++) {
      const page: Awaited<ReturnType<typeof readTimeline>> = await readTimeline(
        { timeline, blocks },
        { meterId, place },
        { from: NOW - DAY_MS, to },
        all,
        2,
      );
      seen.push(...page.entries.map(({ kind, at }) => [kind, (NOW - at) / 60_000] as const));
      to = page.next;
    }
    expect(seen).toEqual([
      ["read", 60],
      ["event", 61],
      ["read", 120],
      ["event", 121],
      ["read", 180],
      ["event", 181],
    ]);
  });
});

describe("how long a timeline keeps things", () => {
  it("is told by kind", () => {
    expect([...timelineDays("event=800,command=0")]).toEqual([
      ["event", 800],
      ["command", 0],
    ]);
    expect(timelineDays("").size).toBe(0);
  });
  it.each(["event", "event=x", "reads=4", "event=1=2", "event=99999"])("refuses %s", (text) => {
    expect(() => timelineDays(text)).toThrow(TypeError);
  });
});
