import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned8, unsigned32 } from "../wire/integers.ts";
import { optional, sequenceOf } from "./a-xdr.ts";
import {
  CosemAttributeDescriptor,
  CosemAttributeDescriptorWithSelection,
  LIST_MAX,
  SelectiveAccessDescriptor,
} from "./cosem-attribute-descriptor.ts";

/** IEC 62056-5-3, Get-Request, APDU tag 192. */
export const GetRequest = prefixed(
  "Get-Request",
  0xc0,
  choice("Get-Request", {
    normal: tagged(
      0x01,
      sequence({
        invokeIdAndPriority: unsigned8,
        cosemAttributeDescriptor: CosemAttributeDescriptor,
        accessSelection: optional(SelectiveAccessDescriptor),
      }),
    ),
    /** Asks for the block after `blockNumber`. */
    next: tagged(0x02, sequence({ invokeIdAndPriority: unsigned8, blockNumber: unsigned32 })),
    withList: tagged(
      0x03,
      sequence({
        invokeIdAndPriority: unsigned8,
        attributeDescriptorList: sequenceOf(CosemAttributeDescriptorWithSelection, LIST_MAX, "attribute descriptors"),
      }),
    ),
  }),
);
export type GetRequest = TypeOf<typeof GetRequest>;
