import { prefixed, sequence, type TypeOf } from "../wire/codec.ts";
import { integer8, unsigned8, unsigned16 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";
import { boolean, defaulted, optional } from "./a-xdr.ts";
import { Conformance } from "./conformance.ts";

/** IEC 62056-5-3, InitiateRequest. */
export const InitiateRequest = prefixed(
  "InitiateRequest",
  0x01,
  sequence({
    /** Only inside a request that is authenticated and encrypted. */
    dedicatedKey: optional(octetString(32, "a dedicated key")),
    responseAllowed: defaulted(boolean, true),
    proposedQualityOfService: optional(integer8),
    proposedDlmsVersionNumber: unsigned8,
    /** 24 bits, see conformance.ts. */
    proposedConformance: Conformance,
    /** Octets of the largest APDU that the client accepts; 0: no limit. */
    clientMaxReceivePduSize: unsigned16,
  }),
);
export type InitiateRequest = TypeOf<typeof InitiateRequest>;
export const DLMS_VERSION = 6;
