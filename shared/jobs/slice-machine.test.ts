import { describe, expect, it } from "vitest";
import type { Slice } from "./slice.ts";
import { dueAt } from "./slice-due.ts";
import { done, failed, nextOf, OPEN, outcomes, over, RETRY, random, sliceOf, swept, T0 } from "./slice-fixture.ts";
import { advance, backoffMs, LEASE_MS, PROOF_GRACE_MS, type SliceInput } from "./slice-machine.ts";
import { countSlots, noSlots, setSlot, slotReason, slotState } from "./slots.ts";

describe("a slice that is sent and taken", () => {
  it.each<{ name: string; slice: Slice; input: SliceInput; answer: string }>([
    {
      name: "planned, its message sent",
      slice: sliceOf("planned"),
      input: { input: "sent", generation: 5, at: T0 },
      answer: "queued",
    },
    {
      name: "planned, an older message sent",
      slice: sliceOf("planned"),
      input: { input: "sent", generation: 4, at: T0 },
      answer: "another-generation",
    },
    {
      name: "taken before the word that it was sent",
      slice: sliceOf("working"),
      input: { input: "sent", generation: 5, at: T0 },
      answer: "not-waiting",
    },
    {
      name: "queued, taken",
      slice: sliceOf("queued"),
      input: { input: "taken", generation: 5, owner: "b2", now: T0 },
      answer: "working",
    },
    {
      name: "planned, taken already",
      slice: sliceOf("planned"),
      input: { input: "taken", generation: 5, owner: "b2", now: T0 },
      answer: "working",
    },
    {
      name: "taken by a message of another generation",
      slice: sliceOf("queued"),
      input: { input: "taken", generation: 4, owner: "b2", now: T0 },
      answer: "another-generation",
    },
    {
      name: "taken while the lease is live",
      slice: sliceOf("working"),
      input: { input: "taken", generation: 5, owner: "b2", now: T0 },
      answer: "leased",
    },
    {
      name: "taken while it rests",
      slice: sliceOf("resting"),
      input: { input: "taken", generation: 5, owner: "b2", now: T0 },
      answer: "resting",
    },
    {
      name: "taken when closed",
      slice: sliceOf("closed"),
      input: { input: "taken", generation: 5, owner: "b2", now: T0 },
      answer: "closed",
    },
    {
      name: "taken with nothing open",
      slice: sliceOf("queued", { slots: noSlots() }),
      input: { input: "taken", generation: 5, owner: "b2", now: T0 },
      answer: "nothing-open",
    },
    {
      name: "taken after its deadline",
      slice: sliceOf("queued", { deadline: T0 }),
      input: { input: "taken", generation: 5, owner: "b2", now: T0 },
      answer: "expired",
    },
    {
      name: "renewed by its owner",
      slice: sliceOf("working"),
      input: { input: "renewed", owner: "b1", now: T0 },
      answer: "working",
    },
    {
      name: "renewed by another",
      slice: sliceOf("working"),
      input: { input: "renewed", owner: "b2", now: T0 },
      answer: "another-owner",
    },
    {
      name: "drained by its owner",
      slice: sliceOf("working"),
      input: { input: "drained", owner: "b1", now: T0 },
      answer: "planned",
    },
    {
      name: "drained by another",
      slice: sliceOf("working"),
      input: { input: "drained", owner: "b2", now: T0 },
      answer: "another-owner",
    },
    { name: "split when nothing moved", slice: sliceOf("working"), input: { input: "split" }, answer: "not-waiting" },
    { name: "cancelled when closed", slice: sliceOf("closed"), input: { input: "cancelled" }, answer: "closed" },
  ])("$name → $answer", ({ slice, input, answer }) => {
    const step = advance(slice, input);
    expect(step.kind === "next" ? step.slice.state : step.because).toBe(answer);
  });

  it("taken over from a holder that is gone has a new generation and one more unclean end", () => {
    const step = advance(sliceOf("working"), { input: "taken", generation: 5, owner: "b2", now: T0 + LEASE_MS });
    expect(nextOf(step)).toMatchObject({ state: "working", generation: 6, uncleanEnds: 1, lease: { owner: "b2" } });
  });

  it("drained is due at once, without an unclean end, and what its last holder still reports is of another generation", () => {
    const slice = nextOf(advance(sliceOf("working"), { input: "drained", owner: "b1", now: T0 }));
    expect(slice).toMatchObject({ state: "planned", uncleanEnds: 0, generation: 6, nextAttempt: T0 });
    expect(slice.lease).toBeUndefined();
    expect(advance(slice, over())).toEqual({ kind: "ignored", because: "another-generation" });
  });
});

