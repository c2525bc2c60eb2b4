import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned8 } from "../wire/integers.ts";
import { optional, sequenceOf } from "./a-xdr.ts";
import {
  CosemAttributeDescriptor,
  CosemAttributeDescriptorWithSelection,
  LIST_MAX,
  SelectiveAccessDescriptor,
} from "./cosem-attribute-descriptor.ts";
import { DataCodec } from "./data.ts";
import { DataBlockSA } from "./data-block.ts";

const attributeDescriptorList = sequenceOf(CosemAttributeDescriptorWithSelection, LIST_MAX, "attribute descriptors");
/** What the raw data of the blocks of a with-list request join to. */
export const ValueList = sequenceOf(DataCodec, LIST_MAX, "values");

/** IEC 62056-5-3, Set-Request, APDU tag 193. */
export const SetRequest = prefixed(
  "Set-Request",
  0xc1,
  choice("Set-Request", {
    normal: tagged(
      0x01,
      sequence({
        invokeIdAndPriority: unsigned8,
        cosemAttributeDescriptor: CosemAttributeDescriptor,
        accessSelection: optional(SelectiveAccessDescriptor),
        value: DataCodec,
      }),
    ),
    withFirstDatablock: tagged(
      0x02,
      sequence({
        invokeIdAndPriority: unsigned8,
        cosemAttributeDescriptor: CosemAttributeDescriptor,
        accessSelection: optional(SelectiveAccessDescriptor),
        datablock: DataBlockSA,
      }),
    ),
    withDatablock: tagged(0x03, sequence({ invokeIdAndPriority: unsigned8, datablock: DataBlockSA })),
    withList: tagged(0x04, sequence({ invokeIdAndPriority: unsigned8, attributeDescriptorList, valueList: ValueList })),
    withListAndFirstDatablock: tagged(
      0x05,
      sequence({ invokeIdAndPriority: unsigned8, attributeDescriptorList, datablock: DataBlockSA }),
    ),
  }),
);
export type SetRequest = TypeOf<typeof SetRequest>;
