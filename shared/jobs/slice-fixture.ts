import { seeded } from "../ports/random.ts";
import { JobId } from "./job.ts";
import type { TaskReport } from "./messages.ts";
import type { Slice, SliceState } from "./slice.ts";
import { LEASE_MS, type SliceInput, type SliceStep } from "./slice-machine.ts";
import { noSlots, setSlot } from "./slots.ts";

export const T0 = 1_800_000_000_000;
export const RETRY = { passes: 3, backoffSeconds: 60 };
export const random = seeded(1);
export const OPEN = [1, 2, 3];

export function sliceOf(state: SliceState, change: Partial<Slice> = {}): Slice {
  const slots = noSlots();
  for (const slot of OPEN) setSlot(slots, slot, "open");
  return {
    jobId: JobId.parse("j".repeat(26)),
    segment: 4,
    part: 0,
    state,
    lane: "bulk",
    generation: 5,
    version: 9,
    slots,
    passes: 0,
    uncleanEnds: 0,
    deadline: T0 + 10_000_000,
    ...(state === "working" ? { lease: { owner: "b1", until: T0 + LEASE_MS } } : {}),
    ...(state === "queued" ? { sentAt: T0 } : {}),
    ...(state === "planned" || state === "resting" ? { nextAttempt: T0 + 60_000 } : {}),
    ...change,
  };
}
export const done = (slot: number): Pick<TaskReport, "slot" | "outcome"> => ({ slot, outcome: { kind: "done" } });
export const failed = (slot: number, retry: "later" | "never" = "later"): Pick<TaskReport, "slot" | "outcome"> => ({
  slot,
  outcome: { kind: "failed", reason: retry === "later" ? "timeout" : "auth", code: "test", retry },
});
export const outcomes = (reports: readonly Pick<TaskReport, "slot" | "outcome">[], generation = 5): SliceInput => ({
  input: "outcomes",
  generation,
  reports,
  retry: RETRY,
});
export const over = (generation = 5, now = T0): SliceInput => ({
  input: "pass-over",
  generation,
  now,
  retry: RETRY,
  random,
});
export const swept = (now: number, watermark?: number): SliceInput => ({ input: "swept", now, watermark });
export const nextOf = (step: SliceStep): Slice => {
  if (step.kind === "ignored") throw new Error(`ignored: ${step.because}`);
  return step.slice;
};
