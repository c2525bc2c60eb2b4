import { absentable, berSequence, required } from "../wire/ber.ts";
import type { TypeOf } from "../wire/codec.ts";
import {
  acseApdu,
  acseRequirements,
  applicationContextName,
  authenticationValue,
  integer,
  mechanismName,
  octets,
  protocolVersion,
  userInformation,
} from "./acse.ts";

/** AARQ-apdu, tag 0x60. Names are the last arcs of their object identifiers: see acse.ts. */
export const Aarq = acseApdu(
  "AARQ",
  0x60,
  berSequence("AARQ", {
    protocolVersion: absentable(0x80, protocolVersion),
    applicationContextName: required(0xa1, applicationContextName),
    calledApTitle: absentable(0xa2, octets),
    calledAeQualifier: absentable(0xa3, octets),
    calledApInvocationId: absentable(0xa4, integer),
    calledAeInvocationId: absentable(0xa5, integer),
    /** The client's system title. */
    callingApTitle: absentable(0xa6, octets),
    callingAeQualifier: absentable(0xa7, octets),
    callingApInvocationId: absentable(0xa8, integer),
    /** User id of the client. */
    callingAeInvocationId: absentable(0xa9, integer),
    senderAcseRequirements: absentable(0x8a, acseRequirements),
    mechanismName: absentable(0x8b, mechanismName),
    /** LLS secret or CtoS. */
    callingAuthenticationValue: absentable(0xac, authenticationValue),
    implementationInformation: absentable(0xbd, octets),
    /** InitiateRequest, or its ciphered form. */
    userInformation,
  }),
);
export type Aarq = TypeOf<typeof Aarq>;

export const NO_AARQ_FIELDS = {
  protocolVersion: undefined,
  calledApTitle: undefined,
  calledAeQualifier: undefined,
  calledApInvocationId: undefined,
  calledAeInvocationId: undefined,
  callingApTitle: undefined,
  callingAeQualifier: undefined,
  callingApInvocationId: undefined,
  callingAeInvocationId: undefined,
  senderAcseRequirements: undefined,
  mechanismName: undefined,
  callingAuthenticationValue: undefined,
  implementationInformation: undefined,
  userInformation: undefined,
} as const satisfies Partial<Aarq>;
