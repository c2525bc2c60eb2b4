import { SessionError } from "../../metering/failure.ts";
import { equalOctets } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { type Aare, ACSE_SERVICE_PROVIDER, ACSE_SERVICE_USER, ASSOCIATION_RESULT } from "../aare.ts";
import { type Aarq, NO_AARQ_FIELDS } from "../aarq.ts";
import { applicationContextOf, MECHANISM } from "../acse.ts";
import { ConfirmedServiceError, INITIATE_ERROR } from "../confirmed-service-error.ts";
import { type ConformanceService, conformanceFor, conformanceOf, type Referencing } from "../conformance.ts";
import { nameIn } from "../data-access-result.ts";
import { DLMS_VERSION, InitiateRequest } from "../initiate-request.ts";
import { InitiateResponse, VAA_NAME_LN } from "../initiate-response.ts";
import { ASSOCIATION_SN_BASE_NAME } from "../objects/association-sn.ts";
import { ECDSA_CHALLENGE_MIN, type HlsMechanism } from "../security/hls.ts";
import { CHALLENGE_MAX, CHALLENGE_MIN } from "../security/hls-gmac.ts";
import { type ApplicationSecurity, wrongTitle } from "./application-security.ts";

export type Authentication = "none" | "lls" | HlsMechanism;
export const isHls = (authentication: Authentication): authentication is HlsMechanism =>
  authentication !== "none" && authentication !== "lls";

/** What is asked of an association. */
export interface AssociationPlan {
  readonly referencing: Referencing;
  readonly authentication: Authentication;
  readonly ciphered: boolean;
  readonly clientTitle: Uint8Array;
  /** The enrolled title; undefined where nothing needs one. */
  readonly meterTitle: Uint8Array | undefined;
  /** LLS. */
  readonly secret: Uint8Array | undefined;
  /** CtoS, HLS. */
  readonly challenge: Uint8Array | undefined;
  /** A new key for this association alone; absent: none is proposed. */
  readonly dedicatedKey?: Uint8Array | undefined;
  /** Proposed beside the everyday ones. */
  readonly services?: readonly ConformanceService[];
  /** Octets of the largest APDU that we accept. */
  readonly maxPduSize: number;
}

/** What an association agreed on. */
export interface Agreement {
  /** 24 bits: what both sides offer. */
  readonly conformance: number;
  /** Octets of the largest APDU that the meter accepts. */
  readonly serverMaxPduSize: number;
  /** Nothing has proved the meter freshly: only what reads may be asked. */
  readonly readOnly?: true;
  /** StoC, HLS. */
  readonly challenge: Uint8Array | undefined;
  /** The title that the meter shows in its answer; absent: it shows none. */
  readonly respondingTitle?: Uint8Array;
}

/** Everyday services of both referencings; each association proposes those of its own. */
export const PROPOSED_CONFORMANCE = conformanceOf(
  "read",
  "write",
  "unconfirmed-write",
  "parameterized-access",
  "priority-mgmt-supported",
  "block-transfer-with-get-or-read",
  "block-transfer-with-set-or-write",
  "block-transfer-with-action",
  "multiple-references",
  "get",
  "set",
  "selective-access",
  "action",
);
/** What a plan proposes: the everyday services, and those that its profile names. */
const proposed = ({ referencing, services = [] }: AssociationPlan): number =>
  conformanceFor(referencing, PROPOSED_CONFORMANCE | conformanceOf(...services));

/** The least size of APDU that a meter may offer; below it not even a reply to HLS fits. */
const SERVER_PDU_MIN = 64;
const SERVER_PDU_UNLIMITED = 0xffff;
const MECHANISM_OF = {
  none: undefined,
  lls: MECHANISM["low-level-security"],
  "hls-manufacturer": MECHANISM["high-level-security"],
  "hls-md5": MECHANISM["high-level-security-md5"],
  "hls-sha1": MECHANISM["high-level-security-sha1"],
  "hls-gmac": MECHANISM["high-level-security-gmac"],
  "hls-sha256": MECHANISM["high-level-security-sha256"],
  "hls-ecdsa": MECHANISM["high-level-security-ecdsa"],
} as const;

