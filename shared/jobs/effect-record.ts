import { z } from "zod";
import { EffectBaseline } from "../metering/effect.ts";
import { RegisterRecord } from "./messages.ts";

/**
 * What is written with an intent, before the first octet of the effect: enough for any bridge to prove it, and not to
 * lose what was read before it.
 */
export const EffectRecord = z.strictObject({
  baseline: EffectBaseline,
  /** What the effect clears, as it stood and when: readings that whoever reports next brings along. */
  before: z.array(RegisterRecord).max(16),
  /** When the intent was written, machine clock ms. */
  at: z.int(),
  /** How often the effect has been (or is about to be) sent under this order. */
  sent: z.int().min(1),
});
export type EffectRecord = z.output<typeof EffectRecord>;

const StoredEffects = z.record(z.string().regex(/^\d{1,4}$/), EffectRecord);

/** As an item keeps them: by slot. Only slots with an intent have one, so that the map is short. */
export const storedEffects = (effects: ReadonlyMap<number, EffectRecord>): z.input<typeof StoredEffects> =>
  Object.fromEntries([...effects].map(([slot, effect]) => [String(slot), z.encode(EffectRecord, effect)]));

/** Throws ZodError when the item holds something else. */
export const effectsOf = (stored: unknown): ReadonlyMap<number, EffectRecord> =>
  new Map(Object.entries(StoredEffects.parse(stored)).map(([slot, effect]) => [Number(slot), effect]));
