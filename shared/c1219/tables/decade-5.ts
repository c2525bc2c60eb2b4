import { table } from "./table.ts";

/** What the clock tables and procedure 10 say of a time. */
export const QUALIFIER = `
  TIME_DATE_QUAL : UINT8 {
    DAY_OF_WEEK : 0 .. 2; DST_FLAG : 3; GMT_FLAG : 4; TM_ZN_APPLIED_FLAG : 5; DST_APPLIED_FLAG : 6; DST_SUPPORTED_FLAG : 7;
  };`;

const LIMITS = `
  TIME_FUNC_FLAG1 : UINT8 {
    TOU_SELF_READ_FLAG : 0; SEASON_SELF_READ_FLAG : 1; SEASON_DEMAND_RESET_FLAG : 2; SEASON_CHNG_ARMED_FLAG : 3;
    SORT_DATES_FLAG : 4; ANCHOR_DATE_FLAG : 5;
  };
  TIME_FUNC_FLAG2 : UINT8 {
    CAP_DST_AUTO_FLAG : 0; SEPARATE_WEEKDAYS_FLAG : 1; SEPARATE_SUM_DEMANDS_FLAG : 2; SORT_TIER_SWITCHES_FLAG : 3;
    CAP_TM_ZN_OFFSET_FLAG : 4;
  };
  CALENDAR_FUNC : UINT8 { NBR_SEASONS : 0 .. 3; NBR_SPECIAL_SCHED : 4 .. 7; };
  NBR_NON_RECURR_DATES : UINT8;
  NBR_RECURR_DATES : UINT8;
  NBR_TIER_SWITCHES : UINT16;
  CALENDAR_TBL_SIZE : UINT16;`;

/** Decade 5: time of use and the clock. */
export const DECADE_5 = [
  table(50, "DIM_TIME_TOU_TBL", "confirmed", [], LIMITS),
  table(51, "ACT_TIME_TOU_TBL", "confirmed", [], LIMITS),
  table(52, "CLOCK_TBL", "confirmed", [], `CLOCK_CALENDAR : LTIME_DATE; ${QUALIFIER}`),
  table(
    55,
    "CLOCK_STATE_TBL",
    "single-source",
    [],
    `CLOCK_CALENDAR : LTIME_DATE;
     ${QUALIFIER}
     STATUS : UINT16 { CURR_TIER : 0 .. 2; TIER_DRIVE : 6 .. 7; SPECIAL_SCHD_ACTIVE : 8 .. 11; SEASON : 12 .. 15; };`,
  ),
  table(
    53,
    "TIME_OFFSET_TBL",
    "single-source",
    [51],
    `DST_TIME_EFF : TIME;
     DST_TIME_AMT : UINT8;
     TIME_ZONE_OFFSET : INT16 if CAP_TM_ZN_OFFSET_FLAG;
     STD_TIME_EFF : TIME if CAP_TM_ZN_OFFSET_FLAG;`,
  ),
  table(
    56,
    "TIME_REMAIN_TBL",
    "single-source",
    [51],
    `TIER_TIME_REMAIN : UINT16 if not SEPARATE_SUM_DEMANDS_FLAG;
     SELF_READ_DAYS_REMAIN : UINT8 if not SEPARATE_SUM_DEMANDS_FLAG;`,
  ),
] as const;
