import type { FailureReason } from "../metering/failure.ts";
import type { RetryPolicy } from "./job.ts";

/** After so many passes a task that failed for this reason, and is worth another try, ends `failed`. */
export const passesFor = (retry: RetryPolicy, reason: FailureReason): number =>
  retry.byReason?.[reason]?.passes ?? retry.passes;
