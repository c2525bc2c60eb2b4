import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import type { SwitchPosition, SwitchState } from "../metering/result.ts";

/**
 * The fast facts of a segment's meters, a column each over the 1,024 slots. Instants are whole seconds of the product's
 * clock, 0: never. Each group of columns hangs on an instant of its own, and the newest fact wins, so that facts may come
 * in any order and more than once.
 */
export interface FleetColumns {
  /** When a task last ended or gave up a pass; `reason`: why it failed, `none` when it did not. */
  readonly tried: Uint32Array;
  readonly reason: Uint8Array;
  /** When an exchange with the meter was last authenticated; `latency`: of the task that asked for it. */
  readonly contact: Uint32Array;
  readonly latency: Uint8Array;
  /** When the supply was last shown to be there, and by what; when the meter last said that it was gone, by its own time. */
  readonly onAt: Uint32Array;
  readonly onBy: Uint8Array;
  readonly offAt: Uint32Array;
  /** When the switch's position was last read. */
  readonly switchAt: Uint32Array;
  readonly position: Uint8Array;
  /** When intervals were last read; `missing`: how many of that UTC day the meter then did not hold, 255 and more as 255. */
  readonly intervalsAt: Uint32Array;
  readonly missing: Uint8Array;
  /** When its clock was last compared with ours; `clock`: how far off it then was. */
  readonly clockAt: Uint32Array;
  readonly clock: Uint8Array;
}

const SECOND_MS = 1000;
/** Stored by their place: append only. */
export const POWER_STATES = ["unknown", "on", "off"] as const;
export type PowerState = (typeof POWER_STATES)[number];
/** What shows that a meter has power: it answered, or it said that the supply came back. Stored by their place: append only. */
export const POWER_EVIDENCE = ["none", "answer", "restoration"] as const;
export type PowerEvidence = (typeof POWER_EVIDENCE)[number];
const RESTORATION = POWER_EVIDENCE.indexOf("restoration");

/** The supply as the newest evidence has it. `at`: of that evidence, clock ms; of `off`, since when. */
export interface PowerShown {
  readonly state: PowerState;
  readonly at?: number;
  readonly by?: Exclude<PowerEvidence, "none"> | "last-gasp";
}

/** Of one second a restoration follows a last gasp, and a last gasp follows an answer. */
const isOff = (onAt: number, onBy: number, offAt: number): boolean =>
  offAt > onAt || (offAt === onAt && offAt > 0 && onBy !== RESTORATION);

export function powerOf({ onAt, onBy, offAt }: FleetColumns, slot: number): PowerShown {
  const [on, by, off] = [onAt[slot] ?? 0, onBy[slot] ?? 0, offAt[slot] ?? 0];
  if (isOff(on, by, off)) return { state: "off", at: off * SECOND_MS, by: "last-gasp" };
  if (on === 0) return { state: "unknown" };
  return { state: "on", at: on * SECOND_MS, by: by === RESTORATION ? "restoration" : "answer" };
}
const POSITIONS: readonly SwitchPosition[] = ["open", "closed", "armed", "unknown"];
/** Of the relay's own contact: not shown, open, closed. */
const CONTACTS = [undefined, false, true] as const;
export const MISSING_MAX = 255;
/** Whole seconds: until the year 2106. */
export const INSTANT_MAX = 0xffff_ffff;

const LATENCY_STEPS = 12; // a doubling: 6 % a step
const LATENCY_LEAST_MS = 100;
export const LATENCY_MAX = 255;

/** 0: none. */
export const latencyCode = (ms: number): number =>
  Math.min(LATENCY_MAX, 1 + Math.round(LATENCY_STEPS * Math.log2(1 + Math.max(0, ms) / LATENCY_LEAST_MS)));
/** Within 3 % of what it was and a tenth of a second. */
export const latencyMs = (code: number): number | undefined =>
  code === 0 ? undefined : Math.round((2 ** ((code - 1) / LATENCY_STEPS) - 1) * LATENCY_LEAST_MS);

