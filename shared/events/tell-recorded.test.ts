import { describe, expect, it } from "vitest";
import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { MeterId } from "../metering/meter.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { eventKeeper } from "./keep-events.ts";
import { memoryAlarms, memoryTimeline } from "./memory-timeline.ts";
import { type EventTeller, toldTimeline } from "./tell-events.ts";
import { toldLedger } from "./tell-jobs.ts";
import type { ToldEvent } from "./told-event.ts";

const NOW = Date.UTC(2026, 10, 2, 12);
const meterId = MeterId.parse("M-1");
const report = (rest: Partial<TaskReport> = {}): TaskReport => ({
  slot: 5,
  meterId,
  attempt: 1,
  at: NOW,
  outcome: { kind: "done" },
  ...rest,
});
const opened = { at: NOW - 1000, e: "tamper.cover-opened", log: "fraud", code: "44", seq: 7 } as const;

function listening(isAsked = true) {
  const told: ToldEvent[] = [];
  const teller: EventTeller = { isAsked: async () => isAsked, tell: async (events) => void told.push(...events) };
  return { told, teller };
}

describe("what is recorded is told", () => {
  const world = () => {
    const { told, teller } = listening();
    const timeline = toldTimeline(memoryTimeline(), teller);
    const keeper = eventKeeper({ timeline, alarms: memoryAlarms(), crypto: nodeCrypto, teller });
    const keep = (reference: string, reports: readonly TaskReport[], job?: Job) =>
      keeper.keep({ segment: 3, reference, job, sentAt: NOW, reports });
    return { told, keep };
  };

  it("once, however often it is read; again, under the same id, when its own batch comes again", async () => {
    const { told, keep } = world();
    await keep("aa", [report({ events: [opened, opened] })]);
    expect(told).toMatchObject([{ kind: "device", meterId, event: "tamper.cover-opened", code: "44", sequence: 7 }]);
    await keep("bb", [report({ at: NOW + 5, events: [opened] })]);
    expect(told).toHaveLength(1);
    await keep("aa", [report({ events: [opened] })]);
    expect(told.map(({ id }) => id)).toEqual([told[0]?.id, told[0]?.id]);
  });

  it("of a switch that nobody can prove, with its alarm", async () => {
    const { told, keep } = world();
    const operation = { kind: "operateSwitch", to: "open" };
    const job = { jobId: "j".repeat(26), operation } as unknown as Job;
    const outcome = { kind: "failed", reason: "unverified", code: "switch.x", retry: "later" } as const;
    await keep("aa", [report({ outcome })], job);
    await keep("bb", [report({ at: NOW + 60_000, outcome })], job);
    expect(told).toMatchObject([{ kind: "device", event: "switch.open-failed", log: "headend", at: NOW }]);
  });
});

describe("jobs", () => {
  const ledgerOf = (steps: string[]) => {
    const job = { jobId: "j", state: "running", operation: { kind: "ping" }, caller: { id: "mdm" }, createdAt: 1 };
    return {
      job: async () => job,
      progress: async () => ({ open: 0, done: 3, failed: 1, expired: 0, cancelled: 0 }),
      moveJob: async (_: string, __: string, { state }: { readonly state: string }) => {
        steps.push(state);
        return "written" as const;
      },
    } as unknown as Pick<Ledger, "job" | "progress" | "moveJob">;
  };

  it("are told of as they are closed, before they are, and of nothing else", async () => {
    const steps: string[] = [];
    const { told, teller } = listening();
    const tells: EventTeller = {
      ...teller,
      async tell(events) {
        steps.push("told");
        await teller.tell(events);
      },
    };
    const ledger = toldLedger(ledgerOf(steps), tells);
    await ledger.moveJob("j" as never, "running", { state: "paused" });
    await ledger.moveJob("j" as never, "running", { state: "closed", closedAt: 9 });
    expect(steps).toEqual(["paused", "told", "closed"]);
    expect(told).toEqual([
      {
        kind: "job",
        id: "job/j/closed",
        at: 9,
        jobId: "j",
        operation: "ping",
        callerId: "mdm",
        tasks: { done: 3, failed: 1, expired: 0, cancelled: 0 },
      },
    ]);
  });

  it("are not told of by whoever comes too late, nor read where nobody asks", async () => {
    const { told, teller } = listening();
    await toldLedger(ledgerOf([]), teller).moveJob("j" as never, "cancelling", { state: "closed" });
    const silent = listening(false);
    await toldLedger(ledgerOf([]), silent.teller).moveJob("j" as never, "running", { state: "closed" });
    expect([told, silent.told]).toEqual([[], []]);
  });
});
