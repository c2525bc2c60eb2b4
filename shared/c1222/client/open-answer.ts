import { SessionError } from "../../metering/failure.ts";
import type { AContext } from "../a-context.ts";
import { absoluteTitle, sameTitle } from "../ap-title.ts";
import { readPayload } from "../epsem.ts";
import { openApdu } from "../security/secured-apdu.ts";
import type { Request } from "../services/request.ts";
import { decodeResponse, okResponse, type Response } from "../services/response.ts";
import type { ReadyKey } from "./enrolled-key.ts";

/** Whose answer is expected, and how it is secured. */
export interface AnswerExpected {
  readonly meterTitle: string;
  readonly ownTitle: string;
  readonly securityMode: 0 | 1 | 2;
  /** Undefined in mode 0. */
  readonly key: ReadyKey | undefined;
}

/**
 * The answers to requests, in their order, out of one APDU: from the enrolled title, in the security mode of the request,
 * under the meter's own key; a clear answer to a secured request is tampering. Throws `SessionError` or `WireError`.
 */
export function openAnswer(
  answer: AContext,
  { meterTitle, ownTitle, securityMode, key }: AnswerExpected,
  requests: readonly Request[],
): readonly Response[] {
  const auth = (code: string, message: string): SessionError =>
    new SessionError("auth", code, message, { detail: { meterTitle: absoluteTitle(meterTitle) } });
  if (answer.callingApTitle === undefined || !sameTitle(answer.callingApTitle, meterTitle))
    throw auth("c1222.other-title", "the answer comes under another title than the enrolled one");
  if (answer.calledApTitle !== undefined && !sameTitle(answer.calledApTitle, ownTitle))
    throw auth("c1222.other-called-title", "the answer is addressed to somebody else");
  const opened = openApdu(answer, (id) => (id === key?.id ? key.eaxPrime : undefined));
  if (opened.control.securityMode !== securityMode)
    throw auth(
      "c1222.security-mode",
      `expected an answer in security mode ${securityMode}, got ${opened.control.securityMode}`,
    );
  if (opened.kind === "closed") throw auth(opened.code, "the answer does not verify under the meter's enrolled key");
  const { services } = readPayload(opened.payload, opened.control.edClassIncluded);
  // Some meters answer a Security service that went well with nothing at all.
  const silentSecurity = requests[0]?.service === "security" && services.length === requests.length - 1;
  const asked = silentSecurity ? requests.slice(1) : requests;
  if (services.length > asked.length)
    throw new SessionError("protocol", "c1222.answers", `expected ${asked.length} answers, got ${services.length}`);
  const answers = services.map((octets, index) => decodeResponse(asked[index]?.service, octets));
  if (answers.length < asked.length && !answers.some(({ code }) => code !== 0))
    throw new SessionError("protocol", "c1222.answers", `expected ${asked.length} answers, got ${answers.length}`);
  return silentSecurity ? [okResponse(), ...answers] : answers;
}
