import type { CosemObject } from "../dlms/server/cosem-object.ts";
import type { DlmsBillingProfile } from "../metering/dlms-equipment.ts";
import type { Measurement } from "../metering/measurement.ts";
import type { DlmsLoadProfile, DlmsProfile } from "../metering/profile.ts";
import { assert } from "../ports/errors.ts";
import { meterTimeData } from "./cosem-data.ts";
import { dataObject } from "./data-object.ts";
import { lastStep } from "./load-model.ts";
import { type MeterState, statusAt } from "./meter-state.ts";
import {
  type HeldEntries,
  listedEntries,
  type ProfileColumn,
  periodicEntries,
  profileGenericObject,
} from "./profile-generic-object.ts";
import { profileStatus, tellable } from "./profile-status.ts";
import type { Quantity } from "./quantities.ts";
import { extendedRegisterObject, registerObject } from "./register-object.ts";
import type { TrueIntervalSet } from "./truth-log.ts";
import { dayStarts, monthStarts } from "./zone.ts";

const CLOCK_CLASS = 8;
const DATA_CLASS = 1;
const EXTENDED_REGISTER = 4;
const DAY_S = 86_400;

/** What limiters watch. */
export const LIMITED_POWER = {
  measurement: "power.active.import.total",
  classId: 3,
  obis: "1.0.1.7.0.255",
  attribute: 2,
  scaler: 0,
} as const;

/** What is measured under a name; undefined: nothing is. */
export type Measured = (measurement: Measurement) => Quantity | undefined;

/** A captured attribute of the profile's words. */
type Channel = DlmsLoadProfile["channels"][number] | DlmsBillingProfile["registers"][number];

function quantityOf(measured: Measured, measurement: Measurement): Quantity {
  const quantity = measured(measurement);
  assert(quantity !== undefined, `the model measures ${measurement}`);
  return quantity;
}

/** The value as a register of this scaler shows it: digits below it are cut off. */
function atScaler({ scaler: own }: Quantity, scaler: number, value: number): number {
  assert(scaler >= own, "no register shows more digits than the model has");
  return Math.floor(value / 10 ** (scaler - own));
}

/** Registers of the profile, and those that only its load profiles capture or its limiter watches. */
export function registerObjects(state: MeterState, profile: DlmsProfile, measured: Measured): readonly CosemObject[] {
  const { registers, loadProfiles, billing, limiter } = profile.dlms;
  const captured: readonly Channel[] = [
    ...loadProfiles.flatMap(({ channels }) => channels),
    ...(billing?.registers ?? []),
    ...(limiter === undefined ? [] : [LIMITED_POWER]),
  ];
  const found = new Map<string, CosemObject>();
  for (const { classId, obis, measurement, scaler } of [...registers, ...captured]) {
    if (found.has(obis)) continue;
    const quantity = quantityOf(measured, measurement);
    const period = (loadProfiles[0]?.period ?? 900) * 1000;
    const shownScaler = scaler ?? quantity.scaler;
    const source = {
      logicalName: obis,
      measurement,
      scaler: shownScaler,
      unit: quantity.unit,
      encode: quantity.encode,
      shown: () => {
        const now = state.now();
        return {
          value: atScaler(quantity, shownScaler, quantity.at(now, period)),
          capturedAt: quantity.capturedAt?.(now) ?? (quantity.momentary ? now : lastStep(now)),
        };
      },
    };
    found.set(
      obis,
      classId === EXTENDED_REGISTER ? extendedRegisterObject(state, source) : registerObject(state, source),
    );
  }
  return [...found.values()];
}

/** Ends of the entries that a load profile holds, by the meter's clock. */
export function heldEnds(state: MeterState, { period, depth }: DlmsLoadProfile): HeldEntries<number> {
  if (period === DAY_S) return listedEntries(dayStarts(state.zone, state.now(), depth), (end) => end);
  const periodMs = period * 1000;
  const lastEnd = Math.floor(state.now() / periodMs) * periodMs;
  return periodicEntries(lastEnd - (depth - 1) * periodMs, lastEnd, periodMs);
}

/** Milliseconds of the interval that ends there: a local day has 23 to 25 hours. */
const periodOf = (state: MeterState, { period }: DlmsLoadProfile, end: number): number =>
  period === DAY_S ? end - (dayStarts(state.zone, end - 1, 1)[0] ?? end) : period * 1000;

