import type { EventName } from "./event-catalogue.ts";
import type { MeterIdentity } from "./identity.ts";
import type { LoadControlState } from "./load-control.ts";
import type { Measurement } from "./measurement.ts";
import type { MeterCredit } from "./meter-credit.ts";
import type { PowerLimitShown } from "./power-limit.ts";
import type { PushState } from "./push-setting.ts";
import type { ShownTariff } from "./tariff-calendar.ts";

/** A register value: `value × 10^scaler` of the measurement's unit. */
export interface RegisterValue {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
  /** When the meter says it was captured, clock milliseconds; absent: when it was read. */
  readonly at?: number;
}

/** One interval of one channel; `end` is the end of the interval, UTC, clock milliseconds. */
export interface IntervalEntry {
  readonly end: number;
  /** One value a channel, in the channels' order; undefined where the meter has none. */
  readonly values: readonly (bigint | undefined)[];
  /** Neutral quality flags, a bit each: see `INTERVAL_STATUS`. */
  readonly status: number;
}

/** Interval status bits, protocol-neutral. */
export const INTERVAL_STATUS = {
  powerDown: 0x01,
  clockAdjusted: 0x02,
  clockInvalid: 0x04,
  criticalError: 0x08,
  daylightSaving: 0x10,
  dataInvalid: 0x20,
  /** The local time of the meter could not be resolved to one UTC instant. */
  timeAmbiguous: 0x40,
  partial: 0x80,
} as const;

export interface IntervalChannel {
  readonly measurement: Measurement;
  readonly scaler: number;
}

export interface IntervalSet {
  /** Names the channel set inside the meter: the profile's own, e.g. `load`. */
  readonly channelSet: string;
  /** Seconds. */
  readonly period: number;
  readonly channels: readonly IntervalChannel[];
  readonly entries: readonly IntervalEntry[];
}

/** What ended when a snapshot was taken. `self-read`: a reading that the meter took by its own schedule. */
export const SNAPSHOT_KINDS = ["billing", "season", "demand-reset", "self-read", "installation", "removal"] as const;
export type SnapshotKind = (typeof SNAPSHOT_KINDS)[number];

/** Registers as they stood when something ended, kept by the meter. */
export interface BillingSnapshot {
  readonly kind: SnapshotKind;
  /** When it was taken, UTC, clock milliseconds. */
  readonly at: number;
  /** Each register's own `at` is the time of a peak. */
  readonly registers: readonly RegisterValue[];
}

/** One entry of one of the meter's event logs, or an alarm that it sent. */
export interface MeterEvent {
  /** When the meter says that it happened, UTC, clock milliseconds. */
  readonly at: number;
  /** `unknown`: the device profile does not map the code. */
  readonly event: EventName;
  /** The log by the profile's name. */
  readonly log: string;
  /** The code as the meter has it, decimal. */
  readonly code: string;
  /** Number of the entry in its log, where the meter counts them. */
  readonly sequence?: number;
  /** What the meter recorded with it, as hex of its own encoding. */
  readonly argument?: string;
}

/** `armed`: open, and the customer may close it at the meter. `unknown`: the meter shows something else. */
export type SwitchPosition = "open" | "closed" | "armed" | "unknown";

export interface SwitchState {
  /** What the meter's control says. */
  readonly position: SwitchPosition;
  /** What the relay's own contact says (true: closed), where the meter shows it apart from the control. */
  readonly contactClosed?: boolean;
}

/** What one operation on one meter brought; every driver answers in these words. */
export interface OperationResult {
  readonly registers: readonly RegisterValue[];
  readonly intervals: readonly IntervalSet[];
  /** `readBilling`: by time; absent elsewhere. */
  readonly snapshots?: readonly BillingSnapshot[];
  /** `readEvents`: by time; absent elsewhere. */
  readonly events?: readonly MeterEvent[];
  /** `readSwitch`, and what an order to the switch read for its proof; voltages are among `registers`. */
  readonly switch?: SwitchState;
  /** `readPowerLimit`, and what `setPowerLimit` read back. */
  readonly powerLimit?: PowerLimitShown;
  /** `setClock`: meter clock minus ours before and after, ms; equal where it was within the profile's tolerance. */
  readonly clockSet?: {
    readonly beforeMs: number;
    readonly afterMs: number;
    /** Channel sets of which an interval ended between the two: the entry that it lies in carries the status. */
    readonly over?: readonly string[];
  };
  /** `controlLoad`: what the meter shows of its control point afterwards. */
  readonly loadControl?: LoadControlState;
  /** `configurePush`: the push as the meter showed it before and after; the same where nothing was written. */
  readonly pushSet?: { readonly before: PushState; readonly after: PushState };
  /** `programTariff`, `readTariff`. */
  readonly tariff?: ShownTariff;
  /** `readCredit`, and what an order of credit read for its proof. */
  readonly meterCredit?: MeterCredit;
  /** `sendPrice`: the message that the display now holds. */
  readonly shownPrice?: string;
  /** `ping`: what answered. */
  readonly evidence?: readonly ("tcp-accept" | "module-answer" | "meter-answer")[];
  /** What the meter says of itself, where the session asked. */
  readonly identity?: MeterIdentity;
  /** What the meter definitively refused, in the profile's words; the task is done all the same when it is a read. */
  readonly refusals: readonly { readonly item: string; readonly code: string }[];
  /** Meter clock minus ours, ms, where the session read it, give or take the uncertainty: half the round trip. */
  readonly clockOffsetMs?: number;
  readonly clockUncertaintyMs?: number;
}
