import type { Data } from "../dlms/data.ts";
import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { type DateTime, dateTimeData } from "../dlms/date-time.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { actionResult, type CosemMethod, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { bool, enumerated, integer, long, meterTimeData, unsigned } from "./cosem-data.ts";
import type { MeterClock } from "./meter-clock.ts";
import { instantIn } from "./meter-instant.ts";
import type { MeterState } from "./meter-state.ts";
import { isSummer, type Zone } from "./zone.ts";

/** Last Sunday of a month, a wall time, in any year. */
const lastSundayOf = (month: number, hour: number, deviation: number, clockStatus: number): DateTime => ({
  year: undefined,
  month,
  dayOfMonth: 0xfe,
  dayOfWeek: 7,
  hour,
  minute: 0,
  second: 0,
  hundredths: 0,
  deviation,
  clockStatus,
});
const CRYSTAL = 1;
const SHIFT_MAX = 900;
const QUARTER_MS = 900_000;
const MINUTE_MS = 60_000;
/** A preset time is given for these: preset_time, begin and end of its validity. */
const PRESET_MEMBERS = 3;

function setTime(clock: MeterClock, zone: Zone, value: Data): number {
  if (value.type !== "octet-string" && value.type !== "date-time") return DATA_ACCESS_RESULT["type-unmatched"];
  const instant = instantIn(zone, value);
  if (instant === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
  clock.set(instant);
  return DATA_ACCESS_RESULT.success;
}

function methodsOf(clock: MeterClock, zone: Zone): Readonly<Record<number, CosemMethod>> {
  const adjust =
    (periodMs: number): CosemMethod =>
    (parameters) => {
      if (parameters?.type !== "integer") return actionResult("type-unmatched");
      clock.adjustTo(periodMs);
      return actionResult("success");
    };
  return {
    1: adjust(QUARTER_MS),
    2: adjust(QUARTER_MS), // the measuring period
    3: adjust(MINUTE_MS),
    4: (parameters) => {
      if (parameters?.type !== "integer") return actionResult("type-unmatched");
      return actionResult(clock.adoptPreset() ? "success" : "other-reason");
    },
    5: (parameters) => {
      if (parameters?.type !== "structure" || parameters.value.length !== PRESET_MEMBERS)
        return actionResult("type-unmatched");
      const [to, from, until] = parameters.value.map((member) => instantIn(zone, member));
      if (to === undefined || from === undefined || until === undefined) return actionResult("type-unmatched");
      clock.preset(to, from, until);
      return actionResult("success");
    },
    6: (parameters) => {
      if (parameters?.type !== "long") return actionResult("type-unmatched");
      if (Math.abs(parameters.value) > SHIFT_MAX) return actionResult("other-reason");
      clock.shift(parameters.value);
      return actionResult("success");
    },
  };
}

/** Clock, class_id 8 version 0. `settable`: this client may set and adjust it. */
export function clockObject(state: MeterState, logicalName: LogicalName, settable = false): CosemObject {
  const { zone, clock } = state;
  const { standardMinutes, summerTime } = zone;
  return {
    classId: 8,
    version: 0,
    logicalName,
    attributes: {
      2: {
        get: () => dataResult(meterTimeData(zone, state.now())),
        ...(settable && { set: (value: Data) => setTime(clock, zone, value) }),
      },
      3: { get: () => dataResult(long(-standardMinutes)) },
      4: { get: () => dataResult(unsigned(isSummer(zone, state.now()) ? 0x80 : 0)) },
      5: { get: () => dataResult(dateTimeData(lastSundayOf(3, 2, -standardMinutes, 0))) },
      6: { get: () => dataResult(dateTimeData(lastSundayOf(10, 3, -standardMinutes - 60, 0x80))) },
      7: { get: () => dataResult(integer(60)) },
      8: { get: () => dataResult(bool(summerTime)) },
      9: { get: () => dataResult(enumerated(CRYSTAL)) },
    },
    ...(settable && { methods: methodsOf(clock, zone) }),
  };
}
