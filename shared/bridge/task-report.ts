import type { AccessItem } from "../jobs/access.ts";
import type { EffectRecord } from "../jobs/effect-record.ts";
import { FRAMES_KEPT, type SwitchEvidence, type TaskReport } from "../jobs/messages.ts";
import type { FailureReason } from "../metering/failure.ts";
import { MeterId } from "../metering/meter.ts";
import type { Evidence } from "../metering/ping.ts";
import type { IntervalSet, MeterEvent, OperationResult } from "../metering/result.ts";
import { toHex } from "../ports/octets.ts";
import type { Failure } from "./failure-of.ts";

/** A frame as it was on the wire. */
export interface Frame {
  readonly direction: "sent" | "received";
  readonly octets: Uint8Array;
}
/** Of a conversation whose frames are kept, so many octets at the most; the first ones. */
export const FRAMES_KEPT_OCTETS = 65_536;

/** How one try at one meter ended. */
export type TaskEnd =
  | {
      readonly kind: "done";
      readonly result: OperationResult;
      readonly frameDigest?: string;
      readonly frames?: readonly Frame[];
      readonly before?: Before;
      readonly switchEvidence?: SwitchEvidence;
    }
  /** An order that is not carried out; the meter is as it was. */
  | {
      readonly kind: "cancelled";
      readonly reason: FailureReason;
      readonly code: string;
      readonly frameDigest?: string;
      readonly frames?: readonly Frame[];
      readonly before?: Before;
      readonly switchEvidence?: SwitchEvidence;
    }
  /** Nothing to say: the slot stays open as it is, for whoever has it next. */
  | { readonly kind: "left"; readonly frameDigest?: string; readonly frames?: readonly Frame[] }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly frameDigest?: string;
      readonly frames?: readonly Frame[];
      readonly before?: Before;
      /** Of an order: what its last proof read. */
      readonly shown?: OperationResult;
      readonly switchEvidence?: SwitchEvidence;
      /** Intervals that came before the conversation broke off. */
      readonly partial?: readonly IntervalSet[];
      /** Of a ping: who answered all the same. */
      readonly evidence?: Evidence;
      /** Not again in this pass, though `later`. */
      readonly rest?: true;
      /** Nothing was asked of the meter, nor is before this instant, machine clock ms: no try. */
      readonly waitUntil?: number;
      /** The meter refused our invocation counter as too low; the counter that it says it takes. */
      readonly counterRefused?: { readonly counter?: number; readonly proved?: boolean };
      /** The lease had too few counters for the operation. */
      readonly countersUsedUp?: boolean;
      /** Of faults that are ours, for the log. */
      readonly cause?: unknown;
    };

/** What was read before an effect. */
type Before = EffectRecord["before"];

/** Registers as messages carry them. */
export const registerRecords = (registers: OperationResult["registers"]): Before =>
  registers.map(({ measurement, value, scaler, at }) => ({
    m: measurement,
    v: value,
    s: scaler,
    ...(at === undefined ? {} : { at }),
  }));

/** An interval set by channels, as messages carry it. */
export const intervalRecord = ({ channelSet, period, channels, entries }: IntervalSet) => ({
  set: channelSet,
  period,
  channels: channels.map(({ measurement, scaler }) => ({ m: measurement, s: scaler })),
  ends: entries.map(({ end }) => end),
  values: channels.map((_, channel) => entries.map(({ values }) => values[channel] ?? null)),
  status: entries.map(({ status }) => status),
});

/** An event as messages carry it. */
export const eventRecord = ({ at, event, log, code, sequence, argument }: MeterEvent) => ({
  at,
  e: event,
  log,
  code,
  ...(sequence === undefined ? {} : { seq: sequence }),
  ...(argument === undefined ? {} : { arg: argument }),
});

/** What a meter has read out or said, as messages carry it. */
export const contentFields = ({
  registers,
  intervals,
  events = [],
}: Pick<OperationResult, "registers" | "intervals" | "events">): Pick<
  TaskReport,
  "registers" | "intervals" | "events"
> => ({
  ...(registers.length === 0 ? {} : { registers: registerRecords(registers) }),
  ...(intervals.length === 0 ? {} : { intervals: intervals.map(intervalRecord) }),
  ...(events.length === 0 ? {} : { events: events.map(eventRecord) }),
});

const clockSetRecord = ({ beforeMs, afterMs, over }: NonNullable<OperationResult["clockSet"]>) => ({
  beforeMs,
  afterMs,
  ...(over === undefined ? {} : { over: [...over] }),
});

