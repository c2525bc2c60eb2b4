import type { EffectRecord } from "../jobs/effect-record.ts";
import type { EffectVerdict } from "../metering/effect.ts";
import type { OnceOperation } from "../metering/operation.ts";
import { refusal } from "./failure-of.ts";
import type { TaskEnd } from "./task-report.ts";

export const failed = (
  ...[reason, code, retry]: Parameters<typeof refusal>
): Extract<TaskEnd, { readonly kind: "failed" }> => ({
  kind: "failed",
  failure: refusal(reason, code, retry),
});
export const LEFT: TaskEnd = { kind: "left" };
export const SUPERSEDED: TaskEnd = { kind: "cancelled", reason: "superseded", code: "order.newer" };
export const NOTHING = { registers: [], intervals: [], refusals: [] } as const;

/** Two verdicts that say the same of a switch. */
export const same = (left: EffectVerdict, right: EffectVerdict): boolean =>
  left.kind === right.kind &&
  (left.kind !== "cannot-tell" || (right.kind === "cannot-tell" && left.code === right.code)) &&
  left.shown?.switch?.position === right.shown?.switch?.position;

/**
 * An end while an intent stands brings along what was read before the effect. Of a conversation that broke off it says
 * nothing about the effect, which is then looked for again.
 */
export function withRecord(end: TaskEnd, { before }: EffectRecord, told: boolean): TaskEnd {
  if (end.kind === "left") return end;
  if (told || end.kind !== "failed" || end.failure.retry === "later") return { ...end, before };
  return { ...end, failure: refusal("unverified", end.failure.code, "later"), before };
}

/**
 * The end that a proof is, where it shows anything but the state before. Of a switch of which nobody can tell it is an
 * alarm that keeps looking; of anything else the end.
 */
export function settled(verdict: EffectVerdict, operation: OnceOperation): TaskEnd {
  if (verdict.kind === "happened") return { kind: "done", result: verdict.shown ?? NOTHING };
  if (verdict.kind === "refused") return { ...failed("refused", verdict.code, "never"), ...shownOf(verdict) };
  const code = verdict.kind === "cannot-tell" ? verdict.code : "effect.none";
  return operation.kind === "operateSwitch"
    ? { ...failed("unverified", code, "later"), rest: true, ...shownOf(verdict) }
    : failed("unverified", code, "never");
}

export const shownOf = ({ shown }: EffectVerdict) => (shown === undefined ? {} : { shown });
