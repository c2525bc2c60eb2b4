import { table } from "./table.ts";

const LIMITS = `
  LOG_FLAGS : UINT8 {
    EVENT_NUMBER_FLAG : 0; HIST_DATE_TIME_FLAG : 1; HIST_SEQ_NBR_FLAG : 2; HIST_INHIBIT_OVF_FLAG : 3;
    EVENT_INHIBIT_OVF_FLAG : 4;
  };
  NBR_STD_EVENTS : UINT8;
  NBR_MFG_EVENTS : UINT8;
  HIST_DATA_LENGTH : UINT8;
  EVENT_DATA_LENGTH : UINT8;
  NBR_HISTORY_ENTRIES : UINT16;
  NBR_EVENT_ENTRIES : UINT16;
  EXT_LOG_FLAGS : UINT8 if STD_VERSION_NO > 1;
  NBR_PROGRAM_TABLES : UINT16 if STD_VERSION_NO > 1;`;

const LIST = `
  LIST_STATUS : UINT8 { ORDER : 0; OVERFLOW_FLAG : 1; LIST_TYPE : 2; INHIBIT_OVERFLOW_FLAG : 3; };
  NBR_VALID_ENTRIES : UINT16;
  LAST_ENTRY_ELEMENT : UINT16;
  LAST_ENTRY_SEQ_NBR : UINT32;
  NBR_UNREAD_ENTRIES : UINT16;`;

/** Names of table 72 and 73: what can be logged, and what is. */
const setsOfEvents = (suffix: string): string => `
  STD_EVENTS_${suffix} : SET(NBR_STD_EVENTS);
  MFG_EVENTS_${suffix} : SET(NBR_MFG_EVENTS);`;

/** Tables 73 and 75: what is recorded in the one log and in the other. */
const CONTROL = `${setsOfEvents("MONITORED_FLAGS")}
  STD_TBLS_MONITORED_FLAGS : SET(DIM_STD_TBLS_USED);
  MFG_TBLS_MONITORED_FLAGS : SET(DIM_MFG_TBLS_USED);
  STD_PROC_MONITORED_FLAGS : SET(DIM_STD_PROC_USED);
  MFG_PROC_MONITORED_FLAGS : SET(DIM_MFG_PROC_USED);`;

/** Decade 7: logs. LOG_FLAGS is one octet, as two sources have it; a third has two. */
export const DECADE_7 = [
  table(70, "DIM_LOG_TBL", "confirmed", [], LIMITS),
  table(71, "ACT_LOG_TBL", "confirmed", [], LIMITS),
  table(72, "EVENTS_ID_TBL", "confirmed", [71], setsOfEvents("SUPPORTED")),
  table(73, "HISTORY_LOG_CTRL_TBL", "confirmed", [71], CONTROL),
  table(
    74,
    "HISTORY_LOG_DATA_TBL",
    "confirmed",
    [71],
    `${LIST}
     ENTRIES : {
       HISTORY_TIME : LTIME_DATE if HIST_DATE_TIME_FLAG;
       EVENT_NUMBER : UINT16 if EVENT_NUMBER_FLAG;
       HISTORY_SEQ_NBR : UINT16 if HIST_SEQ_NBR_FLAG;
       USER_ID : UINT16;
       HISTORY_CODE : UINT16 { NBR : 0 .. 10; STD_VS_MFG_FLAG : 11; SELECTOR : 12 .. 15; };
       HISTORY_ARGUMENT : BINARY(HIST_DATA_LENGTH);
     } [NBR_HISTORY_ENTRIES];`,
  ),
  table(75, "EVENT_LOG_CTRL_TBL", "single-source", [71], CONTROL),
  table(
    76,
    "EVENT_LOG_DATA_TBL",
    "single-source",
    [71],
    `${LIST}
     ENTRIES : {
       EVENT_TIME : LTIME_DATE;
       EVENT_NUMBER : UINT16 if EVENT_NUMBER_FLAG;
       EVENT_SEQ_NBR : UINT16;
       USER_ID : UINT16;
       EVENT_CODE : UINT16 { NBR : 0 .. 10; STD_VS_MFG_FLAG : 11; SELECTOR : 12 .. 15; };
       EVENT_ARGUMENT : BINARY(EVENT_DATA_LENGTH);
     } [NBR_EVENT_ENTRIES];`,
  ),
] as const;
