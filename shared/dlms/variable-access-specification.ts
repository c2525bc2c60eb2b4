import { choice, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned8, unsigned16 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";
import { boolean, sequenceOf } from "./a-xdr.ts";
import { LIST_MAX } from "./cosem-attribute-descriptor.ts";
import { DataCodec } from "./data.ts";
import { RAW_DATA_MAX } from "./data-block.ts";

/** ObjectName: a short name. The production is a signed integer; base names are written unsigned: 0xFA00. */
export const ObjectName = unsigned16;

/** IEC 62056-5-3, Variable-Access-Specification. Detailed access (3) is not used in DLMS/COSEM. */
export const VariableAccessSpecification = choice("Variable-Access-Specification", {
  variableName: tagged(0x02, sequence({ variableName: ObjectName })),
  /** Selective access to an attribute, or a method with its parameters. */
  parameterizedAccess: tagged(0x04, sequence({ variableName: ObjectName, selector: unsigned8, parameter: DataCodec })),
  /** Asks for the block of an answer after `blockNumber`. */
  blockNumberAccess: tagged(0x05, sequence({ blockNumber: unsigned16 })),
  /** A block of a long ReadRequest. */
  readDataBlockAccess: tagged(
    0x06,
    sequence({ lastBlock: boolean, blockNumber: unsigned16, rawData: octetString(RAW_DATA_MAX, "raw data") }),
  ),
  /** A block of a long WriteRequest; its raw data are the one octet-string in the list of data. */
  writeDataBlockAccess: tagged(0x07, sequence({ lastBlock: boolean, blockNumber: unsigned16 })),
});
export type VariableAccessSpecification = TypeOf<typeof VariableAccessSpecification>;

export const VariableAccessList = sequenceOf(VariableAccessSpecification, LIST_MAX, "variable access specifications");
