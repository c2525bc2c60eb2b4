import { describe, expect, it } from "vitest";
import type { EffectRecord } from "./effect-record.ts";
import { effectsOf, storedEffects } from "./effect-record.ts";
import { isIntended, SENT_MAX, withIntent } from "./intents.ts";
import type { TaskReport } from "./messages.ts";
import type { Slice } from "./slice.ts";
import { sliceOf } from "./slice-fixture.ts";
import { advance, PROOF_GRACE_MS, type SliceInput } from "./slice-machine.ts";
import { noSlots, setSlot, slotReason, slotState } from "./slots.ts";

const NOW = 1_000_000;
const RETRY = { passes: 1, backoffSeconds: 60 };
const effect = (sent = 1): EffectRecord => ({
  baseline: { resets: "7" },
  before: [{ m: "demand.active.import.max", v: 2n ** 40n, s: 0, at: 5 }],
  at: NOW,
  sent,
});
const working = (change: Partial<Slice> = {}): Slice => {
  const slots = noSlots();
  setSlot(slots, 0, "open");
  const lease = { owner: "me", until: NOW + 60_000 };
  return sliceOf("working", { slots, lease, deadline: NOW + 3_600_000, generation: 4, ...change });
};
const mine = { owner: "me", generation: 4, now: NOW } as const;
const intend = (change: Partial<SliceInput & { input: "intended" }> = {}): SliceInput => ({
  input: "intended",
  slot: 0,
  effect: effect(),
  ...mine,
  ...change,
});
const stepped = (was: Slice, input: SliceInput): Slice => {
  const step = advance(was, input);
  if (step.kind === "ignored") throw new Error(step.because);
  return step.slice;
};
const begun = (change: Partial<Slice> = {}): Slice => withIntent(working(change), 0, effect());
const outcome = (outcome: TaskReport["outcome"], generation = 4): SliceInput => ({
  input: "outcomes",
  generation,
  reports: [{ slot: 0, outcome }],
  retry: RETRY,
});
const failed = (
  reason: "auth" | "refused" | "no-effect" | "timeout",
  retry: "later" | "never",
): TaskReport["outcome"] => ({
  kind: "failed",
  reason,
  code: "test",
  retry,
});
const stands = ({ slots }: Slice): string => `${slotState(slots, 0)}(${slotReason(slots, 0)})`;

describe("an intent", () => {
  it("is written with its proof, and comes back from the item as it was", () => {
    const next = stepped(working(), intend());
    expect(isIntended(next, 0)).toBe(true);
    expect(isIntended(next, 1)).toBe(false);
    expect(next.effects?.get(0)).toEqual(effect());
    const stored: unknown = JSON.parse(JSON.stringify(storedEffects(next.effects ?? new Map())));
    expect(effectsOf(stored)).toEqual(next.effects);
  });

  it.each([
    ["somebody else's slice", intend({ owner: "you" }), "another-owner"],
    ["another generation", intend({ generation: 3 }), "another-generation"],
    ["a lease that is over", intend({ now: NOW + 60_000 }), "leased"],
    ["an order that has expired", intend({ now: NOW + 1 }), "expired", { deadline: NOW + 1 }],
    ["a slot that is not open", intend({ slot: 900 }), "nothing-open"],
    ["a second time as if it were the first", intend(), "intended", begun()],
    [
      "more often than is allowed",
      intend({ effect: effect(SENT_MAX + 1) }),
      "intended",
      withIntent(working(), 0, effect(SENT_MAX)),
    ],
  ] as readonly [string, SliceInput, string, Partial<Slice>?][])(
    "is refused: %s",
    (_name, input, because, change?: Partial<Slice>) =>
      expect(advance({ ...working(), ...change }, input)).toEqual({ kind: "ignored", because }),
  );

  it("may be renewed once by who has seen that nothing happened, and cleared by who knows that nothing was sent", () => {
    const again = stepped(begun(), intend({ effect: effect(2) }));
    expect(again.effects?.get(0)?.sent).toBe(2);
    const free = stepped(again, { input: "cleared", slot: 0, ...mine });
    expect([free.intent, free.effects]).toEqual([undefined, undefined]);
  });

  it("outlives a drain, a take-over and a lapsed lease", () => {
    const drained = stepped(begun(), { input: "drained", owner: "me", now: NOW });
    const lapsed = stepped(begun(), { input: "swept", now: NOW + 60_000, watermark: undefined });
    for (const next of [drained, lapsed]) expect(next.effects?.get(0)).toEqual(effect());
  });
});

describe("a slot with intent", () => {
  it.each([
    ["a proof ends it", outcome({ kind: "done" }), "done(none)"],
    ["a proof of a former holder too", outcome({ kind: "done" }, 3), "done(none)"],
    ["the meter's refusal ends it", outcome(failed("refused", "never")), "failed(refused)"],
    ["what shows no effect ends it", outcome(failed("no-effect", "never")), "failed(no-effect)"],
    ["a former holder's refusal does not", outcome(failed("refused", "never"), 3), "open(refused)"],
    [
      "what says nothing about the effect is no end but unverified",
      outcome(failed("auth", "never")),
      "failed(unverified)",
    ],
    ["silence in the only pass of a policy does not end it", outcome(failed("timeout", "later")), "open(timeout)"],
  ])("%s", (_name, input, expected) => expect(stands(stepped(begun(), input))).toBe(expected));

  it("ends unverified after the last pass that looks for a proof", () =>
    expect(stands(stepped(begun({ passes: 4 }), outcome(failed("timeout", "later"))))).toBe("failed(unverified)"));

  it("is told as given up when its last pass said nothing, and told again when that report comes again", () => {
    const unproved = (slice: Slice, input: SliceInput) => advance(slice, input).counts?.unproved;
    const last = outcome(failed("timeout", "later"));
    expect(unproved(begun({ passes: 3 }), last)).toEqual([]);
    expect(unproved(begun({ passes: 4 }), last)).toEqual([0]);
    expect(unproved(stepped(begun({ passes: 4 }), last), last)).toEqual([0]);
    const proved = { kind: "failed", reason: "unverified", code: "test", retry: "never" } as const;
    expect(unproved(begun({ passes: 4 }), outcome(proved))).toEqual([]);
  });

  it("is neither cancelled nor expired, but proved, and unverified in the end", () => {
    expect(advance(begun(), { input: "cancelled" })).toEqual({ kind: "ignored", because: "nothing-open" });
    const late = begun({ deadline: NOW });
    const swept = stepped({ ...late, state: "resting" }, { input: "swept", now: NOW + 1, watermark: undefined });
    expect(stands(swept)).toBe("open(none)");
    const over = { input: "swept", now: NOW + PROOF_GRACE_MS + 60_001, watermark: undefined } as const;
    const ended = stepped(late, over);
    expect([stands(ended), ended.state, ended.effects, ended.intent]).toEqual([
      "failed(unverified)",
      "closed",
      undefined,
      undefined,
    ]);
  });
});
