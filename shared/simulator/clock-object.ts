import { type DateTime, dateTimeData } from "../dlms/date-time.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { bool, enumerated, integer, long, meterTimeData, unsigned } from "./cosem-data.ts";
import type { MeterState } from "./meter-state.ts";
import { isSummer } from "./zone.ts";

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

/** Clock, class_id 8 version 0. It cannot be set through these associations. */
export function clockObject(state: MeterState, logicalName: LogicalName): CosemObject {
  const { standardMinutes, summerTime } = state.zone;
  return {
    classId: 8,
    version: 0,
    logicalName,
    attributes: {
      2: { get: () => dataResult(meterTimeData(state.zone, state.now())) },
      3: { get: () => dataResult(long(-standardMinutes)) },
      4: { get: () => dataResult(unsigned(isSummer(state.zone, state.now()) ? 0x80 : 0)) },
      5: { get: () => dataResult(dateTimeData(lastSundayOf(3, 2, -standardMinutes, 0))) },
      6: { get: () => dataResult(dateTimeData(lastSundayOf(10, 3, -standardMinutes - 60, 0x80))) },
      7: { get: () => dataResult(integer(60)) },
      8: { get: () => dataResult(bool(summerTime)) },
      9: { get: () => dataResult(enumerated(CRYSTAL)) },
    },
  };
}
