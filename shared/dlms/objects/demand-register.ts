import { interfaceClass } from "./interface-class.ts";
import { scalerUnit } from "./register.ts";
import { any, dateTime, doubleLongUnsigned, integer, longUnsigned } from "./shape.ts";

/** Demand register, class_id 5, version 0: average over `numberOfPeriods` of `period` seconds. */
export const DemandRegister = interfaceClass(
  "Demand register",
  5,
  0,
  {
    currentAverageValue: any,
    lastAverageValue: any,
    scalerUnit,
    status: any,
    captureTime: dateTime,
    startTimeCurrent: dateTime,
    period: doubleLongUnsigned,
    numberOfPeriods: longUnsigned,
  },
  { reset: integer, nextPeriod: integer },
  0x48,
);