const contextOf = ({ referencing, ciphered }: AssociationPlan): number => applicationContextOf(referencing, ciphered);

export const initiateRequestOf = (plan: AssociationPlan): Uint8Array =>
  encode(InitiateRequest, {
    dedicatedKey: plan.dedicatedKey,
    responseAllowed: true,
    proposedQualityOfService: undefined,
    proposedDlmsVersionNumber: DLMS_VERSION,
    proposedConformance: proposed(plan),
    clientMaxReceivePduSize: plan.maxPduSize,
  });

/** Services that change nothing, and what they need. */
const READING = conformanceOf(
  "general-protection",
  "general-block-transfer",
  "delta-value-encoding",
  "priority-mgmt-supported",
  "block-transfer-with-get-or-read",
  "multiple-references",
  "get",
  "selective-access",
  "read",
  "parameterized-access",
);
/** What a pre-established association takes where its device profile does not say more. */
const LEAST = { conformance: conformanceOf("get", "read"), serverMaxPduSize: SERVER_PDU_MIN };

/** The agreement of a pre-established association, cut down to what reads: nothing proves the meter freshly. */
export const preEstablished = (
  { referencing }: AssociationPlan,
  { conformance, serverMaxPduSize }: { readonly conformance: number; readonly serverMaxPduSize: number } = LEAST,
): Agreement => ({
  conformance: conformanceFor(referencing, conformance & READING),
  serverMaxPduSize,
  readOnly: true,
  challenge: undefined,
});

/** The AARQ; `userInformation` is the InitiateRequest, ciphered where the plan says so. */
export const aarqOf = (plan: AssociationPlan, userInformation: Uint8Array): Aarq => ({
  ...NO_AARQ_FIELDS,
  applicationContextName: contextOf(plan),
  callingApTitle: plan.ciphered || isHls(plan.authentication) ? plan.clientTitle : undefined,
  senderAcseRequirements: plan.authentication === "none" ? undefined : true,
  mechanismName: MECHANISM_OF[plan.authentication],
  callingAuthenticationValue: plan.authentication === "lls" ? plan.secret : plan.challenge,
  userInformation,
});

/** Diagnostics that say that keys, titles or secrets don't fit. */
const ABOUT_AUTHENTICATION: readonly number[] = [
  ACSE_SERVICE_USER["calling-AP-title-not-recognized"],
  ACSE_SERVICE_USER["authentication-mechanism-name-not-recognised"],
  ACSE_SERVICE_USER["authentication-mechanism-name-required"],
  ACSE_SERVICE_USER["authentication-failure"],
  ACSE_SERVICE_USER["authentication-required"],
];

function rejection(aare: Aare): SessionError {
  const { kind, value } = aare.resultSourceDiagnostic;
  const detail = {
    result: nameIn(ASSOCIATION_RESULT, aare.result),
    source: kind,
    diagnostic: nameIn(kind === "acseServiceUser" ? ACSE_SERVICE_USER : ACSE_SERVICE_PROVIDER, value),
    initiateError: initiateErrorOf(aare.userInformation),
  };
  const message = `the meter rejected the association: ${detail.result}, ${detail.diagnostic}`;
  if (aare.result === ASSOCIATION_RESULT["rejected-transient"])
    return new SessionError("refused", "dlms.association-rejected", message, { detail, retry: "later" });
  const auth = kind === "acseServiceUser" && ABOUT_AUTHENTICATION.includes(value);
  return new SessionError(auth ? "auth" : "refused", "dlms.association-rejected", message, { detail });
}

