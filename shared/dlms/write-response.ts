import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned16 } from "../wire/integers.ts";
import { sequenceOf } from "./a-xdr.ts";
import { LIST_MAX } from "./cosem-attribute-descriptor.ts";
import { DataAccessResult } from "./data-access-result.ts";

const result = choice("an element of WriteResponse", {
  success: tagged(0x00, sequence({})),
  dataAccessError: tagged(0x01, sequence({ dataAccessError: DataAccessResult })),
  /** The server took this block and waits for the next. */
  blockNumber: tagged(0x02, sequence({ blockNumber: unsigned16 })),
});
export type WriteResult = TypeOf<typeof result>;

/** IEC 62056-5-3, WriteResponse, tag 13: one result for each variable written, in order. */
export const WriteResponse = prefixed(
  "WriteResponse",
  0x0d,
  sequence({ result: sequenceOf(result, LIST_MAX, "results") }),
);
export type WriteResponse = TypeOf<typeof WriteResponse>;
