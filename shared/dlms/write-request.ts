import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { ValueList } from "./set-request.ts";
import { VariableAccessList } from "./variable-access-specification.ts";

/** What a WriteRequest holds behind its tag, and what the blocks of a long one join to. */
export const WriteRequestContent = sequence({
  variableAccessSpecification: VariableAccessList,
  listOfData: ValueList,
});

/** IEC 62056-5-3, WriteRequest, tag 6. */
export const WriteRequest = prefixed("WriteRequest", 0x06, WriteRequestContent);
export type WriteRequest = TypeOf<typeof WriteRequest>;

/** IEC 62056-5-3, UnconfirmedWriteRequest, tag 22: a WriteRequest that nobody answers. */
export const UnconfirmedWriteRequest = prefixed("UnconfirmedWriteRequest", 0x16, WriteRequestContent);
