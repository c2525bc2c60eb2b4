import { type ConformanceService, conformanceOf } from "../dlms/conformance.ts";
import type { Data } from "../dlms/data.ts";
import type { CosemObject } from "../dlms/server/cosem-object.ts";
import type {
  ClientRule,
  ClientSecurity,
  CounterMemory,
  LogicalDevice,
  Tampering,
} from "../dlms/server/logical-device.ts";
import type { Crypto } from "../ports/crypto.ts";
import { assert } from "../ports/errors.ts";
import { fromHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import type { ActivityCalendarMemory } from "./activity-calendar-object.ts";
import type { AlarmDescriptors } from "./alarm-descriptors.ts";
import { clockObject } from "./clock-object.ts";
import { doubleLongUnsigned, longUnsigned, meterTimeData, text } from "./cosem-data.ts";
import { dataObject, settableDataObject } from "./data-object.ts";
import { demandResetTable } from "./demand-resets.ts";
import { disconnectControlObject } from "./disconnect-control-object.ts";
import { eventLogObjects } from "./event-log-object.ts";
import type { ImageMemory } from "./image-memory.ts";
import { imageTransferObject } from "./image-transfer-object.ts";
import type { Limiter } from "./limiter.ts";
import { limiterObject } from "./limiter-object.ts";
import { loadControlObjects } from "./load-control-objects.ts";
import type { MbusChild } from "./mbus-child.ts";
import { mbusObjects } from "./mbus-objects.ts";
import type { MeterKeyring } from "./meter-keyring.ts";
import { lastReset, type MeterState, resetCount } from "./meter-state.ts";
import type { DlmsMeterPlan } from "./population.ts";
import type { PrepaymentAccount } from "./prepayment-account.ts";
import { prepaymentObjects } from "./prepayment-objects.ts";
import { billingObject, loadProfileObjects, type Measured, registerObjects } from "./profile-objects.ts";
import type { PushSchedule } from "./push-schedule.ts";
import { pushScheduleObjects, pushSetupObject } from "./push-setup-object.ts";
import { quantityOf } from "./quantities.ts";
import { sapAssignmentObject } from "./sap-assignment-object.ts";
import { securitySetupObject } from "./security-setup-object.ts";

export const PUBLIC_CLIENT = 16;
const SECURITY_SETUP = "0.0.43.0.0.255";
const INVOCATION_COUNTER = "0.0.43.1.0.255";
const ACTIVE_FIRMWARE = "1.0.0.2.0.255";

/** What every one of these meters offers; what a client proposes beyond it and its profile is not negotiated. */
const EVERYDAY: readonly ConformanceService[] = [
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
];
function conformance({ profile }: DlmsMeterPlan): number {
  const { generalBlockTransfer, accessService } = profile.dlms.access;
  return conformanceOf(
    ...EVERYDAY,
    ...(generalBlockTransfer === undefined ? [] : (["general-block-transfer"] as const)),
    ...(accessService === true ? (["access"] as const) : []),
  );
}

interface ConsumerMessage {
  value: Data;
  readonly octetsMax: number;
}

/** What resets the demand register and tells of it, as the device profile names it. */
function demandReset(plan: DlmsMeterPlan, state: MeterState, hollow: boolean): readonly CosemObject[] {
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
        if (hollow) return;
        state.resets.reset(state.now());
        state.events.record("demand.reset");
      },
    }),
    ...(counter === undefined ? [] : [dataObject(counter, () => longUnsigned(resetCount(state)))]),
    ...(stamp === undefined ? [] : [dataObject(stamp, () => meterTimeData(state.zone, lastReset(state)))]),
  ];
}

