import { table } from "./table.ts";

/** Which of the four data sets are there is a matter of table 0: a set whose table is not used has no sizes here. */
const LIMITS = `
  record LP_SET_RCD { NBR_BLKS : UINT16; NBR_BLK_INTS : UINT16; NBR_CHNS : UINT8; MAX_INT_TIME : UINT8; }
  LP_MEMORY_LEN : UINT32;
  LP_FLAGS : UINT16 {
    LP_SET1_INHIBIT_OVF_FLAG : 0; LP_SET2_INHIBIT_OVF_FLAG : 1; LP_SET3_INHIBIT_OVF_FLAG : 2; LP_SET4_INHIBIT_OVF_FLAG : 3;
    BLK_END_READ_FLAG : 4; BLK_END_PULSE_FLAG : 5; SCALAR_DIVISOR_FLAG_SET1 : 6; SCALAR_DIVISOR_FLAG_SET2 : 7;
    SCALAR_DIVISOR_FLAG_SET3 : 8; SCALAR_DIVISOR_FLAG_SET4 : 9; EXTENDED_INT_STATUS_FLAG : 10; SIMPLE_INT_STATUS_FLAG : 11;
    BLK_END_RD_INDICATOR_FLAG : 12;
  };
  LP_FMATS : UINT8 {
    INV_UINT8_FLAG : 0; INV_UINT16_FLAG : 1; INV_UINT32_FLAG : 2; INV_INT8_FLAG : 3; INV_INT16_FLAG : 4;
    INV_INT32_FLAG : 5; INV_NI_FMAT1_FLAG : 6; INV_NI_FMAT2_FLAG : 7;
  };
  SET1 : LP_SET_RCD if LP_SET1_USED;
  SET2 : LP_SET_RCD if LP_SET2_USED;
  SET3 : LP_SET_RCD if LP_SET3_USED;
  SET4 : LP_SET_RCD if LP_SET4_USED;`;

const selection = (set: number): string => `
  SET${set} : {
    CHANNELS : { CHNL_FLAG : UINT8 { END_RDG_FLAG : 0; }; LP_SOURCE_SELECT : UINT8; END_BLK_RDG_SOURCE_SELECT : UINT8; } [LIMITS_SET${set}.NBR_CHNS];
    INT_FMT_CDE : UINT8;
    SCALARS : UINT16 [LIMITS_SET${set}.NBR_CHNS] if SCALAR_DIVISOR_FLAG_SET${set};
    DIVISORS : UINT16 [LIMITS_SET${set}.NBR_CHNS] if SCALAR_DIVISOR_FLAG_SET${set};
  } if LP_SET${set}_USED;`;

const status = (set: number): string => `
  SET${set} : {
    FLAGS : UINT8 {
      BLOCK_ORDER : 0; OVERFLOW_FLAG : 1; LIST_TYPE : 2; INHIBIT_OVERFLOW_FLAG : 3; INTERVAL_ORDER : 4; ACTIVE_MODE_FLAG : 5;
      TEST_MODE : 6;
    };
    NBR_VALID_BLOCKS : UINT16;
    LAST_BLOCK_ELEMENT : UINT16;
    LAST_BLOCK_SEQ_NBR : UINT32;
    NBR_UNREAD_BLOCKS : UINT16;
    NBR_VALID_INT : UINT16;
  } if LP_SET${set}_USED;`;

/** Formats of an interval's value, by INT_FMT_CDE. */
export const INTERVAL_FORMATS: Readonly<Record<number, string>> = {
  1: "UINT8",
  2: "UINT16",
  4: "UINT32",
  8: "INT8",
  16: "INT16",
  32: "INT32",
  64: "NI_FMAT1",
  128: "NI_FMAT2",
};

/** One block of a data set; of the newest only its first intervals may count. */
const block = (set: number): string => `
  record INTERVAL_RCD {
    EXTENDED_INT_STATUS : BINARY(LIMITS_SET${set}.NBR_CHNS / 2 + 1) if EXTENDED_INT_STATUS_FLAG;
${Object.entries(INTERVAL_FORMATS)
  .map(
    ([code, type]) =>
      `    INT_DATA_${type} : ${type} [LIMITS_SET${set}.NBR_CHNS] if SELECTED_SET${set}.INT_FMT_CDE == ${code};`,
  )
  .join("\n")}
  }
  LP_DATA_BLK : {
    BLK_END_TIME : STIME_DATE;
    END_READINGS : {
      BLOCK_END_READ : NI_FMAT1 if BLK_END_READ_FLAG;
      BLOCK_END_PULSE : UINT32 if BLK_END_PULSE_FLAG;
    } [LIMITS_SET${set}.NBR_CHNS];
    SIMPLE_INT_STATUS : SET((LIMITS_SET${set}.NBR_BLK_INTS + 7) / 8) if SIMPLE_INT_STATUS_FLAG;
    LP_INT : INTERVAL_RCD [LIMITS_SET${set}.NBR_BLK_INTS];
  } [LIMITS_SET${set}.NBR_BLKS];`;

/** Sets by the numbers of their tables. */
const sets = (of: (set: number) => string): string => [1, 2, 3, 4].map(of).join("\n");

/** Decade 6: load profile. */
export const DECADE_6 = [
  table(60, "DIM_LP_TBL", "confirmed", [], LIMITS),
  table(61, "ACT_LP_TBL", "confirmed", [], LIMITS),
  table(62, "LP_SEL_TBL", "confirmed", [61], sets(selection)),
  table(63, "LP_STATUS_TBL", "confirmed", [61], sets(status)),
  table(64, "LP_DATA_SET1_TBL", "confirmed", [61, 62], block(1)),
  table(65, "LP_DATA_SET2_TBL", "confirmed", [61, 62], block(2)),
  table(66, "LP_DATA_SET3_TBL", "confirmed", [61, 62], block(3)),
  table(67, "LP_DATA_SET4_TBL", "confirmed", [61, 62], block(4)),
] as const;