function initiateErrorOf(userInformation: Uint8Array | undefined): string | undefined {
  if (userInformation?.[0] !== 0x0e) return undefined;
  return nameIn(INITIATE_ERROR, decode(ConfirmedServiceError, userInformation).value);
}

/**
 * Judges an AARE against the plan. Throws `SessionError`: `dlms.association-rejected`, `dlms.wrong-title`,
 * `dlms.echoed-challenge`, `dlms.bad-challenge`, `dlms.wrong-context`, `dlms.wrong-mechanism`, what
 * `ApplicationSecurity.openInitiate` throws, and `dlms.initiate-…` for an unusable agreement.
 */
export function agreementOf(plan: AssociationPlan, aare: Aare, security: ApplicationSecurity | undefined): Agreement {
  if (aare.result !== ASSOCIATION_RESULT.accepted) throw rejection(aare);
  if (aare.applicationContextName !== contextOf(plan))
    throw new SessionError(
      "protocol",
      "dlms.wrong-context",
      "the meter accepted another application context than asked for",
      {
        detail: { expected: contextOf(plan), received: aare.applicationContextName },
      },
    );
  const mechanism = MECHANISM_OF[plan.authentication];
  if (aare.mechanismName !== undefined && aare.mechanismName !== (mechanism ?? 0))
    throw new SessionError("auth", "dlms.wrong-mechanism", "the meter accepted another authentication than asked for", {
      detail: { expected: mechanism, received: aare.mechanismName },
    });
  const title = aare.respondingApTitle;
  if (title !== undefined && plan.meterTitle !== undefined && !equalOctets(title, plan.meterTitle))
    throw wrongTitle(plan.meterTitle, title);
  const challenge = isHls(plan.authentication) ? challengeOf(plan, aare) : undefined;
  if (aare.userInformation === undefined)
    throw new SessionError("protocol", "dlms.initiate-missing", "expected an InitiateResponse in the AARE, got none");
  const plain = security === undefined ? aare.userInformation : security.openInitiate(aare.userInformation);
  const initiate = decode(InitiateResponse, plain);
  const vaaName = plan.referencing === "short-name" ? ASSOCIATION_SN_BASE_NAME : VAA_NAME_LN;
  if (initiate.negotiatedDlmsVersionNumber !== DLMS_VERSION || initiate.vaaName !== vaaName)
    throw new SessionError("protocol", "dlms.initiate-version", `expected DLMS version 6 by ${plan.referencing}s`, {
      detail: { version: initiate.negotiatedDlmsVersionNumber, vaaName: initiate.vaaName },
    });
  const serverMaxPduSize =
    initiate.serverMaxReceivePduSize === 0 ? SERVER_PDU_UNLIMITED : initiate.serverMaxReceivePduSize;
  if (serverMaxPduSize < SERVER_PDU_MIN)
    throw new SessionError("protocol", "dlms.initiate-pdu-size", `expected a PDU size of at least ${SERVER_PDU_MIN}`, {
      detail: { received: serverMaxPduSize },
    });
  return {
    conformance: initiate.negotiatedConformance & proposed(plan),
    serverMaxPduSize,
    challenge,
    ...(title === undefined ? {} : { respondingTitle: title }),
  };
}

function challengeOf(plan: AssociationPlan, aare: Aare): Uint8Array {
  const challenge = aare.respondingAuthenticationValue;
  const least = plan.authentication === "hls-ecdsa" ? ECDSA_CHALLENGE_MIN : CHALLENGE_MIN;
  if (challenge === undefined || challenge.length < least || challenge.length > CHALLENGE_MAX)
    throw new SessionError(
      "auth",
      "dlms.bad-challenge",
      `expected a challenge of ${least} to ${CHALLENGE_MAX} octets`,
      {
        detail: { received: challenge?.length ?? 0 },
      },
    );
  if (plan.challenge !== undefined && equalOctets(challenge, plan.challenge))
    throw new SessionError("auth", "dlms.echoed-challenge", "the meter sent our own challenge back");
  return challenge;
}