/** What the model has besides registers and profiles, as its device profile lists it. */
function equipment(plan: DlmsMeterPlan, parts: MeterParts): readonly CosemObject[] {
  const { switch: relay, limiter, prepayment, loadControl, imageTransfer, clock, events = [] } = plan.profile.dlms;
  const { state } = parts;
  return [
    ...events.flatMap((log) => eventLogObjects(state, clock, log)),
    ...(relay === undefined
      ? []
      : [disconnectControlObject(relay.control, state.relay, { hollow: parts.hollowSwitch ?? false })]),
    ...(parts.calendar?.objects() ?? []),
    ...(prepayment === undefined || parts.account === undefined
      ? []
      : prepaymentObjects(prepayment, parts.account, state.zone)),
    ...(limiter === undefined ? [] : [limiterObject(limiter.obis, parts.limiter, state.zone)]),
    ...(loadControl === undefined || state.loadRelay === undefined
      ? []
      : loadControlObjects(loadControl, {
          relay: state.loadRelay,
          zone: state.zone,
          hollow: parts.hollowSwitch ?? false,
        })),
    ...parts.pushes.flatMap((push, index) => [pushSetupObject(push), ...pushScheduleObjects(push, index + 1)]),
    ...parts.alarms.objects(),
    ...(imageTransfer === undefined ? [] : [imageTransferObject(imageTransfer.obis, parts.image)]),
    dataObject(imageTransfer?.activeFirmware ?? ACTIVE_FIRMWARE, () => text(parts.image.active)),
  ];
}

/** Objects that hold the meter's data, as its device profile lists them, and a consumer message that can be set. */
function dataObjects(plan: DlmsMeterPlan, parts: MeterParts, message: ConsumerMessage): readonly CosemObject[] {
  const { dlms } = plan.profile;
  const { state, children = [] } = parts;
  const measured: Measured = (measurement) => quantityOf(state, measurement);
  return [
    dataObject("0.0.96.1.0.255", () => text(plan.serial)),
    settableDataObject("0.0.96.13.0.255", message),
    ...registerObjects(state, plan.profile, measured),
    ...demandReset(plan, state, parts.hollowReset ?? false),
    ...dlms.loadProfiles.flatMap((profile) => loadProfileObjects(state, dlms.clock, profile, measured)),
    ...(dlms.billing === undefined ? [] : [billingObject(state, dlms.clock, dlms.billing, measured)]),
    ...equipment(plan, parts),
    ...children.flatMap(({ profile, child }) => mbusObjects(state, profile, child)),
  ];
}

/** What a simulated meter is made from besides its plan. */
export interface MeterParts {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly state: MeterState;
  readonly counters: CounterMemory;
  /** Those of the unicast key that is in force now: an association keeps what it began with. */
  readonly countersInForce: () => CounterMemory;
  readonly keyring: MeterKeyring;
  readonly limiter: Limiter;
  readonly image: ImageMemory;
  /** Absent: the model has no tariff to be programmed. */
  readonly calendar?: ActivityCalendarMemory | undefined;
  /** Absent: the model keeps no credit. */
  readonly account?: PrepaymentAccount | undefined;
  readonly pushes: readonly PushSchedule[];
  readonly alarms: AlarmDescriptors;
  /** Meters on its M-Bus, each with its own device profile. */
  readonly children?: readonly { readonly profile: DlmsMeterPlan["profile"]; readonly child: MbusChild }[];
  /** The demand reset is acknowledged and not done. */
  readonly hollowReset?: boolean;
  /** Orders to the switch are acknowledged and not done. */
  readonly hollowSwitch?: boolean;
  readonly tampering?: Tampering;
  /** Its network card alone lives: it takes the public client, and has nobody to pass others on to. */
  readonly deadMetrology?: boolean;
  /** Told when the unicast key was replaced: counters under the new one begin anew. */
  readonly onRekeyed: () => void;
}

