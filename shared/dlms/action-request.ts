import { choice, prefixed, sequence, type TypeOf, tagged } from "../wire/codec.ts";
import { unsigned8, unsigned32 } from "../wire/integers.ts";
import { optional, sequenceOf } from "./a-xdr.ts";
import { CosemMethodDescriptor, LIST_MAX } from "./cosem-attribute-descriptor.ts";
import { DataCodec } from "./data.ts";
import { DataBlockSA } from "./data-block.ts";
import { ValueList } from "./set-request.ts";

const cosemMethodDescriptorList = sequenceOf(CosemMethodDescriptor, LIST_MAX, "method descriptors");

/** IEC 62056-5-3, Action-Request, APDU tag 195. */
export const ActionRequest = prefixed(
  "Action-Request",
  0xc3,
  choice("Action-Request", {
    normal: tagged(
      0x01,
      sequence({
        invokeIdAndPriority: unsigned8,
        cosemMethodDescriptor: CosemMethodDescriptor,
        methodInvocationParameters: optional(DataCodec),
      }),
    ),
    /** Asks for the block of the answer after `blockNumber`. */
    nextPblock: tagged(0x02, sequence({ invokeIdAndPriority: unsigned8, blockNumber: unsigned32 })),
    withList: tagged(
      0x03,
      sequence({ invokeIdAndPriority: unsigned8, cosemMethodDescriptorList, methodInvocationParameters: ValueList }),
    ),
    withFirstPblock: tagged(
      0x04,
      sequence({ invokeIdAndPriority: unsigned8, cosemMethodDescriptor: CosemMethodDescriptor, pBlock: DataBlockSA }),
    ),
    withListAndFirstPblock: tagged(
      0x05,
      sequence({ invokeIdAndPriority: unsigned8, cosemMethodDescriptorList, pBlock: DataBlockSA }),
    ),
    withPblock: tagged(0x06, sequence({ invokeIdAndPriority: unsigned8, pBlock: DataBlockSA })),
  }),
);
export type ActionRequest = TypeOf<typeof ActionRequest>;
