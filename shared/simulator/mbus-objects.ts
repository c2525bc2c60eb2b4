import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { UNIT } from "../dlms/objects/unit.ts";
import { actionResult, type CosemMethod, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import type { DlmsMbusChannel } from "../metering/dlms-equipment.ts";
import type { Measurement } from "../metering/measurement.ts";
import type { DlmsProfile } from "../metering/profile.ts";
import { assert } from "../ports/errors.ts";
import {
  array,
  doubleLongUnsigned,
  enumerated,
  longUnsigned,
  name,
  octetString,
  structure,
  text,
  unsigned,
} from "./cosem-data.ts";
import { dataObject } from "./data-object.ts";
import { DEVICE_TYPE, lastHour, type MbusChild } from "./mbus-child.ts";
import type { MeterState } from "./meter-state.ts";
import { loadProfileObjects, type Measured, registerObjects } from "./profile-objects.ts";
import type { Quantity } from "./quantities.ts";

/** HRS, packed as EN 13757-3 has it: each letter minus 64 in five bits. */
const MANUFACTURER = (8 << 10) | (18 << 5) | 19;
/** Data and value information block of a volume in litres, 8 digits BCD. */
const VOLUME = { data: Uint8Array.of(0x0c), value: Uint8Array.of(0x13) } as const;
const PORT_REFERENCE = "0.0.24.0.0.255";
/** encryption_key_status: 0 none, 1 set, 2 transferred, 3 set and transferred, 4 in use. */
const KEY_STATUS = { none: 0, set: 1 } as const;
const MBUS_KEY_OCTETS = 16;

/** What an M-Bus child measures, by the electricity meter's last reading of its bus. */
export function measuredBy(child: MbusChild): Measured {
  const volume: Quantity = {
    scaler: -3,
    unit: UNIT.m3,
    encode: doubleLongUnsigned,
    at: (instant) => child.litresAt(instant),
    capturedAt: lastHour,
    momentary: false,
  };
  const own: Measurement = child.medium === "gas" ? "volume.gas" : "volume.water";
  return (measurement) => (measurement === own ? volume : undefined);
}

interface ClientMemory {
  primaryAddress: number;
  keyStatus: number;
  installed: boolean;
  alarm: number;
}

/** M-Bus client, class_id 72 version 1. Its keys are kept and never shown. */
function clientObject(channel: DlmsMbusChannel, child: MbusChild, now: () => number): CosemObject {
  const memory: ClientMemory = { primaryAddress: child.channel, keyStatus: KEY_STATUS.none, installed: true, alarm: 0 };
  const seen = (shown: number): number => (memory.installed ? shown : 0);
  const integerMethod =
    (act: () => void): CosemMethod =>
    (parameters) => {
      if (parameters?.type !== "integer") return actionResult("type-unmatched");
      if (!memory.installed) return actionResult("object-unavailable");
      act();
      return actionResult("success");
    };
  const key: CosemMethod = (parameters) => {
    if (parameters?.type !== "octet-string") return actionResult("type-unmatched");
    if (!memory.installed) return actionResult("object-unavailable");
    if (parameters.value.length !== MBUS_KEY_OCTETS) return actionResult("other-reason");
    memory.keyStatus = KEY_STATUS.set;
    return actionResult("success");
  };
  return {
    classId: 72,
    version: 1,
    logicalName: channel.client,
    attributes: {
      2: { get: () => dataResult(name(PORT_REFERENCE)) },
      3: { get: () => dataResult(array(structure(octetString(VOLUME.data), octetString(VOLUME.value)))) },
      4: { get: () => dataResult(doubleLongUnsigned(channel.capturePeriod)) },
      5: {
        get: () => dataResult(unsigned(seen(memory.primaryAddress))),
        set: (given) => {
          if (given.type !== "unsigned") return DATA_ACCESS_RESULT["type-unmatched"];
          memory.primaryAddress = given.value;
          return DATA_ACCESS_RESULT.success;
        },
      },
      6: { get: () => dataResult(doubleLongUnsigned(seen(child.identification))) },
      7: { get: () => dataResult(longUnsigned(seen(MANUFACTURER))) },
      8: { get: () => dataResult(unsigned(seen(1))) },
      9: { get: () => dataResult(unsigned(seen(DEVICE_TYPE[child.medium]))) },
      10: { get: () => dataResult(unsigned(Math.floor(lastHour(now()) / 3_600_000) & 0xff)) },
      11: { get: () => dataResult(unsigned(0)) },
      12: { get: () => dataResult(unsigned(memory.alarm)) },
      13: { get: () => dataResult(longUnsigned(0)) },
      14: { get: () => dataResult(enumerated(memory.keyStatus)) },
    },
    methods: {
      1: (parameters) => {
        if (parameters?.type !== "unsigned") return actionResult("type-unmatched");
        if (memory.installed) return actionResult("other-reason");
        memory.primaryAddress = parameters.value === 0 ? child.channel : parameters.value;
        memory.installed = true;
        return actionResult("success");
      },
      2: integerMethod(() => {
        memory.installed = false;
        memory.keyStatus = KEY_STATUS.none;
      }),
      3: integerMethod(() => undefined),
      4: integerMethod(() => {
        memory.alarm = 0;
      }),
      5: integerMethod(() => undefined),
      7: key,
      8: key,
    },
  };
}
/** All that an electricity meter has of one M-Bus channel, as the child's own device profile names it. */
export function mbusObjects(state: MeterState, profile: DlmsProfile, child: MbusChild): readonly CosemObject[] {
  const { mbus, loadProfiles, clock } = profile.dlms;
  assert(mbus !== undefined, `${profile.name} is read on an M-Bus channel`);
  const measured = measuredBy(child);
  return [
    clientObject(mbus, child, state.now),
    dataObject(`0.${child.channel}.96.1.0.255`, () => text(child.serial)),
    ...registerObjects(state, profile, measured),
    ...loadProfiles.flatMap((each) => loadProfileObjects(state, clock, each, measured)),
  ];
}
