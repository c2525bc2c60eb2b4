import { attribute, type InterfaceClass, method } from "./interface-class.ts";
import { boolean, dateTime, enumerated, integer, long, obis, structure, unsigned } from "./shape.ts";

/** Clock, class_id 8, version 0. */
export const Clock = {
  classId: 8,
  version: 0,
  attributes: {
    logicalName: attribute(1, obis),
    time: attribute(2, dateTime),
    /** Minutes from local standard time to UTC: UTC+1 is -60. */
    timeZone: attribute(3, long),
    status: attribute(4, unsigned),
    daylightSavingsBegin: attribute(5, dateTime),
    daylightSavingsEnd: attribute(6, dateTime),
    /** Minutes that the clock is put forward. */
    daylightSavingsDeviation: attribute(7, integer),
    daylightSavingsEnabled: attribute(8, boolean),
    clockBase: attribute(9, enumerated),
  },
  methods: {
    adjustToQuarter: method(1, integer),
    adjustToMeasuringPeriod: method(2, integer),
    adjustToMinute: method(3, integer),
    adjustToPresetTime: method(4, integer),
    presetAdjustingTime: method(
      5,
      structure({ presetTime: dateTime, validityIntervalStart: dateTime, validityIntervalEnd: dateTime }),
    ),
    /** Seconds, -900..900. */
    shiftTime: method(6, long),
  },
} as const satisfies InterfaceClass;
