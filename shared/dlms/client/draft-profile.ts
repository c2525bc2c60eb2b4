import { MEASUREMENTS, type Measurement } from "../../metering/measurement.ts";
import type { Commodity } from "../../metering/meter.ts";
import { DeviceProfile, type DlmsLoadProfile, type DlmsProfile, type DlmsRegister } from "../../metering/profile.ts";
import type { LogicalName } from "../logical-name.ts";
import { Clock } from "../objects/clock.ts";
import { DataObject } from "../objects/data.ts";
import { ExtendedRegister } from "../objects/extended-register.ts";
import { MBusClient } from "../objects/m-bus.ts";
import { ProfileGeneric } from "../objects/profile-generic.ts";
import { Register } from "../objects/register.ts";
import { unitExponent, unitSymbol } from "../objects/unit.ts";
import type { DiscoveredObject, Untold } from "./discover-objects.ts";
import { draftEquipment } from "./draft-equipment.ts";
import { measurementOf, measurementsOfDevice } from "./obis-measurements.ts";
import { type Found, type FoundRegister, isValue, type ObjectDetails } from "./object-details.ts";

export interface Draft {
  /** One for the meter, one for each device on its M-Bus; empty when nothing was found that a profile must have. */
  readonly profiles: readonly DlmsProfile[];
  /** What could not be told, and what is assumed. */
  readonly untold: readonly Untold[];
}

const CLOCK = "0.0.1.0.0.255";
const PERIOD = { least: 60, most: 86_400 };
const MOST = { channels: 16, loadProfiles: 8 };
/** Bits of the AMR profile status as European companion specifications have them (docs/standards.md). */
const AMR_STATUS_BITS: DlmsLoadProfile["statusBits"] = {
  "0x01": "criticalError",
  "0x02": "clockInvalid",
  "0x04": "dataInvalid",
  "0x08": "daylightSaving",
  "0x20": "clockAdjusted",
  "0x80": "powerDown",
};

/** The channel of an M-Bus device; 0: the meter itself. */
export const channelOf = (logicalName: LogicalName): number => {
  const [a, b, c] = logicalName.split(".").map(Number);
  return a === 0 && (c === 24 || c === 96) ? (b ?? 0) : 0;
};

/**
 * Drafts device profiles from what a meter has. A register is drafted only where its unit is one of the measurement's; all
 * that switches or changes something is marked unverified. Pure.
 */
export function draftProfiles(name: string, access: DlmsProfile["dlms"]["access"], found: Found): Draft {
  const untold: Untold[] = [...found.details.untold];
  const clock =
    found.objects.find(({ classId, logicalName }) => classId === Clock.classId && logicalName === CLOCK) ??
    found.objects.find(({ classId }) => classId === Clock.classId);
  if (clock === undefined) {
    untold.push({ about: CLOCK, because: "the meter shows no clock, which a profile must have" });
    return { profiles: [], untold };
  }
  const profiles: DlmsProfile[] = [];
  const draft = (draftName: string, commodity: Commodity, registers: readonly FoundRegister[], more: object) => {
    const dlms = {
      access,
      clock: clock.logicalName,
      ...more,
      ...readings(registers, clock.logicalName, found, untold),
    };
    const profile = DeviceProfile.parse({ name: draftName, version: 1, commodity, protocol: "dlms", dlms });
    if (profile.protocol === "dlms") profiles.push(profile);
  };
  const registers = registersOf(found, untold);
  const commodity = commodityOf(registers);
  if (commodity === undefined)
    untold.push({
      about: "registers",
      because: "no register measures electricity, gas or water: no profile of the meter itself",
    });
  else draft(name, commodity, registers, draftEquipment(found, registers, untold));
  for (const device of devicesOf(found, untold))
    draft(`${name}-mbus-${device.channel}`, device.commodity, device.registers, { mbus: device.mbus });
  return { profiles, untold };
}

const COMMODITIES: readonly (readonly [prefix: string, commodity: Commodity])[] = [
  ["energy.active", "electric"],
  ["energy.reactive", "electric"],
  ["energy.apparent", "electric"],
  ["volume.gas", "gas"],
  ["volume.water", "water"],
];
const commodityOf = (registers: readonly FoundRegister[]): Commodity | undefined =>
  COMMODITIES.find(([prefix]) => registers.some(({ measurement }) => measurement.startsWith(prefix)))?.[1];

