import { interfaceClass } from "./interface-class.ts";
import { arrayOf, dateTime, integer, longUnsigned, obis, octets, structure, time, unsigned } from "./shape.ts";

/** week_profile_name and season_profile_name are octet-strings; meters use one octet or a text. */
const season = structure({ seasonProfileName: octets, seasonStart: dateTime, weekName: octets });
/** Each day holds a day_id. */
const weekProfile = structure({
  weekProfileName: octets,
  monday: unsigned,
  tuesday: unsigned,
  wednesday: unsigned,
  thursday: unsigned,
  friday: unsigned,
  saturday: unsigned,
  sunday: unsigned,
});
const dayProfile = structure({
  dayId: unsigned,
  daySchedule: arrayOf(structure({ startTime: time, scriptLogicalName: obis, scriptSelector: longUnsigned })),
});

/** Activity calendar, class_id 20, version 0. */
export const ActivityCalendar = interfaceClass(
  "Activity calendar",
  20,
  0,
  {
    calendarNameActive: octets,
    seasonProfileActive: arrayOf(season),
    weekProfileTableActive: arrayOf(weekProfile),
    dayProfileTableActive: arrayOf(dayProfile),
    calendarNamePassive: octets,
    seasonProfilePassive: arrayOf(season),
    weekProfileTablePassive: arrayOf(weekProfile),
    dayProfileTablePassive: arrayOf(dayProfile),
    activatePassiveCalendarTime: dateTime,
  },
  { activatePassiveCalendar: integer },
  0x50,
);
