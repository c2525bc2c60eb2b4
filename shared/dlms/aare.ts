import { absentable, berInteger, berSequence, element, readElement, required, writeElement } from "../wire/ber.ts";
import { type Codec, encode, type TypeOf, unknownTag } from "../wire/codec.ts";
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

export const ASSOCIATION_RESULT = { accepted: 0, "rejected-permanent": 1, "rejected-transient": 2 } as const;

export const ACSE_SERVICE_USER = {
  null: 0,
  "no-reason-given": 1,
  "application-context-name-not-supported": 2,
  "calling-AP-title-not-recognized": 3,
  "calling-AP-invocation-identifier-not-recognized": 4,
  "calling-AE-qualifier-not-recognized": 5,
  "calling-AE-invocation-identifier-not-recognized": 6,
  "called-AP-title-not-recognized": 7,
  "called-AP-invocation-identifier-not-recognized": 8,
  "called-AE-qualifier-not-recognized": 9,
  "called-AE-invocation-identifier-not-recognized": 10,
  "authentication-mechanism-name-not-recognised": 11,
  "authentication-mechanism-name-required": 12,
  "authentication-failure": 13,
  "authentication-required": 14,
} as const;
export const ACSE_SERVICE_PROVIDER = { null: 0, "no-reason-given": 1, "no-common-acse-version": 2 } as const;

/** Associate-source-diagnostic. */
export interface ResultSourceDiagnostic {
  readonly kind: "acseServiceUser" | "acseServiceProvider";
  readonly value: number;
}
const DIAGNOSTIC_TAG = { acseServiceUser: 0xa1, acseServiceProvider: 0xa2 } as const;
const diagnosticValue = element(0x02, berInteger);
const resultSourceDiagnostic: Codec<ResultSourceDiagnostic> = {
  read: (source) => {
    const { tag, content, offset } = readElement(source);
    if (tag !== DIAGNOSTIC_TAG.acseServiceUser && tag !== DIAGNOSTIC_TAG.acseServiceProvider)
      throw unknownTag("Associate-source-diagnostic", tag, Object.values(DIAGNOSTIC_TAG), offset);
    const value = diagnosticValue.read(content);
    content.finish("Associate-source-diagnostic");
    return { kind: tag === DIAGNOSTIC_TAG.acseServiceUser ? "acseServiceUser" : "acseServiceProvider", value };
  },
  write: (target, { kind, value }) => writeElement(target, DIAGNOSTIC_TAG[kind], encode(diagnosticValue, value)),
};

/** AARE-apdu, tag 0x61. Names are the last arcs of their object identifiers: see acse.ts. */
export const Aare = acseApdu(
  "AARE",
  0x61,
  berSequence("AARE", {
    protocolVersion: absentable(0x80, protocolVersion),
    applicationContextName: required(0xa1, applicationContextName),
    result: required(0xa2, integer),
    resultSourceDiagnostic: required(0xa3, resultSourceDiagnostic),
    /** The server's system title. */
    respondingApTitle: absentable(0xa4, octets),
    respondingAeQualifier: absentable(0xa5, octets),
    respondingApInvocationId: absentable(0xa6, integer),
    respondingAeInvocationId: absentable(0xa7, integer),
    responderAcseRequirements: absentable(0x88, acseRequirements),
    mechanismName: absentable(0x89, mechanismName),
    /** StoC. */
    respondingAuthenticationValue: absentable(0xaa, authenticationValue),
    implementationInformation: absentable(0xbd, octets),
    /** InitiateResponse, its ciphered form, or ConfirmedServiceError. */
    userInformation,
  }),
);
export type Aare = TypeOf<typeof Aare>;

export const NO_AARE_FIELDS = {
  protocolVersion: undefined,
  respondingApTitle: undefined,
  respondingAeQualifier: undefined,
  respondingApInvocationId: undefined,
  respondingAeInvocationId: undefined,
  responderAcseRequirements: undefined,
  mechanismName: undefined,
  respondingAuthenticationValue: undefined,
  implementationInformation: undefined,
  userInformation: undefined,
} as const satisfies Partial<Aare>;