describe("outcomes", () => {
  it("end slots; the first wins, the same again is a duplicate, another is late", () => {
    const step = advance(sliceOf("working"), outcomes([done(1), failed(2, "never")]));
    expect(step.counts).toMatchObject({ ended: 2, late: 0, duplicate: 0 });
    const again = advance(nextOf(step), outcomes([failed(1, "never"), done(1), failed(2, "never"), done(2)]));
    expect(again).toMatchObject({ kind: "ignored", counts: { ended: 0, late: 2, duplicate: 2 } });
  });

  it("worth another try leave the slot open with its reason while the policy has passes left", () => {
    const first = nextOf(advance(sliceOf("working"), outcomes([failed(1)])));
    expect([slotState(first.slots, 1), slotReason(first.slots, 1)]).toEqual(["open", "timeout"]);
    const last = nextOf(advance(sliceOf("working", { passes: 2 }), outcomes([failed(1)])));
    expect([slotState(last.slots, 1), slotReason(last.slots, 1)]).toEqual(["failed", "timeout"]);
  });

  it("of a pass that is over already count as of that pass, not of the next one", () => {
    const resting = (passes: number) => nextOf(advance(sliceOf("resting", { passes }), outcomes([failed(1)])));
    expect(slotState(resting(1).slots, 1)).toBe("open");
    expect(slotState(resting(2).slots, 1)).toBe("open");
    expect(slotState(resting(3).slots, 1)).toBe("failed");
  });

  it("of another generation end a slot when they are sure, but never end it for want of passes", () => {
    const slice = nextOf(advance(sliceOf("working", { passes: 2 }), outcomes([done(1), failed(2)], 4)));
    expect([slotState(slice.slots, 1), slotState(slice.slots, 2)]).toEqual(["done", "open"]);
  });

  it("that end the last open slot close the slice, in whatever state it is", () => {
    for (const state of ["planned", "queued", "working", "resting"] as const) {
      const slice = nextOf(advance(sliceOf(state), outcomes(OPEN.map(done), 1)));
      expect(slice.state).toBe("closed");
      expect(slice.lease).toBeUndefined();
      expect(dueAt(slice)).toBeUndefined();
    }
  });

  it("about slots that are not in the slice are handed on", () => {
    expect(advance(sliceOf("working"), outcomes([done(99)])).counts?.strayed).toEqual([done(99)]);
  });
});

describe("the end of a pass", () => {
  it("lets the slice rest until its next attempt, or closes it", () => {
    const rests = nextOf(advance(sliceOf("working", { uncleanEnds: 2 }), over()));
    expect(rests).toMatchObject({ state: "resting", passes: 1, uncleanEnds: 0 });
    expect(rests.nextAttempt).toBeGreaterThanOrEqual(T0 + 45_000);
    expect(rests.nextAttempt).toBeLessThanOrEqual(T0 + 75_000);
    expect(nextOf(advance(sliceOf("working", { slots: noSlots() }), over())).state).toBe("closed");
  });

  it("counts once: delivered again, or of another generation, it is ignored", () => {
    const rests = nextOf(advance(sliceOf("working"), over()));
    expect(advance(rests, over())).toEqual({ kind: "ignored", because: "not-waiting" });
    expect(advance(sliceOf("working"), over(4))).toEqual({ kind: "ignored", because: "another-generation" });
  });

  it("backs off twice as long each time, jittered by a quarter, at most an hour", () => {
    for (const [passes, seconds] of [
      [1, 60],
      [2, 120],
      [5, 960],
      [50, 3600],
    ] as const) {
      const ms = backoffMs(RETRY, passes, random);
      expect(ms).toBeGreaterThanOrEqual(seconds * 750);
      expect(ms).toBeLessThanOrEqual(seconds * 1250);
    }
  });
});

