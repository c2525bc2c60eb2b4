import type { SessionContext } from "../../metering/driver.ts";
import { SessionError } from "../../metering/failure.ts";
import type { MeterKeys } from "../../metering/meter-keys.ts";
import type { Crypto, Curve, PrivateKey } from "../../ports/crypto.ts";
import { parseHex } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { Aare } from "../aare.ts";
import { Aarq } from "../aarq.ts";
import { ACTION_RESULT, nameIn } from "../data-access-result.ts";
import { AssociationLn, CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { AssociationSn } from "../objects/association-sn.ts";
import { methodOf } from "../objects/interface-class.ts";
import type { CipheringSecrets } from "../security/general-ciphering.ts";
import { digestHls, ecdsaHls, gmacHls, type Hls, type HlsMechanism, sha256Hls, type Titles } from "../security/hls.ts";
import { type CipherKeys, TITLE_OCTETS } from "../security/protection.ts";
import { AUTHENTICATED_AND_ENCRYPTED, policyOfBits } from "../security/security-policy.ts";
import { POINT_OCTETS, SUITES } from "../security/security-suite.ts";
import { type ApduChannel, conversationError } from "./apdu-link.ts";
import { ApplicationSecurity } from "./application-security.ts";
import {
  type Agreement,
  type AssociationPlan,
  aarqOf,
  agreementOf,
  initiateRequestOf,
  isHls,
  preEstablished,
} from "./association.ts";
import { channelOf, inBlocks } from "./channel.ts";
import { Exchange } from "./exchange.ts";
import { failureIn } from "./service-failure.ts";
import { byLogicalName } from "./services.ts";
import { DlmsSession } from "./session.ts";
import { cipheringSecretsOf, hlsSecretOf, llsSecretOf } from "./session-keys.ts";
import { ShortNameServices } from "./short-name-services.ts";

const CHALLENGE_OCTETS = { others: 16, "hls-ecdsa": 32 } as const;

/** What a maker's own HLS (mechanism 2) is made of. */
export type ManufacturerHls = (crypto: Crypto, keys: MeterKeys | undefined, titles: Titles) => Hls;

/** The parts of an association in the making. */
interface Making {
  readonly context: SessionContext;
  readonly plan: AssociationPlan;
  readonly hls: Hls | undefined;
  readonly security: ApplicationSecurity | undefined;
  /** Comes into force when both sides are proved. */
  readonly dedicated: CipherKeys | undefined;
  readonly apdus: ApduChannel;
}

/**
 * Associates by the profile's authentication and proves both sides: when it answers, the meter has shown that it holds
 * the enrolled keys *now* (HLS), or nothing speaks against it. Throws `SessionError` or `LinkError`.
 */
export async function openSession(context: SessionContext, manufacturer?: ManufacturerHls): Promise<DlmsSession> {
  const making = make(context, manufacturer);
  try {
    const agreement = await associate(making);
    const { security, plan } = making;
    const apdus = inBlocks(context, agreement, making.apdus);
    const { clock, responseTimeoutMs } = context;
    const exchange = new Exchange({ apdus, clock, responseTimeoutMs, security, agreement });
    const services =
      plan.referencing === "short-name"
        ? new ShortNameServices(exchange, context.profile.dlms.baseNames)
        : byLogicalName(exchange);
    const fixed = context.profile.dlms.access.association === "pre-established";
    const initiate = fixed ? undefined : initiateRequestOf({ ...plan, dedicatedKey: undefined });
    const session = new DlmsSession(exchange, services, apdus, clock, initiate);
    if (making.hls !== undefined) await proveBothSides(making, making.hls, agreement, session);
    if (making.dedicated !== undefined) security?.startDedicated(making.dedicated);
    return session;
  } catch (error) {
    throw conversationError(error, making.apdus.heard);
  }
}

function titleOf(hex: string | undefined): Uint8Array | undefined {
  const octets = hex === undefined ? undefined : parseHex(hex);
  return octets?.length === TITLE_OCTETS ? octets : undefined;
}

function make(context: SessionContext, manufacturer: ManufacturerHls | undefined): Making {
  const { crypto, random, keys, profile } = context;
  const { access } = profile.dlms;
  const { authentication } = access;
  const ciphered = access.ciphering !== "none";
  if (access.association === "pre-established" && (authentication !== "none" || access.dedicatedKey === true))
    throw new SessionError(
      "internal",
      "dlms.pre-established",
      "expected neither authentication nor a dedicated key in a pre-established association",
    );
  const own = titleOf(context.clientSystemTitle);
  const peer = titleOf(context.systemTitle);
  if (own === undefined)
    throw new SessionError("internal", "dlms.client-title", "expected a client system title of 8 octets");
  if ((ciphered || isHls(authentication)) && peer === undefined)
    throw new SessionError("auth", "dlms.title-missing", "expected an enrolled system title for a secured session");
  const keyed = ciphered || authentication === "hls-gmac" || authentication === "hls-ecdsa";
  const now = context.clock.now();
  const certified = peer && { title: peer, now };
  const secrets = keyed ? cipheringSecretsOf(crypto, keys, access.securitySuite, certified) : undefined;
  const titles = peer && { own, peer };
  const security = ciphered && secrets && titles ? securityOf(context, secrets, titles) : undefined;
  const dedicatedKey =
    security !== undefined && access.dedicatedKey === true
      ? random.octets(SUITES[access.securitySuite].keyOctets)
      : undefined;
  const plan: AssociationPlan = {
    referencing: access.referencing ?? "logical-name",
    authentication,
    ciphered,
    clientTitle: own,
    meterTitle: peer,
    secret: authentication === "lls" ? llsSecretOf(keys) : undefined,
    challenge: isHls(authentication)
      ? random.octets(authentication === "hls-ecdsa" ? CHALLENGE_OCTETS["hls-ecdsa"] : CHALLENGE_OCTETS.others)
      : undefined,
    dedicatedKey,
    services: [
      ...(access.generalBlockTransfer === undefined ? [] : (["general-block-transfer"] as const)),
      ...(access.ciphering === "general" || access.ciphering === "general-ciphering"
        ? (["general-protection"] as const)
        : []),
      ...(access.accessService === true ? (["access"] as const) : []),
    ],
    maxPduSize: access.maxPduSize,
  };
  return {
    context,
    plan,
    hls: isHls(authentication) && titles ? hlsOf(context, authentication, secrets, titles, manufacturer) : undefined,
    security,
    dedicated:
      dedicatedKey && secrets
        ? { encryption: crypto.secretKey(dedicatedKey), authentication: secrets.global.authentication }
        : undefined,
    apdus: channelOf(context),
  };
}

function securityOf(context: SessionContext, secrets: CipheringSecrets, titles: Titles): ApplicationSecurity {
  const { crypto, random, counters } = context;
  const { ciphering, cipheringKey, securitySuite: suite, securityPolicy } = context.profile.dlms.access;
  const { curve } = SUITES[suite];
  const policy = securityPolicy === undefined ? AUTHENTICATED_AND_ENCRYPTED : policyOfBits(securityPolicy);
  const agreeing = cipheringKey === "one-pass" || cipheringKey === "static-unified";
  const lacks =
    (policy.request.signed && secrets.ownSigning === undefined) ||
    (policy.response.signed && secrets.peerSigning === undefined) ||
    (agreeing && (secrets.ownAgreement === undefined || secrets.peerAgreement === undefined)) ||
    (cipheringKey === "one-pass" && (secrets.ownSigning === undefined || secrets.peerSigning === undefined));
  if (lacks)
    throw new SessionError("auth", "dlms.keys-missing", "expected the signing and agreement keys of both sides");
  return new ApplicationSecurity({
    side: { crypto, suite, ownTitle: titles.own, peerTitle: titles.peer, secrets, dedicated: undefined },
    dress: {
      form: ciphering === "none" ? "clear" : ciphering,
      scope: "global",
      ...(ciphering === "general-ciphering" && { key: cipheringKey ?? "identified" }),
    },
    policy,
    nextCounter: () => counters.next(),
    ephemeral: () => ephemeralKey(crypto, random, curve),
  });
}

/** The chance that random octets are no scalar is below 2^-30 on either curve. */
function ephemeralKey(crypto: Crypto, random: SessionContext["random"], curve: Curve | undefined): PrivateKey {
  for (let tries = 0; curve !== undefined && tries < 4; tries++) {
    const key = crypto.privateKey(curve, random.octets(POINT_OCTETS[curve] / 2));
    if (key !== undefined) return key;
  }
  throw new SessionError("internal", "dlms.ephemeral-key", "expected a private key out of random octets");
}

function hlsOf(
  { crypto, keys, counters, profile }: SessionContext,
  mechanism: HlsMechanism,
  secrets: CipheringSecrets | undefined,
  titles: Titles,
  manufacturer: ManufacturerHls | undefined,
): Hls {
  switch (mechanism) {
    case "hls-md5":
      return digestHls(crypto, "md5", hlsSecretOf(keys));
    case "hls-sha1":
      return digestHls(crypto, "sha1", hlsSecretOf(keys));
    case "hls-sha256":
      return sha256Hls(crypto, hlsSecretOf(keys), titles);
    case "hls-gmac":
      if (secrets === undefined) break;
      return gmacHls(crypto, secrets.global, profile.dlms.access.securitySuite, titles, () => counters.next());
    case "hls-ecdsa":
      if (secrets?.curve === undefined || secrets.ownSigning === undefined || secrets.peerSigning === undefined) break;
      return ecdsaHls(crypto, { own: secrets.ownSigning, curve: secrets.curve, peer: secrets.peerSigning }, titles);
    case "hls-manufacturer":
      if (manufacturer !== undefined) return manufacturer(crypto, keys, titles);
      throw new SessionError("unsupported", "dlms.manufacturer-hls", "nobody told how this maker proves (mechanism 2)");
  }
  throw new SessionError("auth", "dlms.keys-missing", `expected the keys that ${mechanism} proves with`);
}

async function associate({ context, plan, security, apdus }: Making): Promise<Agreement> {
  const { association, agreed } = context.profile.dlms.access;
  await apdus.open?.(context.clock.now() + context.responseTimeoutMs);
  if (association === "pre-established") return preEstablished(plan, agreed);
  const initiate = initiateRequestOf(plan);
  await apdus.send(encode(Aarq, aarqOf(plan, security?.sealInitiate(initiate) ?? initiate)));
  const answer = await apdus.receive(context.clock.now() + context.responseTimeoutMs);
  const failure = failureIn(answer, !plan.ciphered);
  if (failure !== undefined) throw failure;
  return agreementOf(plan, decode(Aare, answer), security);
}

/** Passes 3 and 4 of HLS: the meter gets our proof, and nothing else is sent before its own has been verified. */
async function proveBothSides(making: Making, hls: Hls, agreement: Agreement, session: DlmsSession): Promise<void> {
  const { plan, security } = making;
  const { challenge: serverChallenge } = agreement;
  if (serverChallenge === undefined || plan.challenge === undefined)
    throw new SessionError("internal", "dlms.hls-incomplete", "expected challenges of both sides");
  const of = plan.referencing === "short-name" ? AssociationSn : AssociationLn;
  const reply = methodOf(of, of.methods.replyToHlsAuthentication, CURRENT_ASSOCIATION);
  const { result, returnParameters } = await session.invoke(reply, hls.prove(serverChallenge, plan.challenge));
  if (result !== ACTION_RESULT.success)
    throw new SessionError("auth", "dlms.proof-refused", "the meter refused our proof", {
      retry: result === ACTION_RESULT["temporary-failure"] ? "later" : "never",
      detail: { result: nameIn(ACTION_RESULT, result) },
    });
  const data = returnParameters?.kind === "data" ? returnParameters.data : undefined;
  if (data?.type !== "octet-string")
    throw new SessionError("auth", "dlms.proof-missing", "expected the meter's proof f(CtoS), got none");
  const proved = hls.verify(plan.challenge, serverChallenge, data.value);
  if (proved === undefined)
    throw new SessionError(
      "auth",
      "dlms.bad-proof",
      "the meter's proof f(CtoS) does not verify under its enrolled keys",
    );
  if (proved.counter !== undefined) security?.raiseFloor(proved.counter);
}
