import { table } from "./table.ts";

const LIMITS = `
  SOURCE_FLAGS : UINT8 {
    PF_EXCLUDE_FLAG : 0; RESET_EXCLUDE_FLAG : 1; BLOCK_DEMAND_FLAG : 2; SLIDING_DEMAND_FLAG : 3; THERMAL_DEMAND_FLAG : 4;
    SET1_PRESENT_FLAG : 5; SET2_PRESENT_FLAG : 6; CONVERSION_ALG_FLAG : 7;
  };
  NBR_UOM_ENTRIES : UINT8;
  NBR_DEMAND_CTRL_ENTRIES : UINT8;
  DATA_CTRL_LENGTH : UINT8;
  NBR_DATA_CTRL_ENTRIES : UINT8;
  NBR_CONSTANTS_ENTRIES : UINT8;
  CONSTANTS_SELECTOR : UINT8;
  NBR_SOURCES : UINT8;`;

/** Decade 1: data sources. Tables 10 and 11 have one layout: the most that there can be, and what there is. */
export const DECADE_1 = [
  table(10, "DIM_SOURCES_LIM_TBL", "single-source", [], LIMITS),
  table(11, "ACT_SOURCES_LIM_TBL", "single-source", [], LIMITS),
  table(
    12,
    "UOM_ENTRY_TBL",
    "confirmed",
    [11],
    `UOM_ENTRY : UINT32 {
       ID_CODE : 0 .. 7; TIME_BASE : 8 .. 10; MULTIPLIER : 11 .. 13; Q1_ACCOUNTABILITY : 14; Q2_ACCOUNTABILITY : 15;
       Q3_ACCOUNTABILITY : 16; Q4_ACCOUNTABILITY : 17; NET_FLOW_ACCOUNTABILITY : 18; SEGMENTATION : 19 .. 21;
       HARMONIC : 22; ID_RESOURCE : 23 .. 27; NFS : 31;
     } [NBR_UOM_ENTRIES];`,
  ),
  table(
    16,
    "SOURCES_TBL",
    "single-source",
    [11],
    `SOURCES_LINK : UINT8 {
       UOM_ENTRY_FLAG : 0; DEMAND_CTRL_FLAG : 1; DATA_CTRL_FLAG : 2; CONSTANTS_FLAG : 3; PULSE_ENGR_FLAG : 4;
       CONSTANT_TO_BE_APPLIED : 5;
     } [NBR_SOURCES];`,
  ),
] as const;