/** Says since when a meter hangs where it does, if it has brought intervals from before. */
export function installationField(
  { installedAt }: Pick<AccessItem, "installedAt">,
  intervals: TaskReport["intervals"],
): Pick<TaskReport, "installedAt"> {
  if (installedAt === undefined) return {};
  const before = intervals?.some(({ ends, period }) => ends.some((end) => end - period * 1000 < installedAt));
  return before === true ? { installedAt } : {};
}

function resultFields(result: OperationResult): Partial<TaskReport> {
  return {
    ...contentFields(result),
    ...(result.snapshots === undefined || result.snapshots.length === 0
      ? {}
      : {
          snapshots: result.snapshots.map(({ kind, at, registers }) => ({
            kind,
            at,
            registers: registerRecords(registers),
          })),
        }),
    ...(result.events?.length === 0 ? { events: [] } : {}),
    ...(result.switch === undefined ? {} : { switch: { ...result.switch } }),
    ...(result.clockSet === undefined ? {} : { clockSet: clockSetRecord(result.clockSet) }),
    ...(result.loadControl === undefined ? {} : { loadControl: { ...result.loadControl } }),
    ...(result.powerLimit === undefined ? {} : { powerLimit: result.powerLimit }),
    ...(result.meterCredit === undefined ? {} : { meterCredit: result.meterCredit }),
    ...(result.pushSet === undefined
      ? {}
      : { pushSet: { before: { ...result.pushSet.before }, after: { ...result.pushSet.after } } }),
    ...(result.tariff === undefined ? {} : { tariff: result.tariff }),
    ...(result.shownPrice === undefined ? {} : { shownPrice: result.shownPrice }),
    ...(result.identity === undefined ? {} : { identity: { ...result.identity } }),
    ...(result.evidence === undefined ? {} : { evidence: [...result.evidence] }),
    ...(result.refusals.length === 0 ? {} : { refusals: result.refusals.map(({ item, code }) => ({ item, code })) }),
    ...(result.clockOffsetMs === undefined ? {} : { clockOffsetMs: result.clockOffsetMs }),
    ...(result.clockUncertaintyMs === undefined ? {} : { clockUncertaintyMs: result.clockUncertaintyMs }),
  };
}

/** The first frames of a conversation, and how many more there were. */
function frameFields(frames: readonly Frame[]): Pick<TaskReport, "frames" | "framesLeftOut"> {
  const kept: Frame[] = [];
  let octets = 0;
  for (const frame of frames) {
    octets += frame.octets.length;
    if (kept.length === FRAMES_KEPT || octets > FRAMES_KEPT_OCTETS) break;
    kept.push(frame);
  }
  const leftOut = frames.length - kept.length;
  return {
    frames: kept.map((frame) => ({ d: frame.direction, f: toHex(frame.octets) })),
    ...(leftOut === 0 ? {} : { framesLeftOut: leftOut }),
  };
}

/** An end that says something about the meter. */
export type Said = Exclude<TaskEnd, { readonly kind: "left" }>;

function outcomeOf(end: Said): TaskReport["outcome"] {
  switch (end.kind) {
    case "done":
      return { kind: "done" };
    case "cancelled":
      return { kind: "cancelled", reason: end.reason, code: end.code };
    case "failed":
      return { kind: "failed", ...end.failure };
  }
}

/** The report of a task. `at`: when the last try ended, product clock milliseconds. `keepFrames`: with what was said. */
export function taskReport(item: AccessItem, attempt: number, at: number, end: Said, keepFrames = false): TaskReport {
  const content: Partial<TaskReport> = {
    ...(end.kind === "done" ? resultFields(end.result) : {}),
    ...(end.kind === "failed" && end.partial !== undefined ? { intervals: end.partial.map(intervalRecord) } : {}),
    ...(end.kind === "failed" && end.evidence !== undefined ? { evidence: [...end.evidence] } : {}),
  };
  return {
    slot: item.slot,
    meterId: item.meterId,
    attempt,
    at,
    outcome: outcomeOf(end),
    profile: { ...item.profile },
    ...(end.frameDigest === undefined ? {} : { frameDigest: end.frameDigest }),
    ...(keepFrames && end.frames !== undefined ? frameFields(end.frames) : {}),
    ...content,
    ...installationField(item, content.intervals),
    ...(end.before === undefined || end.before.length === 0
      ? {}
      : { registers: [...end.before, ...(end.kind === "done" ? registerRecords(end.result.registers) : [])] }),
    ...(end.switchEvidence === undefined ? {} : { switchEvidence: end.switchEvidence }),
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
