import type { Data } from "../dlms/data.ts";
import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { scriptReference } from "../dlms/objects/script-table.ts";
import { type CosemAttribute, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { DISCONNECT_SCRIPTS } from "../metering/dlms-equipment.ts";
import {
  array,
  bool,
  doubleLongUnsigned,
  integer,
  longUnsigned,
  meterTimeData,
  name,
  structure,
} from "./cosem-data.ts";
import type { Limiter, LimiterState } from "./limiter.ts";
import { instantIn } from "./meter-instant.ts";
import { LIMITED_POWER } from "./profile-objects.ts";
import type { Zone } from "./zone.ts";

const NO_SCRIPT = "0.0.0.0.0.0";

function number(
  limiter: Limiter,
  key: "thresholdNormal" | "thresholdEmergency" | "minOver" | "minUnder",
): CosemAttribute {
  return {
    get: () => dataResult(doubleLongUnsigned(limiter.state[key])),
    set: (value) => {
      if (value.type !== "double-long-unsigned") return DATA_ACCESS_RESULT["type-unmatched"];
      limiter.change({ [key]: value.value });
      return DATA_ACCESS_RESULT.success;
    },
  };
}

/** emergency_profile: group, when it begins, and its duration in seconds. */
function emergencyIn(zone: Zone, value: Data): LimiterState["emergency"] {
  const [group, begin, duration] = value.type === "structure" && value.value.length === 3 ? value.value : [];
  const from = begin === undefined ? undefined : instantIn(zone, begin);
  if (group?.type !== "long-unsigned" || from === undefined || duration?.type !== "double-long-unsigned")
    return undefined;
  return { group: group.value, from, until: from + duration.value * 1000 };
}

/** Whether a script_reference names this script (true) or none (false); undefined: it names another. */
function actsBy(data: Data | undefined, script: number): boolean | undefined {
  const reference = data === undefined ? undefined : scriptReference.read(data);
  if (reference?.scriptLogicalName === NO_SCRIPT) return false;
  const { table } = DISCONNECT_SCRIPTS;
  return reference?.scriptLogicalName === table && reference.scriptSelector === script ? true : undefined;
}

const watched = structure(
  longUnsigned(LIMITED_POWER.classId),
  name(LIMITED_POWER.obis),
  integer(LIMITED_POWER.attribute),
);

/** Limiter, class_id 71 version 0, of the import power and the supply switch. */
export function limiterObject(logicalName: LogicalName, limiter: Limiter, zone: Zone): CosemObject {
  const action = (acts: boolean, script: number): Data =>
    acts
      ? structure(name(DISCONNECT_SCRIPTS.table), longUnsigned(script))
      : structure(name(NO_SCRIPT), longUnsigned(0));
  return {
    classId: 71,
    version: 0,
    logicalName,
    attributes: {
      2: { get: () => dataResult(watched) },
      3: { get: () => dataResult(doubleLongUnsigned(limiter.thresholdActive)) },
      4: number(limiter, "thresholdNormal"),
      5: number(limiter, "thresholdEmergency"),
      6: number(limiter, "minOver"),
      7: number(limiter, "minUnder"),
      8: {
        get: () => {
          const { emergency = { group: 0, from: 0, until: 0 } } = limiter.state;
          const seconds = doubleLongUnsigned((emergency.until - emergency.from) / 1000);
          return dataResult(structure(longUnsigned(emergency.group), meterTimeData(zone, emergency.from), seconds));
        },
        set: (value) => {
          const emergency = emergencyIn(zone, value);
          if (emergency === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
          limiter.change({ emergency });
          return DATA_ACCESS_RESULT.success;
        },
      },
      9: {
        get: () => dataResult(array(...limiter.state.emergencyGroups.map(longUnsigned))),
        set: (value) => {
          if (value.type !== "array" || !value.value.every((each) => each.type === "long-unsigned"))
            return DATA_ACCESS_RESULT["type-unmatched"];
          limiter.change({ emergencyGroups: value.value.map((each) => each.value as number) });
          return DATA_ACCESS_RESULT.success;
        },
      },
      10: { get: () => dataResult(bool(limiter.emergencyActive)) },
      11: {
        get: () => {
          const { over, under } = limiter.state.acts ?? { over: true, under: true };
          const { disconnect, reconnect } = DISCONNECT_SCRIPTS;
          return dataResult(structure(action(over, disconnect), action(under, reconnect)));
        },
        set: (value) => {
          const [over, under] = value.type === "structure" && value.value.length === 2 ? value.value : [];
          const acts = {
            over: actsBy(over, DISCONNECT_SCRIPTS.disconnect),
            under: actsBy(under, DISCONNECT_SCRIPTS.reconnect),
          };
          if (acts.over === undefined || acts.under === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
          limiter.change({ acts: { over: acts.over, under: acts.under } });
          return DATA_ACCESS_RESULT.success;
        },
      },
    },
  };
}