const CLOCK_STEPS = 8; // a doubling: 9 % a step
const CLOCK_LEAST_MS = 100;
const CLOCK_RIGHT = 128;
/** Meter clock minus ours, ms; up to about an hour and three quarters, what is more is the same. 0: not known. */
export const clockCode = (offsetMs: number): number => {
  const steps = Math.min(127, Math.round(CLOCK_STEPS * Math.log2(1 + Math.abs(offsetMs) / CLOCK_LEAST_MS)));
  return CLOCK_RIGHT + Math.sign(offsetMs) * steps;
};
/** Within 5 % of what it was and a tenth of a second. */
export const clockOffsetMs = (code: number): number | undefined =>
  code === 0
    ? undefined
    : Math.sign(code - CLOCK_RIGHT) *
      Math.round((2 ** (Math.abs(code - CLOCK_RIGHT) / CLOCK_STEPS) - 1) * CLOCK_LEAST_MS);

type SwitchShown = { readonly position: SwitchPosition; readonly contactClosed?: boolean | undefined };
export const switchCode = ({ position, contactClosed }: SwitchShown): number =>
  1 + POSITIONS.indexOf(position) * CONTACTS.length + CONTACTS.indexOf(contactClosed);
export const SWITCH_CODES = POSITIONS.length * CONTACTS.length;
/** Undefined: it was never read. */
export function switchStateOf(code: number): SwitchState | undefined {
  const position = POSITIONS[Math.floor((code - 1) / CONTACTS.length)];
  if (position === undefined) return undefined;
  const contactClosed = CONTACTS[(code - 1) % CONTACTS.length];
  return contactClosed === undefined ? { position } : { position, contactClosed };
}

export const noColumns = (): FleetColumns => ({
  tried: new Uint32Array(SEGMENT_SLOTS),
  reason: new Uint8Array(SEGMENT_SLOTS),
  contact: new Uint32Array(SEGMENT_SLOTS),
  latency: new Uint8Array(SEGMENT_SLOTS),
  onAt: new Uint32Array(SEGMENT_SLOTS),
  onBy: new Uint8Array(SEGMENT_SLOTS),
  offAt: new Uint32Array(SEGMENT_SLOTS),
  switchAt: new Uint32Array(SEGMENT_SLOTS),
  position: new Uint8Array(SEGMENT_SLOTS),
  intervalsAt: new Uint32Array(SEGMENT_SLOTS),
  missing: new Uint8Array(SEGMENT_SLOTS),
  clockAt: new Uint32Array(SEGMENT_SLOTS),
  clock: new Uint8Array(SEGMENT_SLOTS),
});

/** What one report says of a meter. */
export interface FleetFact {
  readonly slot: number;
  /** Clock ms. */
  readonly at: number;
  /** Of a task: why it failed; `none`: it did not. Absent: nobody asked the meter. */
  readonly reason?: FailureReason;
  /** What an authenticated exchange brought. */
  readonly contact?: {
    /** Since when the supply is there, or gone; clock ms, no later than the report. */
    readonly power: {
      readonly on?: { readonly at: number; readonly by: Exclude<PowerEvidence, "none"> } | undefined;
      readonly offAt?: number | undefined;
    };
    readonly latencyMs?: number | undefined;
    readonly switch?: SwitchShown | undefined;
    /** Intervals of the UTC day of `at` that were asked for and that the meter does not hold. */
    readonly missing?: number | undefined;
    /** Meter clock minus ours, ms, as the exchange left it. */
    readonly clockOffsetMs?: number | undefined;
  };
}

/** Of one second the least or the greatest counts, so that the order of facts does not matter. */
const least = (left: number, right: number): number => Math.min(left, right);
const greatest = (left: number, right: number): number => Math.max(left, right);