function columnsOf(
  state: MeterState,
  channels: readonly Channel[],
  measured: Measured,
  periodAt: (end: number) => number,
): readonly ProfileColumn<number>[] {
  return channels.flatMap(({ measurement, classId, obis, attribute, scaler }): ProfileColumn<number>[] => {
    const quantity = quantityOf(measured, measurement);
    const object = { classId, logicalName: obis, attributeIndex: attribute, dataIndex: 0 };
    const value: ProfileColumn<number> = {
      object,
      at: (end) => quantity.encode(atScaler(quantity, scaler, quantity.at(end, periodAt(end)))),
    };
    if (classId !== EXTENDED_REGISTER) return [value];
    const time: ProfileColumn<number> = {
      object: { ...object, attributeIndex: 5 },
      at: (end) => meterTimeData(state.zone, quantity.capturedAt?.(end) ?? end),
    };
    return [value, time];
  });
}

/** A load profile, and the Data object of its status where it has one. */
export function loadProfileObjects(
  state: MeterState,
  clock: string,
  profile: DlmsLoadProfile,
  measured: Measured,
): readonly CosemObject[] {
  const periodAt = (end: number): number => periodOf(state, profile, end);
  const clockColumn = {
    object: { classId: CLOCK_CLASS, logicalName: clock, attributeIndex: 2, dataIndex: 0 },
    at: (end: number) => meterTimeData(state.zone, end),
  };
  const status = (end: number) => profileStatus(profile, statusAt(state, end, periodAt(end)));
  const statusColumn =
    profile.status === undefined
      ? []
      : [{ object: { classId: DATA_CLASS, logicalName: profile.status, attributeIndex: 2, dataIndex: 0 }, at: status }];
  const last = (held: HeldEntries<number>): number => held.entry(held.count - 1);
  return [
    profileGenericObject({
      logicalName: profile.obis,
      columns: [clockColumn, ...statusColumn, ...columnsOf(state, profile.channels, measured, periodAt)],
      clock: clockColumn.object,
      period: profile.period,
      depth: profile.depth,
      held: () => heldEnds(state, profile),
      zone: state.zone,
      shortens: state.shortens,
      onServed: (held) => state.truth.profileServed(state.trueNow(), held.entry(0), last(held), profile.channelSet),
    }),
    ...(profile.status === undefined ? [] : [dataObject(profile.status, () => status(last(heldEnds(state, profile))))]),
  ];
}

/** Snapshots at the end of each local month: a Profile generic without a capture period. */
export function billingObject(
  state: MeterState,
  clock: string,
  billing: DlmsBillingProfile,
  measured: Measured,
): CosemObject {
  const clockColumn = {
    object: { classId: CLOCK_CLASS, logicalName: clock, attributeIndex: 2, dataIndex: 0 },
    at: (end: number) => meterTimeData(state.zone, end),
  };
  return profileGenericObject({
    logicalName: billing.obis,
    columns: [clockColumn, ...columnsOf(state, billing.registers, measured, () => 0)],
    clock: clockColumn.object,
    period: 0,
    depth: billing.depth,
    held: () => listedEntries(monthStarts(state.zone, state.now(), billing.depth), (end) => end),
    zone: state.zone,
  });
}

/** What a load profile held of (from, to]: the truth, as far as its columns can tell it. */
export function trueIntervalSet(
  state: MeterState,
  profile: DlmsLoadProfile,
  measured: Measured,
  from: number,
  to: number,
): TrueIntervalSet {
  const served = state.truth.lastProfileOf(profile.channelSet);
  const held = heldEnds(state, profile);
  const entries = Array.from({ length: held.count }, (_, index) => held.entry(index))
    .filter((end) => end > from && end <= to)
    .filter((end) => served === undefined || (end >= served.firstEnd && end <= served.lastEnd));
  return {
    channelSet: profile.channelSet,
    period: profile.period,
    channels: profile.channels.map(({ measurement, scaler }) => ({ measurement, scaler })),
    entries: entries.map((end) => ({
      end,
      values: profile.channels.map(({ measurement, scaler }) => {
        const quantity = quantityOf(measured, measurement);
        return BigInt(atScaler(quantity, scaler, quantity.at(end, periodOf(state, profile, end))));
      }),
      status: tellable(profile, statusAt(state, end, periodOf(state, profile, end))),
    })),
  };
}
