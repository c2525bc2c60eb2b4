import type { FailureReason } from "../metering/failure.ts";
import type { RetryPolicy } from "./job.ts";

/** Nothing was asked of the meter: it is waited for until the deadline, unless the job says otherwise. */
const NOT_TRIED: readonly FailureReason[] = ["route-lost", "sleeping", "guarded"];

/** After so many passes a task that failed for this reason, and is worth another try, ends `failed`. */
export const passesFor = (retry: RetryPolicy, reason: FailureReason): number =>
  retry.byReason?.[reason]?.passes ?? (NOT_TRIED.includes(reason) ? Number.POSITIVE_INFINITY : retry.passes);
