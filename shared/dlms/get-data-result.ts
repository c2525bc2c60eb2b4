import { choice, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { DataCodec } from "./data.ts";
import { DataAccessResult } from "./data-access-result.ts";

/** IEC 62056-5-3, Get-Data-Result. */
export const GetDataResult = choice("Get-Data-Result", {
  data: tagged(0x00, sequence({ data: DataCodec })),
  dataAccessResult: tagged(0x01, sequence({ dataAccessResult: DataAccessResult })),
});
export type GetDataResult = TypeOf<typeof GetDataResult>;
