import { equalOctets } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { Aare, ACSE_SERVICE_USER, ASSOCIATION_RESULT, NO_AARE_FIELDS } from "../aare.ts";
import type { Aarq } from "../aarq.ts";
import {
  CONFIRMED_SERVICE,
  ConfirmedServiceError,
  INITIATE_ERROR,
  SERVICE_ERROR_CATEGORY,
} from "../confirmed-service-error.ts";
import { conformanceFor } from "../conformance.ts";
import { DLMS_VERSION, InitiateRequest } from "../initiate-request.ts";
import { ECDSA_CHALLENGE_MIN } from "../security/hls.ts";
import { CHALLENGE_MAX, CHALLENGE_MIN } from "../security/hls-gmac.ts";
import type { Dress } from "../security/secured-apdu.ts";
import { SUITES } from "../security/security-suite.ts";
import { contextOf, MECHANISM_OF } from "./association-object.ts";
import type { ClientRule, ClientSecurity, HlsSecurity, LogicalDevice } from "./logical-device.ts";
import { decodedOr, openRequest, type SecureContext } from "./protection.ts";

export type Diagnostic = keyof typeof ACSE_SERVICE_USER;
/** Below this an APDU could not carry a block beside its protection. */
const PDU_SIZE_MIN = 64;

export type Judged =
  | {
      readonly kind: "accepted";
      readonly initiate: InitiateRequest;
      readonly conformance: number;
      /** How the InitiateRequest was protected; undefined: in clear. */
      readonly dress: Dress | undefined;
      readonly clientChallenge: Uint8Array | undefined;
    }
  | { readonly kind: "rejected"; readonly diagnostic: Diagnostic; readonly initiateError?: keyof typeof INITIATE_ERROR }
  | { readonly kind: "stale"; readonly least: number };

const rejected = (diagnostic: Diagnostic, initiateError?: keyof typeof INITIATE_ERROR): Judged => ({
  kind: "rejected",
  diagnostic,
  ...(initiateError && { initiateError }),
});

/** Context, mechanism, title and authentication value: undefined when they are as the rule demands. */
function identityFault(aarq: Aarq, { security, referencing }: ClientRule): Diagnostic | undefined {
  const ciphered = isHls(security) && security.ciphered;
  if (aarq.applicationContextName !== contextOf(ciphered, referencing)) return "application-context-name-not-supported";
  const mechanism = aarq.mechanismName;
  if (security.mechanism === "none")
    return mechanism === undefined || mechanism === MECHANISM_OF.none
      ? undefined
      : "authentication-mechanism-name-not-recognised";
  if (mechanism === undefined || aarq.senderAcseRequirements !== true) return "authentication-mechanism-name-required";
  if (mechanism !== MECHANISM_OF[security.mechanism]) return "authentication-mechanism-name-not-recognised";
  const value = aarq.callingAuthenticationValue;
  if (security.mechanism === "lls")
    return value !== undefined && equalOctets(value, security.secret) ? undefined : "authentication-failure";
  const title = aarq.callingApTitle;
  // Nothing of mechanisms 3 and 4 in clear is made of a title, and clients leave it out.
  const untitled = !ciphered && (security.mechanism === "hls-md5" || security.mechanism === "hls-sha1");
  const known = title === undefined ? untitled : equalOctets(title, security.clientSystemTitle);
  if (!known) return "calling-AP-title-not-recognized";
  const least = security.mechanism === "hls-ecdsa" ? ECDSA_CHALLENGE_MIN : CHALLENGE_MIN;
  if (value === undefined || value.length < least || value.length > CHALLENGE_MAX) return "authentication-failure";
  return undefined;
}

/** Judges an AARQ by the rule of its client SAP. `secure`: the keys to open a ciphered InitiateRequest with. */
export function judge(aarq: Aarq, device: LogicalDevice, rule: ClientRule, secure: SecureContext | undefined): Judged {
  const { security, referencing = "logical-name" } = rule;
  const fault = identityFault(aarq, rule);
  if (fault !== undefined) return rejected(fault);
  const information = aarq.userInformation;
  if (information === undefined) return rejected("no-reason-given", "other");
  let octets = information;
  let dress: Dress | undefined;
  if (isHls(security) && security.ciphered && secure !== undefined) {
    const opened = decodedOr(() => openRequest(secure, information, true));
    if (opened?.kind === "stale") return opened;
    if (opened?.kind !== "opened") return rejected("authentication-failure");
    octets = opened.apdu;
    dress = opened.dress;
  }
  const initiate = decodedOr(() => decode(InitiateRequest, octets));
  if (initiate === undefined) return rejected("no-reason-given", "other");
  if (initiate.proposedDlmsVersionNumber < DLMS_VERSION) return rejected("no-reason-given", "dlms-version-too-low");
  const size = initiate.clientMaxReceivePduSize;
  if (size !== 0 && size < PDU_SIZE_MIN) return rejected("no-reason-given", "pdu-size-too-short");
  const conformance = conformanceFor(referencing, initiate.proposedConformance & device.conformance);
  if (conformance === 0) return rejected("no-reason-given", "incompatible-conformance");
  if (
    initiate.dedicatedKey !== undefined &&
    (dress === undefined || dress.form === "clear" || initiate.dedicatedKey.length !== keyOctetsOf(security))
  )
    return rejected("no-reason-given", "refused-by-the-VDE-handler");
  return { kind: "accepted", initiate, conformance, dress, clientChallenge: aarq.callingAuthenticationValue };
}

export const isHls = (security: ClientSecurity): security is Extract<ClientSecurity, HlsSecurity> =>
  security.mechanism !== "none" && security.mechanism !== "lls";
const keyOctetsOf = (security: ClientSecurity): number => SUITES[isHls(security) ? (security.suite ?? 0) : 0].keyOctets;

/** The AARE that rejects for good. */
export const rejection = (
  applicationContextName: number,
  diagnostic: Diagnostic,
  initiateError?: keyof typeof INITIATE_ERROR,
): Uint8Array =>
  encode(Aare, {
    ...NO_AARE_FIELDS,
    applicationContextName,
    result: ASSOCIATION_RESULT["rejected-permanent"],
    resultSourceDiagnostic: { kind: "acseServiceUser", value: ACSE_SERVICE_USER[diagnostic] },
    userInformation:
      initiateError &&
      encode(ConfirmedServiceError, {
        confirmedServiceError: CONFIRMED_SERVICE.initiateError,
        serviceError: SERVICE_ERROR_CATEGORY.initiate,
        value: INITIATE_ERROR[initiateError],
      }),
  });
