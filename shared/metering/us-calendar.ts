/** Layouts of a manufacturer's tables: a calendar, whole in one table, with when it is to become active. */
export const CALENDAR_LAYOUT = `
  CAL_NAME : STRING(8);
  ARMED : UINT8;
  ACTIVATE_AT : LTIME_DATE;
  NBR_SEASONS : UINT8; NBR_WEEKS : UINT8; NBR_SWITCHES : UINT8; NBR_SPECIAL : UINT8;
  SEASONS : { NAME : STRING(8); MONTH : UINT8; DAY : UINT8; WEEK : STRING(8); } [NBR_SEASONS];
  WEEKS : { NAME : STRING(8); DAYS : UINT8 [7]; } [NBR_WEEKS];
  SWITCHES : { DAY : UINT8; MINUTE : UINT16; TIER : UINT8; } [NBR_SWITCHES];
  SPECIAL : { YEAR : UINT16; MONTH : UINT8; DAY : UINT8; DAY_ID : UINT8; } [NBR_SPECIAL];`;
/** Text of the display, blanks at its end. */
export const MESSAGE_LAYOUT = "MESSAGE : STRING(80);";
