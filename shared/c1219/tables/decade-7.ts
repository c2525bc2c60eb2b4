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

/** Decade 7: logs. How wide LOG_FLAGS is, two sources see differently; its total length tells. */
export const DECADE_7 = [
  table(70, "DIM_LOG_TBL", "single-source", [], LIMITS),
  table(71, "ACT_LOG_TBL", "single-source", [], LIMITS),
] as const;