describe("the sweep", () => {
  it.each<{ name: string; slice: Slice; input: SliceInput; state: string; generation: number; effect?: string }>([
    {
      name: "sends what is planned for a minute",
      slice: sliceOf("planned"),
      input: swept(T0 + 60_000),
      state: "planned",
      generation: 5,
      effect: "send",
    },
    {
      name: "sends anew what rested enough",
      slice: sliceOf("resting"),
      input: swept(T0 + 60_000),
      state: "planned",
      generation: 6,
      effect: "send",
    },
    {
      name: "sends anew what lost its lease",
      slice: sliceOf("working"),
      input: swept(T0 + LEASE_MS),
      state: "planned",
      generation: 6,
      effect: "send",
    },
    {
      name: "sends anew what the lane went past ten minutes ago",
      slice: sliceOf("queued"),
      input: swept(T0 + 700_000, T0 + 600_000),
      state: "planned",
      generation: 6,
      effect: "send",
    },
    {
      name: "only looks away from what merely waits, however long",
      slice: sliceOf("queued"),
      input: swept(T0 + 9_000_000, T0 + 599_999),
      state: "queued",
      generation: 5,
    },
    {
      name: "only looks away from what waits in a lane that nobody receives from",
      slice: sliceOf("queued"),
      input: swept(T0 + 9_000_000),
      state: "queued",
      generation: 5,
    },
    {
      name: "expires what is past its deadline",
      slice: sliceOf("queued", { deadline: T0 }),
      input: swept(T0),
      state: "closed",
      generation: 5,
    },
    {
      name: "expires under a live lease after a minute",
      slice: sliceOf("working", { deadline: T0 - 60_000 }),
      input: swept(T0),
      state: "closed",
      generation: 5,
    },
  ])("$name", ({ slice, input, state, generation, effect }) => {
    const step = advance(slice, input);
    expect(nextOf(step)).toMatchObject({ state, generation });
    expect(step.kind === "next" ? step.effect : undefined).toBe(effect);
  });

  it("leaves alone what is not due", () => {
    const slices = [sliceOf("planned"), sliceOf("resting"), sliceOf("working"), sliceOf("queued"), sliceOf("closed")];
    for (const slice of slices) expect(advance(slice, swept(T0 + 1, T0)).kind).toBe("ignored");
    expect(advance(sliceOf("working", { deadline: T0 - 1 }), swept(T0)).kind).toBe("ignored");
  });

  it("expires with the last reason", () => {
    const slice = sliceOf("resting", { deadline: T0 });
    setSlot(slice.slots, 1, "open", "timeout");
    const { slots } = nextOf(advance(slice, swept(T0)));
    expect([slotState(slots, 1), slotReason(slots, 1), slotReason(slots, 2)]).toEqual(["expired", "timeout", "none"]);
  });

  it("splits what ended uncleanly three times: every open slot leaves, none is lost", () => {
    const slice = sliceOf("working", { uncleanEnds: 2 });
    setSlot(slice.slots, 2, "done");
    setSlot(slice.slots, 3, "open", "timeout");
    const step = advance(slice, swept(T0 + LEASE_MS));
    const parent = nextOf(step);
    expect(step).toMatchObject({ effect: "split", slice: { state: "working", generation: 6 } });
    expect(countSlots(parent.slots)).toMatchObject({ open: 0, done: 1 });
    const moved = parent.moved ?? noSlots();
    expect([slotState(moved, 1), slotState(moved, 2), slotReason(moved, 3)]).toEqual(["open", "untargeted", "timeout"]);
    expect(advance(parent, swept(T0 + LEASE_MS + 1)).kind).toBe("ignored");
    expect(advance(parent, swept(T0 + 3 * LEASE_MS))).toMatchObject({ effect: "split" });
    expect(nextOf(advance(parent, { input: "split" }))).toMatchObject({ state: "closed", generation: 6 });
  });

  it("gives up a slice of one that ended uncleanly three times", () => {
    const slots = noSlots();
    setSlot(slots, 8, "open");
    const slice = nextOf(advance(sliceOf("working", { slots, uncleanEnds: 2 }), swept(T0 + LEASE_MS)));
    expect(slice.state).toBe("closed");
    expect([slotState(slice.slots, 8), slotReason(slice.slots, 8)]).toEqual(["failed", "internal"]);
  });

  it("has slots with intent proved before they end, and calls them unverified when nobody can", () => {
    const intent = new Uint8Array(128);
    intent[0] = 1 << 2;
    const step = advance(sliceOf("resting", { deadline: T0, intent }), swept(T0));
    expect(step).toMatchObject({ effect: "send", slice: { state: "planned", generation: 6 } });
    expect(countSlots(nextOf(step).slots)).toMatchObject({ open: 1, expired: 2 });
    const last = nextOf(advance(nextOf(step), swept(T0 + PROOF_GRACE_MS)));
    expect([last.state, slotState(last.slots, 2), slotReason(last.slots, 2)]).toEqual([
      "closed",
      "failed",
      "unverified",
    ]);
  });
});

describe("a slice that rests while a meter has no route", () => {
  const lost = { slot: 2, outcome: { kind: "failed", reason: "route-lost", code: "test", retry: "later" } } as const;
  const waiting = (): Slice => {
    const working = sliceOf("working", { passes: 7 });
    const told = nextOf(
      advance(working, { ...outcomes([done(1), done(3), lost]), retry: { ...RETRY, passes: 1 } } as SliceInput),
    );
    return { ...nextOf(advance(told, over())), nextAttempt: T0 + 3_600_000 };
  };

  it("keeps the task open however many passes there were, unless the job says how many", () => {
    const slice = waiting();
    expect([slice.state, slotState(slice.slots, 2), slotReason(slice.slots, 2)]).toEqual([
      "resting",
      "open",
      "route-lost",
    ]);
    const retry = { ...RETRY, byReason: { "route-lost": { passes: 2 } } };
    const ended = nextOf(advance(sliceOf("working", { passes: 1 }), { ...outcomes([lost]), retry } as SliceInput));
    expect(slotState(ended.slots, 2)).toBe("failed");
  });

  it("is due when the meter calls in, and not for others, nor later than it was", () => {
    const slice = waiting();
    const call = (slots: readonly number[], now = T0 + 5): SliceInput => ({ input: "called", slots, now });
    expect(nextOf(advance(slice, call([9, 2])))).toEqual({ ...slice, nextAttempt: T0 + 5 });
    expect(advance(slice, call([1, 3, 9])).kind).toBe("ignored");
    expect(advance(slice, call([2], T0 + 3_600_000)).kind).toBe("ignored");
    for (const state of ["planned", "queued", "working", "closed"] as const)
      expect(advance({ ...slice, state }, call([2])).kind).toBe("ignored");
  });
});
