import { interfaceClass } from "./interface-class.ts";
import { scriptReference } from "./script-table.ts";
import { any, arrayOf, boolean, dateTime, doubleLongUnsigned, longUnsigned, structure } from "./shape.ts";
import { valueDefinition } from "./value-definition.ts";

/** Limiter, class_id 71, version 0. Thresholds have the type of the monitored value; durations are seconds. */
export const Limiter = interfaceClass(
  "Limiter",
  71,
  0,
  {
    monitoredValue: valueDefinition,
    thresholdActive: any,
    thresholdNormal: any,
    thresholdEmergency: any,
    minOverThresholdDuration: doubleLongUnsigned,
    minUnderThresholdDuration: doubleLongUnsigned,
    emergencyProfile: structure({
      emergencyProfileId: longUnsigned,
      emergencyActivationTime: dateTime,
      emergencyDuration: doubleLongUnsigned,
    }),
    emergencyProfileGroupIdList: arrayOf(longUnsigned),
    emergencyProfileActive: boolean,
    actions: structure({ actionOverThreshold: scriptReference, actionUnderThreshold: scriptReference }),
  },
  {},
);
