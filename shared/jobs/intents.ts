import type { FailureReason } from "../metering/failure.ts";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import type { EffectRecord } from "./effect-record.ts";
import type { Slice } from "./slice.ts";
import { slotState, slotsIn } from "./slots.ts";

/** An unproved effect is looked for in at least so many passes, whatever the retry policy says. */
export const PROOF_PASSES = 5;
/** An order is sent so often at most; each time after the meter has shown that the time before nothing happened. */
export const SENT_MAX = 2;

type Intended = Pick<Slice, "intent" | "effects">;

/** Whether the effect on the slot's meter may have begun: it ends by proof only. */
export const isIntended = ({ intent }: Pick<Slice, "intent">, slot: number): boolean =>
  (((intent?.[slot >> 3] ?? 0) >> (slot & 7)) & 1) === 1;
export const intendedIn = (slice: Pick<Slice, "slots" | "intent">): number[] =>
  slotsIn(slice.slots, "open").filter((slot) => isIntended(slice, slot));
export const hasIntent = (slice: Pick<Slice, "slots" | "intent">): boolean => intendedIn(slice).length > 0;

/**
 * Reasons that say what became of an effect: the meter refused it and shows no change, it shows none though asked twice,
 * or nobody can tell. Any other reason says nothing about it.
 */
export const settlesEffect = (reason: FailureReason): boolean =>
  reason === "refused" || reason === "no-effect" || reason === "unverified";

export function withIntent(slice: Slice, slot: number, effect: EffectRecord): Slice {
  const intent = slice.intent?.slice() ?? new Uint8Array(SEGMENT_SLOTS / 8);
  intent[slot >> 3] = (intent[slot >> 3] ?? 0) | (1 << (slot & 7));
  return { ...slice, intent, effects: new Map([...(slice.effects ?? []), [slot, effect]]) };
}

/** Without the intents of these slots, and without what was kept for their proof. */
export function withoutIntents(slice: Slice, slots: readonly number[]): Slice {
  const cleared = slots.filter((slot) => isIntended(slice, slot) || slice.effects?.has(slot) === true);
  if (cleared.length === 0) return slice;
  const { intent, effects, ...rest } = slice;
  const left = intent?.slice();
  if (left !== undefined) for (const slot of cleared) left[slot >> 3] = (left[slot >> 3] ?? 0) & ~(1 << (slot & 7));
  const kept = new Map(effects);
  for (const slot of cleared) kept.delete(slot);
  return {
    ...rest,
    ...(left?.some((octet) => octet !== 0) === true ? { intent: left } : {}),
    ...(kept.size > 0 ? { effects: kept } : {}),
  };
}

/** Only what belongs to one slot: of a slice of one. */
export function intentOf(slice: Intended, slot: number): Intended {
  if (!isIntended(slice, slot)) return {};
  const intent = new Uint8Array(SEGMENT_SLOTS / 8);
  intent[slot >> 3] = 1 << (slot & 7);
  const effect = slice.effects?.get(slot);
  return { intent, ...(effect === undefined ? {} : { effects: new Map([[slot, effect]]) }) };
}

/** Who asks for a change of an intent: the holder of the lease, in the generation that he works in. */
export interface IntentHolder {
  readonly owner: string;
  readonly generation: number;
  readonly now: number;
}

export type IntentRefusal = "another-owner" | "another-generation" | "leased" | "nothing-open" | "expired" | "intended";

/** Why the holder may not touch the slot's intent; undefined: he may. */
function refusal(slice: Slice, slot: number, { owner, generation, now }: IntentHolder): IntentRefusal | undefined {
  if (slice.state !== "working" || slice.lease?.owner !== owner) return "another-owner";
  if (slice.generation !== generation) return "another-generation";
  if (slice.lease.until <= now) return "leased";
  return slotState(slice.slots, slot) === "open" ? undefined : "nothing-open";
}

/**
 * The slice with the intent of an effect that is about to be sent for the `effect.sent`-th time: only under the lease,
 * before the deadline, and only when it was sent one time less.
 */
export function intended(
  slice: Slice,
  slot: number,
  effect: EffectRecord,
  holder: IntentHolder,
): Slice | IntentRefusal {
  const refused = refusal(slice, slot, holder);
  if (refused !== undefined) return refused;
  if (slice.deadline <= holder.now) return "expired";
  const sent = isIntended(slice, slot) ? (slice.effects?.get(slot)?.sent ?? SENT_MAX) : 0;
  return effect.sent === sent + 1 && effect.sent <= SENT_MAX ? withIntent(slice, slot, effect) : "intended";
}

/** The slice after its holder has found out that the effect did not happen, or knows that it sent nothing. */
export function cleared(slice: Slice, slot: number, holder: IntentHolder): Slice | IntentRefusal {
  return refusal(slice, slot, holder) ?? withoutIntents(slice, [slot]);
}
