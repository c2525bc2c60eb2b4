import type { FailureReason } from "../metering/failure.ts";
import { fraction, type Random } from "../ports/random.ts";
import type { EffectRecord } from "./effect-record.ts";
import { isGroupSlice } from "./group-request.ts";
import {
  cleared,
  hasIntent,
  type IntentHolder,
  type IntentRefusal,
  intended,
  intendedIn,
  isIntended,
  PROOF_PASSES,
  withoutIntents,
} from "./intents.ts";
import type { RetryPolicy } from "./job.ts";
import type { TaskReport } from "./messages.ts";
import { applyOutcomes, hasOpen, type OutcomeCounts } from "./outcomes.ts";
import { passesFor } from "./retry-policy.ts";
import type { Slice } from "./slice.ts";
import { QUEUED_LOOK_MS } from "./slice-due.ts";
import { noSlots, type SlotState, setSlot, slotReason, slotState, slotsIn } from "./slots.ts";

/**
 * How long a lease lasts from its taking or renewing. Shorter than the message stays invisible (60 s): the message of a
 * killed bridge must find a lease that has run out.
 */
export const LEASE_MS = 55_000;
/** How long a planned slice waits for the word that it was sent before it is sent again. */
export const SEND_WAIT_MS = 60_000;
/** A lane that has received what was sent so much later has lost the message. */
export const WATERMARK_LEAD_MS = 600_000;
/** After so many unclean ends a slice is split, and a slice of one gives up. */
export const UNCLEAN_ENDS_MAX = 3;
/** After the deadline a slot with intent is proved for so long; then it is `failed(unverified)`. */
export const PROOF_GRACE_MS = 600_000;
/** A live lease may outlast the deadline by so much, so that answers under way still count. */
export const DEADLINE_GRACE_MS = 60_000;
const BACKOFF_MAX_MS = 3_600_000;

export type SliceInput =
  /** The message of this generation is in its lane. */
  | { readonly input: "sent"; readonly generation: number; readonly at: number }
  /** A bridge got the message and asks for the lease. */
  | { readonly input: "taken"; readonly generation: number; readonly owner: string; readonly now: number }
  | { readonly input: "renewed"; readonly owner: string; readonly now: number }
  /** The bridge shuts down in good order and gives the slice back. */
  | { readonly input: "drained"; readonly owner: string; readonly now: number }
  | {
      readonly input: "outcomes";
      readonly generation: number;
      readonly reports: readonly Pick<TaskReport, "slot" | "outcome">[];
      readonly retry: RetryPolicy;
    }
  | {
      readonly input: "pass-over";
      readonly generation: number;
      readonly now: number;
      readonly retry: RetryPolicy;
      readonly random: Random;
    }
  /** The sweep found it due. `watermark`: of its lane, clock ms. */
  | { readonly input: "swept"; readonly now: number; readonly watermark: number | undefined }
  /** Meters have called in: those that a pass found without a route can be reached now. */
  | { readonly input: "called"; readonly slots: readonly number[]; readonly now: number }
  | { readonly input: "cancelled" }
  /** The holder is about to send an effect: to be written before its first octet. */
  | ({ readonly input: "intended"; readonly slot: number; readonly effect: EffectRecord } & IntentHolder)
  /** The holder knows that the effect did not happen. */
  | ({ readonly input: "cleared"; readonly slot: number } & IntentHolder)
  /** Every slot that moved has its slice of one. */
  | { readonly input: "split" };

export type Ignored =
  | IntentRefusal
  | "another-generation"
  | "another-owner"
  | "closed"
  | "expired"
  | "leased"
  | "nothing-open"
  | "not-due"
  | "not-waiting"
  | "resting"
  | "unclean";

/** `send`: write first, then send the message. `split`: write first, then make the slices of one. */
export type SliceStep =
  | {
      readonly kind: "next";
      readonly slice: Slice;
      readonly effect?: "send" | "split";
      readonly counts?: OutcomeCounts;
    }
  | { readonly kind: "ignored"; readonly because: Ignored; readonly counts?: OutcomeCounts };

const ignored = (because: Ignored): SliceStep => ({ kind: "ignored", because });
const next = (slice: Slice, effect?: "send" | "split"): SliceStep => ({
  kind: "next",
  slice,
  ...(effect === undefined ? {} : { effect }),
});

/** The slice without what belonged to the state that it leaves. */
function leaving(slice: Slice): Omit<Slice, "state"> {
  const { lease: _lease, nextAttempt: _nextAttempt, state: _state, ...rest } = slice;
  return rest;
}
const closed = (slice: Slice): Slice => ({ ...leaving(slice), state: "closed" });
const planned = (slice: Slice, now: number): Slice => ({
  ...leaving(slice),
  state: "planned",
  nextAttempt: now + SEND_WAIT_MS,
});
const resent = (slice: Slice, now: number): Slice => ({ ...planned(slice, now), generation: slice.generation + 1 });

