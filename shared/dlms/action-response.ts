import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned8, unsigned32 } from "../wire/integers.ts";
import { optional, sequenceOf } from "./a-xdr.ts";
import { LIST_MAX } from "./cosem-attribute-descriptor.ts";
import { ActionResult } from "./data-access-result.ts";
import { DataBlockSA } from "./data-block.ts";
import { GetDataResult } from "./get-data-result.ts";

/** IEC 62056-5-3, Action-Response-With-Optional-Data. */
export const ActionResponseWithOptionalData = sequence({
  result: ActionResult,
  returnParameters: optional(GetDataResult),
});
export type ActionResponseWithOptionalData = TypeOf<typeof ActionResponseWithOptionalData>;
/** What the raw data of the blocks of a with-list response join to. */
export const ActionResponseList = sequenceOf(ActionResponseWithOptionalData, LIST_MAX, "responses");

/** IEC 62056-5-3, Action-Response, APDU tag 199. */
export const ActionResponse = prefixed(
  "Action-Response",
  0xc7,
  choice("Action-Response", {
    normal: tagged(0x01, sequence({ invokeIdAndPriority: unsigned8, singleResponse: ActionResponseWithOptionalData })),
    withPblock: tagged(0x02, sequence({ invokeIdAndPriority: unsigned8, pBlock: DataBlockSA })),
    withList: tagged(0x03, sequence({ invokeIdAndPriority: unsigned8, listOfResponses: ActionResponseList })),
    /** The server took block `blockNumber` and waits for the next. */
    nextPblock: tagged(0x04, sequence({ invokeIdAndPriority: unsigned8, blockNumber: unsigned32 })),
  }),
);
export type ActionResponse = TypeOf<typeof ActionResponse>;
