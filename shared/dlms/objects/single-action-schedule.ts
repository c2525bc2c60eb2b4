import { interfaceClass } from "./interface-class.ts";
import { scriptReference } from "./script-table.ts";
import { arrayOf, date, enumeration, structure, time } from "./shape.ts";

/** How many execution times there may be, and whether their times may differ and their dates hold wildcards. */
export const SINGLE_ACTION_SCHEDULE_TYPE = {
  "one-time-wildcards-allowed": 1,
  "n-times-same-time-wildcards-not-allowed": 2,
  "n-times-same-time-wildcards-allowed": 3,
  "n-times-any-time-wildcards-not-allowed": 4,
  "n-times-any-time-wildcards-allowed": 5,
} as const;

/** Single action schedule, class_id 22, version 0. */
export const SingleActionSchedule = interfaceClass(
  "Single action schedule",
  22,
  0,
  {
    executedScript: scriptReference,
    type: enumeration(SINGLE_ACTION_SCHEDULE_TYPE),
    executionTime: arrayOf(structure({ time, date })),
  },
  {},
);