/** Rest before the next pass: doubles with each pass that is over, jittered by a quarter, at most an hour. */
export const backoffMs = (retry: RetryPolicy, passes: number, random: Random): number =>
  Math.round(
    Math.min(retry.backoffSeconds * 1000 * 2 ** Math.max(0, passes - 1), BACKOFF_MAX_MS) *
      (0.75 + fraction(random) / 2),
  );

/**
 * Pure and total: every state answers every input with the next slice (to be written under the version of this one) or
 * says why it is ignored. A message, report or order that comes late, twice or from another generation is normal.
 */
export function advance(slice: Slice, input: SliceInput): SliceStep {
  switch (input.input) {
    case "sent":
      if (slice.state !== "planned") return ignored("not-waiting");
      if (slice.generation !== input.generation) return ignored("another-generation");
      return next({ ...leaving(slice), state: "queued", sentAt: input.at });
    case "taken":
      return taken(slice, input);
    case "renewed":
      if (slice.state !== "working" || slice.lease?.owner !== input.owner) return ignored("another-owner");
      return next({ ...slice, lease: { owner: input.owner, until: input.now + LEASE_MS } });
    case "drained":
      if (slice.state !== "working" || slice.lease?.owner !== input.owner) return ignored("another-owner");
      // A new generation: what the last holder still reports of this pass is not taken for the next holder's.
      return next({
        ...leaving(slice),
        state: "planned",
        generation: slice.generation + 1,
        nextAttempt: input.now,
      });
    case "outcomes":
      return outcomes(slice, input);
    case "pass-over":
      return passOver(slice, input);
    case "swept":
      return swept(slice, input);
    case "called":
      return called(slice, input);
    case "cancelled": {
      if (slice.state === "closed") return ignored("closed");
      const ended = endOpen(slice, "cancelled");
      return ended === slice ? ignored("nothing-open") : next(ended);
    }
    case "intended": {
      const step = intended(slice, input.slot, input.effect, input);
      return typeof step === "string" ? ignored(step) : next(step);
    }
    case "cleared": {
      const step = cleared(slice, input.slot, input);
      return typeof step === "string" ? ignored(step) : next(step);
    }
    case "split": {
      if (slice.moved === undefined) return ignored("not-waiting");
      const { moved: _moved, ...rest } = slice;
      return next(closed(rest));
    }
  }
}

function taken(slice: Slice, input: SliceInput & { input: "taken" }): SliceStep {
  if (slice.state === "closed") return ignored("closed");
  if (slice.generation !== input.generation) return ignored("another-generation");
  if (slice.state === "resting") return ignored("resting");
  if (slice.state === "working" && (slice.lease?.until ?? 0) > input.now) return ignored("leased");
  if (!hasOpen(slice.slots)) return ignored("nothing-open");
  if (slice.deadline <= input.now && !hasIntent(slice)) return ignored("expired");
  const lease = { owner: input.owner, until: input.now + LEASE_MS };
  if (slice.state !== "working") return next({ ...leaving(slice), state: "working", lease });
  // The last holder is gone. A new generation, so that nothing of its pass is taken for ours.
  const uncleanEnds = slice.uncleanEnds + 1;
  if (uncleanEnds >= UNCLEAN_ENDS_MAX) return ignored("unclean"); // the sweep splits it
  return next({ ...slice, lease, uncleanEnds, generation: slice.generation + 1 });
}

function outcomes(slice: Slice, input: SliceInput & { input: "outcomes" }): SliceStep {
  const same = slice.generation === input.generation;
  // A pass that is over already counted itself: its late batches mean the same pass.
  const passes = slice.state === "resting" ? slice.passes : slice.state === "working" ? slice.passes + 1 : 0;
  const { slots, counts } = applyOutcomes(
    slice,
    input.reports,
    (reason) => same && passes >= passesFor(input.retry, reason),
    { holders: same, last: same && passes >= Math.max(input.retry.passes, PROOF_PASSES) },
  );
  if (counts.changed === 0) return { kind: "ignored", because: "nothing-open", counts };
  const settled = intendedIn(slice).filter((slot) => slotState(slots, slot) !== "open");
  const changed: Slice = { ...withoutIntents(slice, settled), slots };
  return { kind: "next", slice: hasOpen(slots) || slice.moved !== undefined ? changed : closed(changed), counts };
}

