import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { VariableAccessList } from "./variable-access-specification.ts";

/** What a ReadRequest holds behind its tag, and what the blocks of a long one join to. */
export const ReadRequestContent = sequence({ variableAccessSpecification: VariableAccessList });

/** IEC 62056-5-3, ReadRequest, tag 5: reads attributes and calls methods by short name. */
export const ReadRequest = prefixed("ReadRequest", 0x05, ReadRequestContent);
export type ReadRequest = TypeOf<typeof ReadRequest>;