/** The first of these measurements that the register's unit fits, or why none. */
function fitting(
  object: DiscoveredObject,
  measurements: readonly Measurement[],
  details: ObjectDetails,
): FoundRegister | string {
  const { classId, logicalName: obis } = object;
  if (classId !== Register.classId && classId !== ExtendedRegister.classId)
    return `measures ${measurements[0]}, but class ${classId} tells no unit or is none that registers are read from`;
  if (object.attributes?.get(Register.attributes.value.id)?.read === false) return "its value may not be read";
  const told = details.of(obis, Register.attributes.scalerUnit);
  if (told === undefined) return "its scaler and unit could not be read";
  for (const measurement of measurements) {
    const exponent = unitExponent(MEASUREMENTS[measurement].unit, told.unit);
    const scaler = told.scaler + (exponent ?? 0);
    if (exponent !== undefined && Math.abs(scaler) <= 12)
      return { measurement, classId: classId as FoundRegister["classId"], obis, scaler };
  }
  return `its unit ${unitSymbol(told.unit) ?? told.unit} is not that of ${measurements.join(" or ")}`;
}

/** Profiles, tables and the like share the value groups of registers; these classes hold values. */
const VALUE_CLASSES: ReadonlySet<number> = new Set([1, 3, 4, 5]);

function registersOf({ objects, details }: Found, untold: Untold[]): readonly FoundRegister[] {
  const registers = new Map<Measurement, FoundRegister>();
  for (const object of objects) {
    const { classId, logicalName } = object;
    if (!VALUE_CLASSES.has(classId) || channelOf(logicalName) !== 0) continue;
    const measurement = measurementOf(logicalName);
    if (measurement === undefined) {
      const [a, , , , , f] = logicalName.split(".");
      if (classId !== DataObject.classId && a !== "0" && f === "255")
        untold.push({ about: logicalName, because: "the measurement catalogue has no such value" });
      continue;
    }
    const register = fitting(object, [measurement], details);
    const first = registers.get(measurement);
    if (typeof register === "string") untold.push({ about: logicalName, because: register });
    else if (first !== undefined)
      untold.push({ about: logicalName, because: `${measurement} is read from ${first.obis} already` });
    else registers.set(measurement, register);
  }
  return [...registers.values()];
}

interface MBusDevice {
  readonly channel: number;
  readonly commodity: Commodity;
  readonly registers: readonly FoundRegister[];
  readonly mbus: NonNullable<DlmsProfile["dlms"]["mbus"]>;
}

/** What hangs on the M-Bus: clients (class 72) that name a device type, and the registers of their channels. */
function devicesOf({ objects, details }: Found, untold: Untold[]): readonly MBusDevice[] {
  return objects.flatMap(({ classId, logicalName: client }) => {
    if (classId !== MBusClient.classId) return [];
    const channel = channelOf(client);
    const deviceType = details.of(client, MBusClient.attributes.deviceType) ?? 0;
    const registers: FoundRegister[] = [];
    for (const object of objects) {
      if (channelOf(object.logicalName) !== channel || !/^0\.\d+\.24\.2\./.test(object.logicalName)) continue;
      const register = fitting(object, measurementsOfDevice(deviceType), details);
      if (typeof register === "string") untold.push({ about: object.logicalName, because: register });
      else if (!registers.some(({ measurement }) => measurement === register.measurement)) registers.push(register);
    }
    const commodity = commodityOf(registers);
    const capturePeriod = details.of(client, MBusClient.attributes.capturePeriod);
    if (commodity === undefined || channel < 1 || channel > 4) {
      untold.push({
        about: client,
        because: `device type ${deviceType} on channel ${channel} has no register of gas or water`,
      });
      return [];
    }
    const period =
      capturePeriod !== undefined && capturePeriod >= 1 && capturePeriod <= PERIOD.most ? capturePeriod : 3600;
    if (period !== capturePeriod)
      untold.push({ about: client, because: "its capture period is not told: an hour is assumed" });
    return [
      { channel, commodity, registers, mbus: { channel, client, deviceTypes: [deviceType], capturePeriod: period } },
    ];
  });
}

type Readings = Pick<DlmsProfile["dlms"], "registers" | "loadProfiles">;

