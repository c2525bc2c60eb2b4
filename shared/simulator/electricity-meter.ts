import { conformanceOf } from "../dlms/conformance.ts";
import type { Data } from "../dlms/data.ts";
import { UNIT } from "../dlms/objects/unit.ts";
import type { CipherKeys } from "../dlms/security/protection.ts";
import type { CosemObject } from "../dlms/server/cosem-object.ts";
import type {
  ClientRule,
  ClientSecurity,
  CounterMemory,
  LogicalDevice,
  Tampering,
} from "../dlms/server/logical-device.ts";
import type { DlmsLoadProfile } from "../metering/profile.ts";
import type { Crypto } from "../ports/crypto.ts";
import { assert } from "../ports/errors.ts";
import { fromHex } from "../ports/octets.ts";
import { amrStatus } from "./amr-status.ts";
import { clockObject } from "./clock-object.ts";
import { doubleLongUnsigned, longUnsigned, meterTimeData, text, unsigned } from "./cosem-data.ts";
import { dataObject, settableDataObject } from "./data-object.ts";
import { demandResetTable } from "./demand-resets.ts";
import { firstKept, lastCaptured, lastReset, type MeterState, maxDemand, resetCount } from "./meter-state.ts";
import type { SimulatedMeterPlan } from "./population.ts";
import { profileGenericObject } from "./profile-generic-object.ts";
import { extendedRegisterObject, type RegisterSource, registerObject } from "./register-object.ts";
import { sapAssignmentObject } from "./sap-assignment-object.ts";
import { securitySetupObject } from "./security-setup-object.ts";

export const PUBLIC_CLIENT = 16;
const SECURITY_SETUP = "0.0.43.0.0.255";
const INVOCATION_COUNTER = "0.0.43.1.0.255";
const CLOCK_CLASS = 8;
const DATA_CLASS = 1;

/** Everything that these meters offer; what a client proposes beyond it is not negotiated. */
const CONFORMANCE = conformanceOf(
  "general-protection",
  "block-transfer-with-get-or-read",
  "block-transfer-with-set-or-write",
  "block-transfer-with-action",
  "multiple-references",
  "get",
  "set",
  "selective-access",
  "action",
  "read",
  "write",
  "unconfirmed-write",
  "parameterized-access",
);

/** Registers of the model by logical name; the catalogue's profile says which of them a model has. */
function registerSources(state: MeterState): ReadonlyMap<string, RegisterSource> {
  const energy = (end: number) => state.load.energyAt(end);
  const total = (pick: "importWh" | "exportWh") => () => {
    const capturedAt = lastCaptured(state);
    return { value: energy(capturedAt)[pick], capturedAt };
  };
  const sources: readonly RegisterSource[] = [
    {
      logicalName: "1.0.1.8.0.255",
      measurement: "energy.active.import.total",
      scaler: 0,
      unit: UNIT.Wh,
      encode: doubleLongUnsigned,
      shown: total("importWh"),
    },
    {
      logicalName: "1.0.2.8.0.255",
      measurement: "energy.active.export.total",
      scaler: 0,
      unit: UNIT.Wh,
      encode: doubleLongUnsigned,
      shown: total("exportWh"),
    },
    {
      logicalName: "1.0.1.6.0.255",
      measurement: "demand.active.import.max",
      scaler: 0,
      unit: UNIT.W,
      encode: doubleLongUnsigned,
      shown: () => {
        const { powerW, end } = maxDemand(state);
        return { value: powerW, capturedAt: end };
      },
    },
    {
      logicalName: "1.0.32.7.0.255",
      measurement: "voltage.l1.line",
      scaler: -1,
      unit: UNIT.V,
      encode: longUnsigned,
      shown: () => ({ value: state.load.voltageAt(state.now()), capturedAt: state.now() }),
    },
  ];
  return new Map(sources.map((source) => [source.logicalName, source]));
}

function loadProfile(state: MeterState, clock: string, profile: DlmsLoadProfile): CosemObject {
  const column = (classId: number, logicalName: string, at: (end: number) => Data) => ({
    object: { classId, logicalName, attributeIndex: 2, dataIndex: 0 },
    at,
  });
  const value = (logicalName: string) => (end: number) => {
    const { importWh, exportWh } = state.load.energyAt(end);
    assert(logicalName === "1.0.1.8.0.255" || logicalName === "1.0.2.8.0.255", `the model captures ${logicalName}`);
    return doubleLongUnsigned(logicalName === "1.0.1.8.0.255" ? importWh : exportWh);
  };
  const clockColumn = column(CLOCK_CLASS, clock, (end) => meterTimeData(state.zone, end));
  return profileGenericObject({
    logicalName: profile.obis,
    columns: [
      clockColumn,
      ...(profile.status === undefined
        ? []
        : [column(DATA_CLASS, profile.status, (end) => unsigned(amrStatus(state, end)))]),
      ...profile.channels.map((channel) => column(channel.classId, channel.obis, value(channel.obis))),
    ],
    clock: clockColumn.object,
    periodMs: profile.period * 1000,
    depth: profile.depth,
    held: () => ({ firstEnd: firstKept(state), lastEnd: lastCaptured(state) }),
    zone: state.zone,
    onServed: (firstEnd, lastEnd) => state.truth.profileServed(state.trueNow(), firstEnd, lastEnd),
  });
}

interface ConsumerMessage {
  value: Data;
  readonly octetsMax: number;
}

