import type { EffectRecord } from "../jobs/effect-record.ts";
import type { EffectVerdict } from "../metering/effect.ts";
import { refusal } from "./failure-of.ts";
import type { TaskEnd } from "./task-report.ts";

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