function called(slice: Slice, { slots, now }: SliceInput & { input: "called" }): SliceStep {
  if (slice.state !== "resting") return ignored("not-waiting");
  const waits = slots.some(
    (slot) => slotState(slice.slots, slot) === "open" && slotReason(slice.slots, slot) === "route-lost",
  );
  return waits && (slice.nextAttempt ?? 0) > now ? next({ ...slice, nextAttempt: now }) : ignored("nothing-open");
}

function passOver(slice: Slice, input: SliceInput & { input: "pass-over" }): SliceStep {
  if (slice.state === "closed") return ignored("closed");
  if (slice.generation !== input.generation) return ignored("another-generation");
  if (slice.state !== "working") return ignored("not-waiting");
  const passes = slice.passes + 1;
  const over: Slice = { ...leaving(slice), state: "resting", passes, uncleanEnds: 0 };
  if (!hasOpen(slice.slots)) return next(closed(over));
  return next({ ...over, nextAttempt: input.now + backoffMs(input.retry, passes, input.random) });
}

function swept(slice: Slice, { now, watermark }: SliceInput & { input: "swept" }): SliceStep {
  if (slice.state === "closed") return ignored("closed");
  const leased = slice.state === "working" && (slice.lease?.until ?? 0) > now;
  if (slice.moved !== undefined)
    return leased ? ignored("leased") : next({ ...slice, lease: { owner: "split", until: now + LEASE_MS } }, "split");
  if (now >= slice.deadline + (leased ? DEADLINE_GRACE_MS : 0)) {
    const last = now >= slice.deadline + PROOF_GRACE_MS;
    const ended = last ? endIntent(endOpen(slice, "expired")) : endOpen(slice, "expired");
    if (ended.state === "closed") return next(ended);
    if (slice.slots.some((octet, slot) => octet !== ended.slots[slot])) {
      if (leased) return next(ended);
      return next(resent(ended, now), "send"); // what has intent is proved
    }
  }
  switch (slice.state) {
    case "planned":
      return (slice.nextAttempt ?? 0) <= now ? next(planned(slice, now), "send") : ignored("not-due");
    case "resting":
      return (slice.nextAttempt ?? 0) <= now ? next(resent(slice, now), "send") : ignored("not-due");
    case "queued":
      if (watermark !== undefined && watermark - (slice.sentAt ?? 0) >= WATERMARK_LEAD_MS)
        return next(resent(slice, now), "send");
      if ((slice.nextAttempt ?? (slice.sentAt ?? 0) + QUEUED_LOOK_MS) > now) return ignored("not-due");
      return next({ ...slice, nextAttempt: now + QUEUED_LOOK_MS }); // age alone never resends
    case "working":
      return leased ? ignored("leased") : lapsed(slice, now);
  }
}

/** The lease ran out: its holder is gone. */
function lapsed(slice: Slice, now: number): SliceStep {
  const uncleanEnds = slice.uncleanEnds + 1;
  if (uncleanEnds < UNCLEAN_ENDS_MAX) return next({ ...resent(slice, now), uncleanEnds }, "send");
  const open = slotsIn(slice.slots, "open");
  const slots = slice.slots.slice();
  // Fan-out points have no slices of one: the meters behind them are asked by themselves anyway.
  if (open.length <= 1 || isGroupSlice(slice)) {
    for (const slot of open) setSlot(slots, slot, "failed", isIntended(slice, slot) ? "unverified" : "internal");
    return next(closed({ ...withoutIntents(slice, open), slots, uncleanEnds }));
  }
  const moved = noSlots();
  for (const slot of open) {
    setSlot(moved, slot, "open", slotReason(slots, slot));
    setSlot(slots, slot, "untargeted");
  }
  const lease = { owner: "split", until: now + LEASE_MS };
  return next({ ...slice, slots, moved, lease, uncleanEnds, generation: slice.generation + 1 }, "split");
}

/** Open slots end with their last reason; those with intent stay, for they have to be proved first. */
function endOpen(slice: Slice, state: SlotState): Slice {
  const slots = slice.slots.slice();
  const ending = slotsIn(slots, "open").filter((slot) => !isIntended(slice, slot));
  for (const slot of ending) setSlot(slots, slot, state, slotReason(slots, slot));
  const open = hasOpen(slots) || slice.moved !== undefined;
  if (open && ending.length === 0) return slice;
  return open ? { ...slice, slots } : closed({ ...slice, slots });
}

function endIntent(slice: Slice): Slice {
  const slots = slice.slots.slice();
  const unproved: FailureReason = "unverified";
  const open = slotsIn(slots, "open");
  for (const slot of open) setSlot(slots, slot, "failed", unproved);
  return closed({ ...withoutIntents(slice, open), slots });
}