/** What resets the demand register and tells of it, as the device profile names it. */
function demandReset(plan: SimulatedMeterPlan, state: MeterState, hollow: boolean): readonly CosemObject[] {
  const { demandReset: described, registers } = plan.profile.dlms;
  const register = registers.find(({ measurement }) => measurement === "demand.active.import.max");
  if (described === undefined || register === undefined) return [];
  const { scriptTable, script, counter, lastReset: stamp } = described;
  return [
    demandResetTable({
      logicalName: scriptTable,
      scriptIdentifier: script,
      register: { classId: register.classId, logicalName: register.obis },
      execute: () => {
        if (!hollow) state.resets.reset(state.now());
      },
    }),
    ...(counter === undefined ? [] : [dataObject(counter, () => longUnsigned(resetCount(state)))]),
    ...(stamp === undefined ? [] : [dataObject(stamp, () => meterTimeData(state.zone, lastReset(state)))]),
  ];
}

/** Objects that hold the meter's data, as its device profile lists them, and a consumer message that can be set. */
function dataObjects(
  plan: SimulatedMeterPlan,
  { state, hollowReset = false }: MeterParts,
  message: ConsumerMessage,
): readonly CosemObject[] {
  const { dlms } = plan.profile;
  const sources = registerSources(state);
  const registers = dlms.registers.map((register) => {
    const source = sources.get(register.obis);
    assert(source !== undefined, `the model has ${register.obis}`);
    return register.classId === 4 ? extendedRegisterObject(state, source) : registerObject(state, source);
  });
  const statuses = dlms.loadProfiles.flatMap(({ status }) =>
    status === undefined ? [] : [dataObject(status, () => unsigned(amrStatus(state, lastCaptured(state))))],
  );
  return [
    dataObject("0.0.96.1.0.255", () => text(plan.serial)),
    dataObject("1.0.0.2.0.255", () => text("HRS-2.4.1")),
    settableDataObject("0.0.96.13.0.255", message),
    ...statuses,
    ...registers,
    ...demandReset(plan, state, hollowReset),
    ...dlms.loadProfiles.map((profile) => loadProfile(state, dlms.clock, profile)),
  ];
}

/** What a simulated meter is made from besides its plan. */
export interface MeterParts {
  readonly crypto: Crypto;
  readonly state: MeterState;
  readonly counters: CounterMemory;
  /** The demand reset is acknowledged and not done. */
  readonly hollowReset?: boolean;
  readonly tampering?: Tampering;
}

function securityOf(plan: SimulatedMeterPlan, { crypto, counters }: MeterParts): ClientSecurity {
  const { authentication, ciphering } = plan.profile.dlms.access;
  const { unicast, authentication: authenticationKey, llsSecret } = plan.held;
  if (authentication === "none") return { mechanism: "none" };
  if (authentication === "lls") {
    assert(llsSecret !== undefined, "an LLS meter has a secret");
    return { mechanism: "lls", secret: fromHex(llsSecret) };
  }
  assert(unicast !== undefined && authenticationKey !== undefined, "an HLS-GMAC meter has keys");
  const keys: CipherKeys = {
    encryption: crypto.secretKey(fromHex(unicast)),
    authentication: fromHex(authenticationKey),
  };
  return {
    mechanism: "hls-gmac",
    ciphered: ciphering !== "none",
    clientSystemTitle: fromHex(plan.clientSystemTitle),
    keys,
    counters,
  };
}

/**
 * A household's electricity meter as its device profile describes it. The public client (SAP 16) sees who the meter is
 * and its invocation counter; only the profile's own client sees data.
 */
export function electricityMeter(plan: SimulatedMeterPlan, parts: MeterParts): LogicalDevice {
  const { access, clock } = plan.profile.dlms;
  const { state, counters } = parts;
  const systemTitle = fromHex(plan.systemTitle);
  const logicalDeviceName = `HRS${plan.serial}`.slice(0, 16);
  const message: ConsumerMessage = { value: text(""), octetsMax: 4096 };
  const security = securityOf(plan, parts);
  const common = (): readonly CosemObject[] => [
    dataObject("0.0.42.0.0.255", () => text(logicalDeviceName)),
    sapAssignmentObject(access.serverSap, logicalDeviceName),
    clockObject(state, clock),
    ...(security.mechanism === "hls-gmac"
      ? [dataObject(INVOCATION_COUNTER, () => doubleLongUnsigned(counters.lastAccepted() ?? 0))]
      : []),
  ];
  const own: ClientRule = {
    security,
    referencing: access.referencing ?? "logical-name",
    securitySetup: security.mechanism === "hls-gmac" ? SECURITY_SETUP : undefined,
    objects: () => [
      ...common(),
      ...(security.mechanism === "hls-gmac" ? [securitySetupObject(security.clientSystemTitle, systemTitle)] : []),
      ...dataObjects(plan, parts, message),
    ],
  };
  const open: ClientRule = { security: { mechanism: "none" }, securitySetup: undefined, objects: common };
  return {
    serverSap: access.serverSap,
    systemTitle,
    maxPduSize: access.maxPduSize === 0 ? 0xffff : access.maxPduSize,
    conformance: CONFORMANCE,
    clients: new Map([
      [PUBLIC_CLIENT, open],
      [access.clientSap, own],
    ]),
    ...(parts.tampering && { tampering: parts.tampering }),
  };
}
