import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned8, unsigned32 } from "../wire/integers.ts";
import { sequenceOf } from "./a-xdr.ts";
import { LIST_MAX } from "./cosem-attribute-descriptor.ts";
import { DataAccessResult } from "./data-access-result.ts";

const resultList = sequenceOf(DataAccessResult, LIST_MAX, "results");

/** IEC 62056-5-3, Set-Response, APDU tag 197. */
export const SetResponse = prefixed(
  "Set-Response",
  0xc5,
  choice("Set-Response", {
    normal: tagged(0x01, sequence({ invokeIdAndPriority: unsigned8, result: DataAccessResult })),
    datablock: tagged(0x02, sequence({ invokeIdAndPriority: unsigned8, blockNumber: unsigned32 })),
    lastDatablock: tagged(
      0x03,
      sequence({ invokeIdAndPriority: unsigned8, result: DataAccessResult, blockNumber: unsigned32 }),
    ),
    lastDatablockWithList: tagged(
      0x04,
      sequence({ invokeIdAndPriority: unsigned8, result: resultList, blockNumber: unsigned32 }),
    ),
    withList: tagged(0x05, sequence({ invokeIdAndPriority: unsigned8, result: resultList })),
  }),
);
export type SetResponse = TypeOf<typeof SetResponse>;
