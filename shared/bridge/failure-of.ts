import { FAILURES, type FailureReason, SessionError } from "../metering/failure.ts";
import { HeadraceError, type Retry } from "../ports/errors.ts";
import { LinkError } from "../ports/link.ts";

/** Why an attempt failed, in the words of a task report. */
export interface Failure {
  readonly reason: FailureReason;
  /** Dotted, more precise than the reason. */
  readonly code: string;
  readonly retry: Retry;
}

const failure = (reason: FailureReason, code: string, retry: Retry = FAILURES[reason].retry): Failure => ({
  reason,
  code,
  retry,
});

/** A driver's own fault in words: `dlms.…`; of the bridge's surroundings: `bridge.…`. */
export const refusal = failure;

/**
 * The failure behind an error. `heard`: the meter has said something since the dial; a connection that closes before
 * that was none.
 */
export function failureOf(error: unknown, heard: boolean): Failure {
  if (error instanceof SessionError) return failure(error.reason, error.code, error.retry);
  if (error instanceof LinkError)
    switch (error.code) {
      case "link.unreachable":
        return failure("unreachable", error.code, error.retry);
      case "link.timeout":
        return failure("timeout", error.code, error.retry);
      case "link.closed":
        return failure(heard ? "interrupted" : "unreachable", error.code, error.retry);
      case "link.route-lost":
        return failure("route-lost", error.code, error.retry);
    }
  // A blob that was sealed for another meter or version: its keys are not this meter's.
  if (error instanceof HeadraceError && error.code === "vault.context-mismatch")
    return failure("auth", error.code, error.retry);
  if (error instanceof HeadraceError) return failure("internal", error.code, error.retry);
  return failure("internal", "bridge.fault");
}
