import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned16 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";
import { boolean, sequenceOf } from "./a-xdr.ts";
import { LIST_MAX } from "./cosem-attribute-descriptor.ts";
import { DataCodec } from "./data.ts";
import { DataAccessResult } from "./data-access-result.ts";
import { RAW_DATA_MAX } from "./data-block.ts";

/** IEC 62056-5-3, Data-Block-Result. Numbers count from 1. */
export const DataBlockResult = sequence({
  lastBlock: boolean,
  blockNumber: unsigned16,
  rawData: octetString(RAW_DATA_MAX, "raw data"),
});
export type DataBlockResult = TypeOf<typeof DataBlockResult>;

const result = choice("an element of ReadResponse", {
  data: tagged(0x00, sequence({ data: DataCodec })),
  dataAccessError: tagged(0x01, sequence({ dataAccessError: DataAccessResult })),
  dataBlockResult: tagged(0x02, sequence({ dataBlockResult: DataBlockResult })),
  /** The server took this block of a long request and waits for the next. */
  blockNumber: tagged(0x03, sequence({ blockNumber: unsigned16 })),
});
export type ReadResult = TypeOf<typeof result>;

/** What a ReadResponse holds behind its tag, and what the blocks of a long one join to. */
export const ReadResponseContent = sequence({ result: sequenceOf(result, LIST_MAX, "results") });

/** IEC 62056-5-3, ReadResponse, tag 12: one result for each variable asked for, in order. */
export const ReadResponse = prefixed("ReadResponse", 0x0c, ReadResponseContent);
export type ReadResponse = TypeOf<typeof ReadResponse>;
