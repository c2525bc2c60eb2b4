import type { EffectAnswer } from "../../metering/effect.ts";
import { type FailureReason, SessionError } from "../../metering/failure.ts";
import { ACTION_RESULT, DATA_ACCESS_RESULT, isTransient, nameIn } from "../data-access-result.ts";

/** What an Action-Result says of the effect that it answers. */
export function effectAnswer(result: number): EffectAnswer {
  if (result === ACTION_RESULT.success) return { kind: "accepted" };
  const retry = result === ACTION_RESULT["temporary-failure"] ? "later" : "never";
  return { kind: "refused", code: `dlms.${nameIn(ACTION_RESULT, result)}`, retry };
}

/** Throws `SessionError` unless the meter did what was asked: `refused`, to be tried later where it says so. */
export function requireSuccess(what: string, result: number, reason: FailureReason = "refused"): void {
  if (result === DATA_ACCESS_RESULT.success) return;
  const code = `dlms.${nameIn(DATA_ACCESS_RESULT, result)}`;
  throw new SessionError(reason, code, `the meter refused ${what}: ${code}`, {
    retry: isTransient(result) ? "later" : "never",
    detail: { what },
  });
}
