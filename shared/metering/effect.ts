import { z } from "zod";
import type { OnceOperation } from "./operation.ts";
import type { OperationResult } from "./result.ts";

/**
 * What a proof compares with, as the driver read it before the effect: a counter of the meter, a time, a position. Only
 * the driver understands it; the engine stores it with the intent and hands it to whichever bridge has to prove.
 */
export const EffectBaseline = z
  .record(z.string().min(1).max(32), z.string().max(64))
  .refine((baseline) => Object.keys(baseline).length <= 8, "expected at most 8 entries");
export type EffectBaseline = z.infer<typeof EffectBaseline>;

/** What the meter said to the effect's own request. `refused`: it says that it did nothing. */
export type EffectAnswer =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly code: string; readonly retry: "later" | "never" };

/**
 * What the meter shows, compared with the baseline. `cannot-tell`: more has changed than one effect explains, or what
 * would prove it is not there; `code`: dotted, says which. `shown`: what was read for it, as readings to be kept.
 */
export type EffectVerdict =
  | { readonly kind: "happened"; readonly shown?: OperationResult }
  | { readonly kind: "did-not-happen"; readonly shown?: OperationResult }
  /** It had what was sent, and has refused it: nothing happened, and would not if it were sent again. */
  | { readonly kind: "refused"; readonly code: string; readonly shown?: OperationResult }
  | { readonly kind: "cannot-tell"; readonly code: string; readonly shown?: OperationResult };

/**
 * Effects of class `once` on one meter, within one session. The engine decides what is called and when: intent between
 * `baseline` and `operate`, `prove` as often as it takes. Each throws `SessionError` or `LinkError`; after an error of
 * `operate` nobody knows whether it happened.
 */
export interface EffectSession {
  /**
   * Reads what the effect is going to change or clear, as readings to be kept, and what a proof compares with. Throws
   * `SessionError` `unsupported` where the meter has nothing to prove with, `unsafe` where the session proves no keys, or what the effect
   * clears could not be read.
   */
  baseline(operation: OnceOperation): Promise<{ readonly before: OperationResult; readonly baseline: EffectBaseline }>;
  /** Sends the effect's frames and nothing else. */
  operate(operation: OnceOperation): Promise<EffectAnswer>;
  prove(operation: OnceOperation, baseline: EffectBaseline): Promise<EffectVerdict>;
}
