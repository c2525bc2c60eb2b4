import { interfaceClass } from "./interface-class.ts";
import { arrayOf, bitString, boolean, date, longUnsigned, obis, structure, time, unsigned } from "./shape.ts";

/** Weekdays: first bit Monday. Special days: bit n is day_id n of the special days table. */
const scheduleTableEntry = structure({
  index: longUnsigned,
  enable: boolean,
  scriptLogicalName: obis,
  scriptSelector: longUnsigned,
  switchTime: time,
  /** Minutes in which a missed entry is still executed; 0xFFFF: always. */
  validityWindow: longUnsigned,
  execWeekdays: bitString,
  execSpecdays: bitString,
  beginDate: date,
  endDate: date,
});

/** Schedule, class_id 10, version 0. */
export const Schedule = interfaceClass(
  "Schedule",
  10,
  0,
  { entries: arrayOf(scheduleTableEntry) },
  {
    /** Disables entries A, enables entries B. */
    enableDisable: structure({
      firstIndexA: longUnsigned,
      lastIndexA: longUnsigned,
      firstIndexB: longUnsigned,
      lastIndexB: longUnsigned,
    }),
    insert: scheduleTableEntry,
    delete: structure({ firstIndex: longUnsigned, lastIndex: longUnsigned }),
  },
);

const specialDayEntry = structure({ index: longUnsigned, specialdayDate: date, dayId: unsigned });

/** Special days table, class_id 11, version 0. */
export const SpecialDaysTable = interfaceClass(
  "Special days table",
  11,
  0,
  { entries: arrayOf(specialDayEntry) },
  { insert: specialDayEntry, delete: longUnsigned },
  0x10,
);