/** Registers, and the load profiles that capture them. Registers of `*.total` that a load profile captures are the total set. */
function readings(registers: readonly FoundRegister[], clock: LogicalName, found: Found, untold: Untold[]): Readings {
  const loadProfiles: DlmsLoadProfile[] = [];
  const mapped = new Map(registers.map((register) => [register.obis, register]));
  for (const { classId, logicalName } of found.objects) {
    if (classId !== ProfileGeneric.classId) continue;
    const drafted = loadProfileOf(logicalName, clock, mapped, found.details);
    if (drafted === undefined) continue;
    if (typeof drafted === "string") untold.push({ about: logicalName, because: drafted });
    else if (loadProfiles.length === MOST.loadProfiles)
      untold.push({ about: logicalName, because: `a profile has at most ${MOST.loadProfiles} load profiles` });
    else {
      untold.push(...drafted.untold);
      loadProfiles.push({ ...drafted.profile, channelSet: channelSetOf(drafted.profile.period, loadProfiles) });
    }
  }
  const captured = new Set(loadProfiles.flatMap(({ channels }) => channels.map(({ obis }) => obis)));
  return {
    registers: registers.map(
      ({ measurement, classId, obis }): DlmsRegister => ({
        measurement,
        classId,
        obis,
        total: MEASUREMENTS[measurement].cumulative && captured.has(obis),
      }),
    ),
    loadProfiles,
  };
}

function channelSetOf(period: number, others: readonly DlmsLoadProfile[]): string {
  const name = period === 86_400 ? "daily" : period === 3600 ? "hourly" : "load";
  const taken = others.filter(({ channelSet }) => channelSet.startsWith(name)).length;
  return taken === 0 ? name : `${name}-${taken + 1}`;
}

/** Undefined: no load profile of these registers. Text: one that cannot be drafted, and why. */
function loadProfileOf(
  obis: LogicalName,
  clock: LogicalName,
  registers: ReadonlyMap<LogicalName, FoundRegister>,
  details: ObjectDetails,
): { readonly profile: Omit<DlmsLoadProfile, "channelSet">; readonly untold: readonly Untold[] } | string | undefined {
  const columns = details.of(obis, ProfileGeneric.attributes.captureObjects);
  const channels = (columns ?? []).flatMap((column) => {
    const register = isValue(column) ? registers.get(column.logicalName) : undefined;
    return register === undefined ? [] : [register];
  });
  if (columns === undefined || channels.length === 0) return undefined;
  const period = details.of(obis, ProfileGeneric.attributes.capturePeriod);
  // Billing values are captured at the end of a period, not by time: drafted as such.
  if (period === 0 || /^\d+\.\d+\.98\.1\./.test(obis)) return undefined;
  if (period === undefined || period < PERIOD.least || period > PERIOD.most)
    return `its capture period is ${period ?? "not told"}`;
  if (!columns.some(({ classId, logicalName }) => classId === Clock.classId && logicalName === clock))
    return `it does not capture the clock ${clock}`;
  const depth = details.of(obis, ProfileGeneric.attributes.profileEntries);
  if (depth === undefined || depth === 0) return "it does not tell how many entries it keeps";
  const status = columns.find(
    ({ classId, logicalName }) => classId === DataObject.classId && /^0\.\d+\.96\.10\./.test(logicalName),
  );
  const unmapped = columns.filter(
    (column) => column !== status && column.classId !== Clock.classId && !registers.has(column.logicalName),
  );
  const untold = unmapped.map(({ logicalName, attributeIndex }) => ({
    about: obis,
    because: `its column ${logicalName}, attribute ${attributeIndex}, is no register of this profile`,
  }));
  if (channels.length > MOST.channels)
    untold.push({ about: obis, because: `a load profile has at most ${MOST.channels} channels` });
  if (status !== undefined)
    untold.push({ about: obis, because: `the bits of ${status.logicalName} are assumed to be the AMR profile status` });
  const profile = {
    obis,
    period,
    depth,
    channels: channels.slice(0, MOST.channels).map(({ measurement, classId, obis: register, scaler }) => ({
      measurement,
      classId,
      obis: register,
      attribute: 2,
      scaler,
    })),
    ...(status === undefined ? {} : { status: status.logicalName }),
    statusBits: status === undefined ? {} : AMR_STATUS_BITS,
  };
  return { profile, untold };
}