/** Takes a fact in; whether anything changed. Facts may come in any order and more than once: the columns end the same. */
export function noteFact(columns: FleetColumns, fact: FleetFact): boolean {
  const reported = Math.floor(fact.at / SECOND_MS);
  const { slot } = fact;
  if (slot < 0 || slot >= SEGMENT_SLOTS || reported < 1 || reported > INSTANT_MAX) return false;
  let changed = false;
  /** Whether the fact is the newest of its kind, or of the same second: then `join` decides. */
  const noteAt = (
    at: number,
    instants: Uint32Array,
    ...facts: [Uint8Array, number, (left: number, right: number) => number][]
  ) => {
    const was = instants[slot] ?? 0;
    if (at < was || at < 1) return;
    for (const [column, value, join] of facts) {
      const next = at > was ? value : join(column[slot] ?? 0, value);
      changed ||= next !== column[slot];
      column[slot] = next;
    }
    changed ||= at !== was;
    instants[slot] = at;
  };
  const note = noteAt.bind(undefined, reported);
  if (fact.reason !== undefined) note(columns.tried, [columns.reason, FAILURE_REASONS.indexOf(fact.reason), least]);
  const { contact } = fact;
  if (contact === undefined) return changed;
  note(columns.contact, [
    columns.latency,
    contact.latencyMs === undefined ? 0 : latencyCode(contact.latencyMs),
    greatest,
  ]);
  const { on, offAt } = contact.power;
  const shown = (at: number): number => Math.min(reported, Math.floor(at / SECOND_MS));
  if (on !== undefined) noteAt(shown(on.at), columns.onAt, [columns.onBy, POWER_EVIDENCE.indexOf(on.by), greatest]);
  if (offAt !== undefined) noteAt(shown(offAt), columns.offAt);
  if (contact.switch !== undefined) note(columns.switchAt, [columns.position, switchCode(contact.switch), greatest]);
  if (contact.missing !== undefined)
    note(columns.intervalsAt, [columns.missing, Math.min(MISSING_MAX, contact.missing), greatest]);
  if (contact.clockOffsetMs !== undefined)
    note(columns.clockAt, [columns.clock, clockCode(contact.clockOffsetMs), greatest]);
  return changed;
}

/** The facts of one meter, clock ms; what was never seen is absent. */
export interface FleetFacts {
  readonly triedAt?: number;
  readonly reason: FailureReason;
  readonly contactAt?: number;
  readonly power: PowerState;
  readonly powerAt?: number;
  readonly powerBy?: NonNullable<PowerShown["by"]>;
  readonly latencyMs?: number;
  readonly switch?: SwitchState & { readonly at: number };
  readonly intervalsAt?: number;
  readonly missing: number;
  readonly clock?: { readonly offsetMs: number; readonly at: number };
}

const instant = (seconds: number | undefined): number | undefined =>
  seconds === undefined || seconds === 0 ? undefined : seconds * SECOND_MS;

export function factsOf(columns: FleetColumns, slot: number): FleetFacts {
  const [triedAt, contactAt] = [instant(columns.tried[slot]), instant(columns.contact[slot])];
  const [switchAt, intervalsAt] = [instant(columns.switchAt[slot]), instant(columns.intervalsAt[slot])];
  const latency = latencyMs(columns.latency[slot] ?? 0);
  const power = powerOf(columns, slot);
  const clockAt = instant(columns.clockAt[slot]);
  const offsetMs = clockOffsetMs(columns.clock[slot] ?? 0);
  const state = switchStateOf(columns.position[slot] ?? 0);
  return {
    ...(triedAt === undefined ? {} : { triedAt }),
    reason: FAILURE_REASONS[columns.reason[slot] ?? 0] ?? "internal",
    ...(contactAt === undefined ? {} : { contactAt }),
    power: power.state,
    ...(power.at === undefined ? {} : { powerAt: power.at }),
    ...(power.by === undefined ? {} : { powerBy: power.by }),
    ...(latency === undefined ? {} : { latencyMs: latency }),
    ...(switchAt === undefined || state === undefined ? {} : { switch: { ...state, at: switchAt } }),
    ...(intervalsAt === undefined ? {} : { intervalsAt }),
    missing: columns.missing[slot] ?? 0,
    ...(clockAt === undefined || offsetMs === undefined ? {} : { clock: { offsetMs, at: clockAt } }),
  };
}

/** Fleet columns as stored, an item a segment. Keys live in `functions/adapters/dynamo-fleet-columns.ts`. */
export interface FleetColumnStore {
  /** Strongly consistent; undefined: nothing is known of the segment yet. */
  read(segment: number): Promise<{ readonly columns: FleetColumns; readonly version: number } | undefined>;
  /** Conditional on the version that was read; 0: there was none. */
  write(segment: number, columns: FleetColumns, was: number): Promise<"written" | "conflict">;
  /** Of these segments, those of which anything is known. */
  readMany(segments: readonly number[]): Promise<ReadonlyMap<number, FleetColumns>>;
}