/** Keys are looked at when an association begins: what was transferred comes into force with the next one. */
function securityOf(plan: DlmsMeterPlan, { keyring, countersInForce }: MeterParts): ClientSecurity {
  const { authentication, ciphering, securitySuite } = plan.profile.dlms.access;
  const { llsSecret, hlsSecret } = plan.held;
  if (authentication === "none") return { mechanism: "none" };
  if (authentication === "lls") {
    assert(llsSecret !== undefined, "an LLS meter has a secret");
    return { mechanism: "lls", secret: fromHex(llsSecret) };
  }
  assert(authentication !== "hls-manufacturer", "no simulated maker has an HLS of its own");
  const digest = authentication !== "hls-gmac" && authentication !== "hls-ecdsa";
  assert(!digest || hlsSecret !== undefined, "a meter that proves by a digest has a secret");
  return {
    mechanism: authentication,
    ...(digest && { hlsSecret: fromHex(hlsSecret ?? "") }),
    ciphered: ciphering !== "none",
    clientSystemTitle: fromHex(plan.clientSystemTitle),
    get keys() {
      return keyring.cipherKeys;
    },
    get counters() {
      return countersInForce();
    },
    suite: securitySuite,
    get policy() {
      return keyring.policy;
    },
    get secrets() {
      return keyring.secrets;
    },
    transactions: { last: undefined },
  } as ClientSecurity;
}

/**
 * A household's electricity meter as its device profile describes it. The public client (SAP 16) sees who the meter is
 * and its invocation counter; only the profile's own client sees data.
 */
export function electricityMeter(plan: DlmsMeterPlan, parts: MeterParts): LogicalDevice {
  const { access, clock, clockSetting, securitySetup } = plan.profile.dlms;
  const { state, counters } = parts;
  const systemTitle = fromHex(plan.systemTitle);
  const logicalDeviceName = `HRS${plan.serial}`.slice(0, 16);
  const message: ConsumerMessage = { value: text(""), octetsMax: 4096 };
  const security = securityOf(plan, parts);
  const proving = security.mechanism !== "none" && security.mechanism !== "lls";
  const common = (settable: boolean): readonly CosemObject[] => [
    dataObject("0.0.42.0.0.255", () => text(logicalDeviceName)),
    sapAssignmentObject(access.serverSap, logicalDeviceName),
    clockObject(state, clock, settable),
    ...(proving ? [dataObject(INVOCATION_COUNTER, () => doubleLongUnsigned(counters.lastAccepted() ?? 0))] : []),
  ];
  const setup = (): CosemObject =>
    securitySetupObject({
      logicalName: securitySetup?.obis ?? SECURITY_SETUP,
      version: securitySetup?.version ?? 0,
      clientSystemTitle: fromHex(plan.clientSystemTitle),
      serverSystemTitle: systemTitle,
      crypto: parts.crypto,
      random: parts.random,
      keyring: parts.keyring,
      keyTransfer: securitySetup?.keyTransfer ?? [],
      keyAgreement: securitySetup?.keyAgreement ?? [],
      onRekeyed: (names) => {
        if (names.includes("unicast")) parts.onRekeyed();
        state.events.record("program.configuration-changed");
      },
    });
  const own: ClientRule = {
    security,
    referencing: access.referencing ?? "logical-name",
    securitySetup: proving ? (securitySetup?.obis ?? SECURITY_SETUP) : undefined,
    objects: () => [
      ...common(clockSetting !== undefined),
      ...(proving ? [setup()] : []),
      ...dataObjects(plan, parts, message),
    ],
  };
  const open: ClientRule = { security: { mechanism: "none" }, securitySetup: undefined, objects: () => common(false) };
  return {
    serverSap: access.serverSap,
    systemTitle,
    maxPduSize: access.maxPduSize === 0 ? 0xffff : access.maxPduSize,
    conformance: conformance(plan),
    clients: new Map([
      [PUBLIC_CLIENT, open],
      [access.clientSap, own],
    ]),
    ...(parts.tampering && { tampering: parts.tampering }),
    ...(parts.deadMetrology === true && { unanswered: new Set([access.clientSap]) }),
  };
}
