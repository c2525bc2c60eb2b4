import type { FailureReason } from "../metering/failure.ts";
import type { RetryPolicy } from "./job.ts";

/**
 * After so many passes a task that failed for this reason, and is worth another try, ends `failed`. A meter that holds
 * no connection was not tried: unless the job says so, it is waited for until the deadline.
 */
export const passesFor = (retry: RetryPolicy, reason: FailureReason): number =>
  retry.byReason?.[reason]?.passes ?? (reason === "route-lost" ? Number.POSITIVE_INFINITY : retry.passes);
