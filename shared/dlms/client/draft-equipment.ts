import type { DlmsProfile } from "../../metering/profile.ts";
import { Clock } from "../objects/clock.ts";
import { DataObject } from "../objects/data.ts";
import { DisconnectControl } from "../objects/disconnect-control.ts";
import { ImageTransfer } from "../objects/image-transfer.ts";
import type { InterfaceClass } from "../objects/interface-class.ts";
import { Limiter } from "../objects/limiter.ts";
import { ProfileGeneric } from "../objects/profile-generic.ts";
import { ScriptTable } from "../objects/script-table.ts";
import { SecuritySetup } from "../objects/security-setup.ts";
import type { DiscoveredObject, Untold } from "./discover-objects.ts";
import { type Found, type FoundRegister, isValue } from "./object-details.ts";

type Dlms = DlmsProfile["dlms"];
export type Equipment = Pick<
  Dlms,
  "demandReset" | "events" | "switch" | "clockSetting" | "limiter" | "imageTransfer" | "securitySetup" | "billing"
>;

const RESET_TABLE = "0.0.10.0.1.255";
const BILLING_COUNTER = "1.0.0.1.0.255";
const LAST_RESET = "1.0.0.1.2.255";
const ACTIVE_FIRMWARE = "1.0.0.2.0.255";
const SUPPLY_SWITCH = "0.0.96.3.10.255";
/** Event logs by group E, as companion specifications name the first of them. */
const LOGS: Readonly<Record<string, string>> = { 0: "standard", 1: "fraud", 2: "disconnector", 5: "power-quality" };
const MOST = { logs: 16, billingRegisters: 48, resetRegisters: 8 };
/** A clock that is off by no more stays as it is, ms. */
const CLOCK_TOLERANCE_MS = 10_000;

/** All that a meter has besides readings, marked unverified. What is assumed goes to `untold`. */
export function draftEquipment(found: Found, registers: readonly FoundRegister[], untold: Untold[]): Equipment {
  const see = seen(found.objects);
  const parts: { -readonly [K in keyof Equipment]: Equipment[K] } = {};
  const assumed = (about: string, because: string) => untold.push({ about, because });

  const resetRegisters = registers.filter(({ measurement }) => measurement.startsWith("demand."));
  const proofs = {
    ...(see(DataObject, BILLING_COUNTER) && { counter: BILLING_COUNTER }),
    ...(see(DataObject, LAST_RESET) && { lastReset: LAST_RESET }),
  };
  const table = see(ScriptTable, RESET_TABLE);
  if (table !== undefined && table.methods?.has(1) !== false && resetRegisters.length > 0) {
    if (Object.keys(proofs).length === 0) assumed(RESET_TABLE, "nothing was found that would prove a demand reset");
    else {
      assumed(RESET_TABLE, "script 1 is assumed to be the demand reset");
      parts.demandReset = {
        scriptTable: RESET_TABLE,
        script: 1,
        ...proofs,
        registers: resetRegisters.slice(0, MOST.resetRegisters).map(({ measurement }) => measurement),
        evidence: "unverified",
      };
    }
  }

  const control = see(DisconnectControl, SUPPLY_SWITCH);
  const mode = found.details.of(SUPPLY_SWITCH, DisconnectControl.attributes.controlMode);
  if (control !== undefined) {
    if (mode === undefined || mode > 6) assumed(SUPPLY_SWITCH, `its control mode is ${mode ?? "not told"}`);
    else parts.switch = { control: SUPPLY_SWITCH, mode, evidence: "unverified" };
  }

  const clock = found.objects.find(({ classId }) => classId === Clock.classId);
  const mayWrite = clock?.attributes?.get(Clock.attributes.time.id)?.write === true;
  const mayShift = clock?.methods?.has(Clock.methods.shiftTime.id) === true;
  if (mayWrite || mayShift)
    parts.clockSetting = {
      method: mayWrite ? (mayShift ? "shift-or-write" : "write") : "shift",
      toleranceMs: CLOCK_TOLERANCE_MS,
      evidence: "unverified",
    };

  const limiter = see(Limiter);
  if (limiter !== undefined) parts.limiter = { obis: limiter.logicalName, evidence: "unverified" };

  const image = see(ImageTransfer);
  if (image !== undefined)
    parts.imageTransfer = {
      obis: image.logicalName,
      ...(see(DataObject, ACTIVE_FIRMWARE) && { activeFirmware: ACTIVE_FIRMWARE }),
      evidence: "unverified",
    };

  const security = see(SecuritySetup);
  if (security !== undefined) {
    const { logicalName, version } = security;
    if (version !== 0 && version !== 1) assumed(logicalName, `version ${version} of the security setup is not known`);
    else {
      assumed(logicalName, "which keys may be changed is not told: none are");
      parts.securitySetup = { obis: logicalName, version, keyTransfer: [], keyAgreement: [], evidence: "unverified" };
    }
  }

  const events = eventLogs(found, untold);
  if (events.length > 0) parts.events = events;
  const billing = billingProfile(found, registers);
  if (billing !== undefined) parts.billing = billing;
  return parts;
}

