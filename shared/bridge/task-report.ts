import type { AccessItem } from "../jobs/access.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { MeterId } from "../metering/meter.ts";
import type { IntervalSet, OperationResult } from "../metering/result.ts";
import type { Failure } from "./failure-of.ts";

/** How one try at one meter ended. */
export type TaskEnd =
  | { readonly kind: "done"; readonly result: OperationResult; readonly frameDigest?: string }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly frameDigest?: string;
      /** The meter refused our invocation counter as too low; the counter that it says it takes. */
      readonly counterRefused?: { readonly counter?: number; readonly proved?: boolean };
      /** The lease had too few counters for the operation. */
      readonly countersUsedUp?: boolean;
      /** Of faults that are ours, for the log. */
      readonly cause?: unknown;
    };

/** An interval set by channels, as messages carry it. */
const intervalRecord = ({ channelSet, period, channels, entries }: IntervalSet) => ({
  set: channelSet,
  period,
  channels: channels.map(({ measurement, scaler }) => ({ m: measurement, s: scaler })),
  ends: entries.map(({ end }) => end),
  values: channels.map((_, channel) => entries.map(({ values }) => values[channel] ?? null)),
  status: entries.map(({ status }) => status),
});

function resultFields(result: OperationResult): Partial<TaskReport> {
  return {
    ...(result.registers.length === 0
      ? {}
      : {
          registers: result.registers.map(({ measurement, value, scaler, at }) => ({
            m: measurement,
            v: value,
            s: scaler,
            ...(at === undefined ? {} : { at }),
          })),
        }),
    ...(result.intervals.length === 0 ? {} : { intervals: result.intervals.map(intervalRecord) }),
    ...(result.evidence === undefined ? {} : { evidence: [...result.evidence] }),
    ...(result.refusals.length === 0 ? {} : { refusals: result.refusals.map(({ item, code }) => ({ item, code })) }),
    ...(result.clockOffsetMs === undefined ? {} : { clockOffsetMs: result.clockOffsetMs }),
  };
}

/** The report of a task. `at`: when the last try ended, product clock milliseconds. */
export function taskReport(item: AccessItem, attempt: number, at: number, end: TaskEnd): TaskReport {
  return {
    slot: item.slot,
    meterId: item.meterId,
    attempt,
    at,
    outcome: end.kind === "done" ? { kind: "done" } : { kind: "failed", ...end.failure },
    profile: { ...item.profile },
    ...(end.frameDigest === undefined ? {} : { frameDigest: end.frameDigest }),
    ...(end.kind === "done" ? resultFields(end.result) : {}),
  };
}

/** The report of a slot about whose meter nothing could be looked up; it is named by its place. */
export const placeReport = (segment: number, slot: number, at: number, failure: Failure): TaskReport => ({
  slot,
  meterId: MeterId.parse(`segment-${segment}-slot-${slot}`),
  attempt: 1,
  at,
  outcome: { kind: "failed", ...failure },
});
