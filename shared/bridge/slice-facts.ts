import type { TaskReport } from "../jobs/messages.ts";
import type { FailureReason } from "../metering/failure.ts";
import type { TaskEnd } from "./task-report.ts";

/** Failures that are told by name; the others only by count. */
const SAMPLES_MAX = 5;

export interface FailureSample {
  readonly meterId: string;
  readonly reason: FailureReason;
  readonly code: string;
  /** Of a fault of ours. */
  readonly cause?: unknown;
}

/** What there is to tell of the work on one slice, for one line of log. */
export interface SliceFacts {
  done: number;
  readonly failed: Partial<Record<FailureReason, number>>;
  readonly samples: FailureSample[];
  /** Dials, repetitions included. */
  tries: number;
  /** Sessions with a counter beyond the alarm mark. */
  wornCounters: number;
  /** Offsets that were raised after a refusal. */
  offsetRaises: number;
  /** Meters that want a counter further off than may be raised unproved. */
  counterRefusals: number;
  ended(report: TaskReport, end?: TaskEnd): void;
}

export function sliceFacts(): SliceFacts {
  const failed: Partial<Record<FailureReason, number>> = {};
  const samples: FailureSample[] = [];
  return {
    done: 0,
    failed,
    samples,
    tries: 0,
    wornCounters: 0,
    offsetRaises: 0,
    counterRefusals: 0,
    ended({ meterId, outcome }, end) {
      if (outcome.kind === "done") {
        this.done++;
        return;
      }
      failed[outcome.reason] = (failed[outcome.reason] ?? 0) + 1;
      if (samples.length === SAMPLES_MAX) return;
      const cause = end?.kind === "failed" && end.cause !== undefined ? { cause: end.cause } : {};
      samples.push({ meterId, reason: outcome.reason, code: outcome.code, ...cause });
    },
  };
}
