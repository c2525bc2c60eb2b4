import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned8 } from "../wire/integers.ts";
import { sequenceOf } from "./a-xdr.ts";
import { LIST_MAX } from "./cosem-attribute-descriptor.ts";
import { DataBlockG } from "./data-block.ts";
import { GetDataResult } from "./get-data-result.ts";

/** What the raw data of the blocks of a with-list response join to. */
export const GetDataResultList = sequenceOf(GetDataResult, LIST_MAX, "results");

/** IEC 62056-5-3, Get-Response, APDU tag 196. */
export const GetResponse = prefixed(
  "Get-Response",
  0xc4,
  choice("Get-Response", {
    normal: tagged(0x01, sequence({ invokeIdAndPriority: unsigned8, result: GetDataResult })),
    withDatablock: tagged(0x02, sequence({ invokeIdAndPriority: unsigned8, result: DataBlockG })),
    withList: tagged(0x03, sequence({ invokeIdAndPriority: unsigned8, result: GetDataResultList })),
  }),
);
export type GetResponse = TypeOf<typeof GetResponse>;
