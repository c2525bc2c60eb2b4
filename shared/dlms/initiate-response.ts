import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { integer8, unsigned8, unsigned16 } from "../wire/integers.ts";
import { optional } from "./a-xdr.ts";
import { Conformance } from "./conformance.ts";

/** IEC 62056-5-3, InitiateResponse. */
export const InitiateResponse = prefixed(
  "InitiateResponse",
  0x08,
  sequence({
    negotiatedQualityOfService: optional(integer8),
    negotiatedDlmsVersionNumber: unsigned8,
    negotiatedConformance: Conformance,
    /** Octets of the largest APDU that the server accepts. */
    serverMaxReceivePduSize: unsigned16,
    vaaName: unsigned16,
  }),
);
export type InitiateResponse = TypeOf<typeof InitiateResponse>;
/** vaa-name of logical-name referencing; of short-name referencing it is the base name of the Association SN. */
export const VAA_NAME_LN = 0x0007;
