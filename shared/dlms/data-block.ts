import { choice, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned32 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";
import { boolean } from "./a-xdr.ts";
import { DataAccessResult } from "./data-access-result.ts";

/** Octets of one block: what fits an APDU. */
export const RAW_DATA_MAX = 0xffff;
const rawData = octetString(RAW_DATA_MAX, "raw data");

/** IEC 62056-5-3, DataBlock-G: a block that a server sends. Numbers count from 1. */
export const DataBlockG = sequence({
  lastBlock: boolean,
  blockNumber: unsigned32,
  result: choice("the result of DataBlock-G", {
    rawData: tagged(0x00, sequence({ rawData })),
    dataAccessResult: tagged(0x01, sequence({ dataAccessResult: DataAccessResult })),
  }),
});
export type DataBlockG = TypeOf<typeof DataBlockG>;

/** IEC 62056-5-3, DataBlock-SA: a block of SET and ACTION, either way. */
export const DataBlockSA = sequence({ lastBlock: boolean, blockNumber: unsigned32, rawData });
export type DataBlockSA = TypeOf<typeof DataBlockSA>;
