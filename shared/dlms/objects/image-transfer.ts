import { interfaceClass } from "./interface-class.ts";
import { arrayOf, bitString, boolean, doubleLongUnsigned, enumeration, integer, octets, structure } from "./shape.ts";

export const IMAGE_TRANSFER_STATUS = {
  "not-initiated": 0,
  initiated: 1,
  "verification-initiated": 2,
  "verification-successful": 3,
  "verification-failed": 4,
  "activation-initiated": 5,
  "activation-successful": 6,
  "activation-failed": 7,
} as const;

/** Image transfer, class_id 18, version 0. */
export const ImageTransfer = interfaceClass(
  "Image transfer",
  18,
  0,
  {
    /** Octets. */
    imageBlockSize: doubleLongUnsigned,
    /** First bit: block 0. */
    imageTransferredBlocksStatus: bitString,
    imageFirstNotTransferredBlockNumber: doubleLongUnsigned,
    imageTransferEnabled: boolean,
    imageTransferStatus: enumeration(IMAGE_TRANSFER_STATUS),
    imageToActivateInfo: arrayOf(
      structure({
        imageToActivateSize: doubleLongUnsigned,
        imageToActivateIdentification: octets,
        imageToActivateSignature: octets,
      }),
    ),
  },
  {
    imageTransferInitiate: structure({ imageIdentifier: octets, imageSize: doubleLongUnsigned }),
    imageBlockTransfer: structure({ imageBlockNumber: doubleLongUnsigned, imageBlockValue: octets }),
    imageVerify: integer,
    imageActivate: integer,
  },
  0x40,
);
