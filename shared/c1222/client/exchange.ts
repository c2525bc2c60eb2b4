import type { SessionContext } from "../../metering/driver.ts";
import { SessionError } from "../../metering/failure.ts";
import { GROUP_INVOCATION_IDS } from "../../metering/group.ts";
import { type Link, LinkError } from "../../ports/link.ts";
import { equalOctets } from "../../ports/octets.ts";
import { below } from "../../ports/random.ts";
import { type RepeatingLink, repeatingLink } from "../../ports/repeating-link.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext, integerContentOf, NO_ELEMENTS } from "../a-context.ts";
import { ApduSplitter } from "../apdu-splitter.ts";
import { epsemControl, SECURITY_MODE, writePayload } from "../epsem.ts";
import { clearApdu, securedApdu } from "../security/secured-apdu.ts";
import { DATAGRAM_OCTETS, datagramsOf, isSegment, Reassembly } from "../segmentation.ts";
import { encodeRequest, type Request } from "../services/request.ts";
import type { Response } from "../services/response.ts";
import { TABLE_ID } from "../services/table-data.ts";
import { type AnswerExpected, openAnswer } from "./open-answer.ts";

export interface ExchangeOptions extends AnswerExpected {
  readonly context: Pick<SessionContext, "link" | "clock" | "random" | "counters" | "responseTimeoutMs" | "onFrame">;
  /** Requests ask to be let through though the node's clock takes them for late ones. */
  readonly recoverySession?: boolean;
}

/** What a broken link or a malformed answer means for a conversation. `heard`: the meter has said something. */
export function conversationError(error: unknown, heard: boolean): unknown {
  if (error instanceof WireError)
    return new SessionError("protocol", "c1222.malformed-answer", `the meter's answer is malformed: ${error.message}`, {
      cause: error,
      detail: { wire: error.code, offset: error.offset },
    });
  if (!(error instanceof LinkError)) return error;
  if (error.code === "link.timeout")
    return new SessionError("timeout", "c1222.no-answer", "expected an answer in time, got none", { cause: error });
  if (error.code === "link.closed" && heard)
    return new SessionError(
      "interrupted",
      "c1222.connection-closed",
      "the connection closed in the middle of a conversation",
      {
        cause: error,
      },
    );
  return error;
}

const SECRET_TABLES: readonly number[] = [42, 45];
/** Passwords and keys: the Security service, and the standard tables that hold them. */
const tellsSecrets = (request: Request): boolean =>
  request.service === "security" ||
  ("tableId" in request && SECRET_TABLES.includes(request.tableId & ~TABLE_ID.pending));

/**
 * Requests and their answers, each pair alone: C12.22 without sessions. An answer counts only under the outstanding
 * invocation id, from the enrolled title and in the security mode of the request; a clear answer to a secured request
 * is tampering.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #link: Link | RepeatingLink;
  readonly #splitter = new ApduSplitter();
  readonly #reassembly = new Reassembly();
  #queued: readonly Uint8Array[] = [];
  #iv = 0;
  #heard = false;
  #sound = true;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { link, clock, responseTimeoutMs: withinMs, onFrame } = options.context;
    const onRepeat = (octets: Uint8Array): void => onFrame?.("sent", octets);
    this.#link = link.kind === "stream" ? link : repeatingLink(link, clock, { withinMs, onRepeat });
  }

  /** False after anything that leaves the conversation in doubt. */
  get sound(): boolean {
    return this.#sound;
  }

  /** The answer to each request, in order. Throws `SessionError` or `LinkError`; refusals are answers. */
  async ask(requests: readonly Request[]): Promise<readonly Response[]> {
    try {
      const { clock, responseTimeoutMs } = this.#options.context;
      const invocationId = integerContentOf(this.#nextInvocationId());
      const apdu = this.#request(invocationId, requests);
      await this.#send(apdu);
      const deadline = clock.now() + responseTimeoutMs;
      for (;;) {
        const answer = await this.#receive(deadline);
        if (answer.calledApInvocationId === undefined || !equalOctets(answer.calledApInvocationId, invocationId))
          continue; // an answer that came too late, or a push
        return openAnswer(answer, this.#options, requests);
      }
    } catch (error) {
      this.#sound = false;
      throw conversationError(error, this.#heard);
    }
  }

  /**
   * Under a key, invocation ids are drawn from the counter lease: with them no key meets a cleartext twice, whatever the
   * clock does. Without one an id only tells answers apart, and there are no counters. 0 is left out.
   */
  #nextInvocationId(): number {
    const { key, context } = this.#options;
    if (key === undefined) return 1 + below(context.random, GROUP_INVOCATION_IDS - 1);
    const id = context.counters.next() || context.counters.next();
    if (id >= GROUP_INVOCATION_IDS)
      throw new SessionError(
        "auth",
        "c1222.invocation-ids-used-up",
        "the key has to change: its invocation ids are used up",
      );
    return id;
  }

  #request(callingApInvocationId: Uint8Array, requests: readonly Request[]): Uint8Array {
    const { meterTitle, ownTitle, securityMode, key, context, recoverySession = false } = this.#options;
    if (securityMode !== SECURITY_MODE.ciphertextWithAuthentication && requests.some(tellsSecrets))
      throw new SessionError(
        "unsafe",
        "c1222.secret-in-clear",
        "passwords and keys are sent enciphered, or not at all",
      );
    const envelope = { ...NO_ELEMENTS, calledApTitle: meterTitle, callingApTitle: ownTitle, callingApInvocationId };
    const control = epsemControl({ securityMode, recoverySession });
    const payload = writePayload({ edClass: undefined, services: requests.map(encodeRequest) });
    if (key === undefined) return clearApdu(envelope, control, payload);
    this.#iv = Math.max(this.#iv, Math.floor(context.clock.now() / 1000));
    return securedApdu(key.eaxPrime, { keyId: key.id, iv: this.#iv }, envelope, control, payload);
  }

  async #send(apdu: Uint8Array): Promise<void> {
    const { onFrame } = this.#options.context;
    const link = this.#link;
    for (const octets of link.kind === "stream" ? [apdu] : datagramsOf(apdu, DATAGRAM_OCTETS)) {
      onFrame?.("sent", octets);
      await ("sendRepeatedly" in link ? link.sendRepeatedly(octets) : link.send(octets));
    }
  }

  async #receive(deadline: number): Promise<AContext> {
    for (;;) {
      const [apdu, ...rest] = this.#queued;
      if (apdu === undefined) {
        const octets = await this.#link.receive(deadline);
        this.#heard = true;
        this.#queued = this.#link.kind === "stream" ? this.#splitter.push(octets) : [octets];
        continue;
      }
      this.#queued = rest;
      this.#options.context.onFrame?.("received", apdu);
      const whole = this.#whole(apdu);
      if (whole !== undefined) return whole;
    }
  }

  /** Undefined: a segment whose message is not whole. */
  #whole(apdu: Uint8Array): AContext | undefined {
    const context = decode(AContext, apdu);
    if (!isSegment(context)) return context;
    const joined = this.#reassembly.push(this.#options.context.clock.now(), context);
    if (joined.kind === "refused")
      throw new SessionError("protocol", "c1222.segments", "the segments of the meter's answer contradict each other");
    return joined.kind === "whole" ? decode(AContext, joined.apdu) : undefined;
  }
}
