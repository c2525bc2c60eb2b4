import type { SessionContext } from "../../metering/driver.ts";
import { SessionError } from "../../metering/failure.ts";
import { parseHex } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { Aare } from "../aare.ts";
import { Aarq } from "../aarq.ts";
import { ACTION_RESULT, nameIn } from "../data-access-result.ts";
import { ExceptionResponse } from "../exception-response.ts";
import { AssociationLn, CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { methodOf } from "../objects/interface-class.ts";
import { proveGmac, verifyGmac } from "../security/hls-gmac.ts";
import { type CipherKeys, TITLE_OCTETS } from "../security/protection.ts";
import { ApduLink, conversationError } from "./apdu-link.ts";
import { ApplicationSecurity, EXCEPTION_RESPONSE_TAG, exceptionError } from "./application-security.ts";
import { type Agreement, type AssociationPlan, aarqOf, agreementOf, initiateRequestOf } from "./association.ts";
import { Exchange } from "./exchange.ts";
import { DlmsSession } from "./session.ts";
import { cipherKeysOf, llsSecretOf } from "./session-keys.ts";

const CHALLENGE_OCTETS = 16;

/** The parts of an association in the making. */
interface Making {
  readonly context: SessionContext;
  readonly plan: AssociationPlan;
  readonly keys: CipherKeys | undefined;
  readonly security: ApplicationSecurity | undefined;
  readonly apdus: ApduLink;
}

/**
 * Associates by the profile's authentication and proves both sides: when it answers, the meter has shown that it holds
 * the enrolled keys *now* (HLS), or nothing speaks against it. Throws `SessionError` or `LinkError`.
 */
export async function openSession(context: SessionContext): Promise<DlmsSession> {
  const making = make(context);
  try {
    const agreement = await associate(making);
    const { apdus, security, plan } = making;
    const { clock, responseTimeoutMs } = context;
    const exchange = new Exchange({ apdus, clock, responseTimeoutMs, security, agreement });
    const session = new DlmsSession(exchange, apdus, clock, initiateRequestOf(plan));
    if (plan.authentication === "hls-gmac") await proveBothSides(making, agreement, session);
    return session;
  } catch (error) {
    throw conversationError(error, making.apdus.heard);
  }
}

function titleOf(hex: string | undefined): Uint8Array | undefined {
  const octets = hex === undefined ? undefined : parseHex(hex);
  return octets?.length === TITLE_OCTETS ? octets : undefined;
}

function make(context: SessionContext): Making {
  const { access } = context.profile.dlms;
  const ciphered = access.ciphering !== "none";
  const secured = ciphered || access.authentication === "hls-gmac";
  const clientTitle = titleOf(context.clientSystemTitle);
  const meterTitle = titleOf(context.systemTitle);
  if (clientTitle === undefined)
    throw new SessionError("internal", "dlms.client-title", "expected a client system title of 8 octets");
  if (secured && meterTitle === undefined)
    throw new SessionError("auth", "dlms.title-missing", "expected an enrolled system title for a secured session");
  const keys = secured ? cipherKeysOf(context.crypto, context.keys) : undefined;
  const security =
    ciphered && keys !== undefined && meterTitle !== undefined
      ? new ApplicationSecurity({
          crypto: context.crypto,
          keys,
          form: access.ciphering === "general" ? "general" : "service-specific",
          clientTitle,
          meterTitle,
          nextCounter: () => context.counters.next(),
        })
      : undefined;
  const plan: AssociationPlan = {
    authentication: access.authentication,
    ciphered,
    clientTitle,
    meterTitle,
    secret: access.authentication === "lls" ? llsSecretOf(context.keys) : undefined,
    challenge: access.authentication === "hls-gmac" ? context.random.octets(CHALLENGE_OCTETS) : undefined,
    maxPduSize: access.maxPduSize,
  };
  const { clientSap, serverSap } = access;
  const apdus = new ApduLink({ link: context.link, clientSap, serverSap, onFrame: context.onFrame });
  return { context, plan, keys, security, apdus };
}

async function associate({ context, plan, security, apdus }: Making): Promise<Agreement> {
  const initiate = initiateRequestOf(plan);
  await apdus.send(encode(Aarq, aarqOf(plan, security?.seal(initiate) ?? initiate)));
  const answer = await apdus.receive(context.clock.now() + context.responseTimeoutMs);
  if (answer[0] === EXCEPTION_RESPONSE_TAG) throw exceptionError(decode(ExceptionResponse, answer), plan.ciphered);
  return agreementOf(plan, decode(Aare, answer), security);
}

/** Passes 3 and 4 of HLS: the meter gets our proof, and nothing else is sent before its own has been verified. */
async function proveBothSides(making: Making, agreement: Agreement, session: DlmsSession): Promise<void> {
  const { context, plan, keys, security } = making;
  const { challenge: serverChallenge } = agreement;
  if (
    keys === undefined ||
    serverChallenge === undefined ||
    plan.challenge === undefined ||
    plan.meterTitle === undefined
  )
    throw new SessionError("internal", "dlms.hls-incomplete", "expected keys, titles and challenges of both sides");
  const sender = { systemTitle: plan.clientTitle, invocationCounter: context.counters.next() };
  const proof = proveGmac(context.crypto, keys, sender, serverChallenge);
  const reply = methodOf(AssociationLn, AssociationLn.methods.replyToHlsAuthentication, CURRENT_ASSOCIATION);
  const { result, returnParameters } = await session.invoke(reply, proof);
  if (result !== ACTION_RESULT.success)
    throw new SessionError("auth", "dlms.proof-refused", "the meter refused our proof", {
      retry: result === ACTION_RESULT["temporary-failure"] ? "later" : "never",
      detail: { result: nameIn(ACTION_RESULT, result) },
    });
  const data = returnParameters?.kind === "data" ? returnParameters.data : undefined;
  if (data?.type !== "octet-string")
    throw new SessionError("auth", "dlms.proof-missing", "expected the meter's proof f(CtoS), got none");
  const counter = verifyGmac(context.crypto, keys, plan.meterTitle, plan.challenge, data.value);
  if (counter === undefined)
    throw new SessionError(
      "auth",
      "dlms.bad-proof",
      "the meter's proof f(CtoS) does not verify under its enrolled keys",
    );
  security?.raiseFloor(counter);
}