/** The object of a class, by name or the first. */
const seen =
  (objects: readonly DiscoveredObject[]) =>
  (of: Pick<InterfaceClass, "classId">, logicalName?: string): DiscoveredObject | undefined =>
    objects.find((each) => each.classId === of.classId && (logicalName ?? each.logicalName) === each.logicalName);

function eventLogs({ objects, details }: Found, untold: Untold[]): NonNullable<Dlms["events"]> {
  const logs = objects.flatMap(({ classId, logicalName: obis }) => {
    const [, , , , group = "", last] = obis.split(".");
    if (classId !== ProfileGeneric.classId || !/^\d+\.0\.99\.98\./.test(obis) || last !== "255") return [];
    const columns = details.of(obis, ProfileGeneric.attributes.captureObjects) ?? [];
    const code = columns.find(
      (column) => column.classId === DataObject.classId && /^0\.0\.96\.11\./.test(column.logicalName),
    );
    const depth = details.of(obis, ProfileGeneric.attributes.profileEntries) ?? 0;
    if (code === undefined || depth === 0 || !columns.some((column) => column.classId === Clock.classId)) {
      untold.push({ about: obis, because: "an event log whose clock, code or depth could not be told" });
      return [];
    }
    untold.push({ about: obis, because: `what its codes mean is not told: they read as unknown` });
    return [
      {
        log: LOGS[group] ?? `log-${group}`,
        obis,
        code: code.logicalName,
        depth,
        events: {},
        evidence: "unverified" as const,
      },
    ];
  });
  if (logs.length > MOST.logs)
    untold.push({ about: "events", because: `a profile has at most ${MOST.logs} event logs` });
  return logs.slice(0, MOST.logs);
}

/** The first profile of billing values (C 98, D 1) that captures registers of this profile. */
function billingProfile({ objects, details }: Found, registers: readonly FoundRegister[]): Dlms["billing"] {
  const mapped = new Map(registers.map((register) => [register.obis, register]));
  for (const { classId, logicalName: obis } of objects) {
    if (classId !== ProfileGeneric.classId || !/^[01]\.\d+\.98\.1\.\d+\.255$/.test(obis)) continue;
    const columns = details.of(obis, ProfileGeneric.attributes.captureObjects) ?? [];
    const depth = details.of(obis, ProfileGeneric.attributes.profileEntries) ?? 0;
    const found = columns.flatMap((column) => (isValue(column) ? (mapped.get(column.logicalName) ?? []) : []));
    if (found.length === 0 || depth === 0) continue;
    return {
      obis,
      depth,
      registers: found.slice(0, MOST.billingRegisters).map(({ measurement, classId: of, obis: register, scaler }) => ({
        measurement,
        classId: of,
        obis: register,
        attribute: 2,
        scaler,
      })),
      evidence: "unverified",
    };
  }
  return undefined;
}
