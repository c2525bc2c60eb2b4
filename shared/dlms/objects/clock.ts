import { interfaceClass } from "./interface-class.ts";
import { boolean, dateTime, enumeration, integer, long, structure, unsigned } from "./shape.ts";

export const CLOCK_BASE = {
  "not-defined": 0,
  "internal-crystal": 1,
  "mains-frequency-50-hz": 2,
  "mains-frequency-60-hz": 3,
  "global-positioning-system": 4,
  "radio-controlled": 5,
} as const;

/** Clock, class_id 8, version 0. */
export const Clock = interfaceClass(
  "Clock",
  8,
  0,
  {
    time: dateTime,
    /** Minutes from local standard time to UTC: UTC+1 is -60. */
    timeZone: long,
    status: unsigned,
    daylightSavingsBegin: dateTime,
    daylightSavingsEnd: dateTime,
    /** Minutes that the clock is put forward. */
    daylightSavingsDeviation: integer,
    daylightSavingsEnabled: boolean,
    clockBase: enumeration(CLOCK_BASE),
  },
  {
    adjustToQuarter: integer,
    adjustToMeasuringPeriod: integer,
    adjustToMinute: integer,
    adjustToPresetTime: integer,
    presetAdjustingTime: structure({
      presetTime: dateTime,
      validityIntervalStart: dateTime,
      validityIntervalEnd: dateTime,
    }),
    /** Seconds, -900..900. */
    shiftTime: long,
  },
  0x60,
);
