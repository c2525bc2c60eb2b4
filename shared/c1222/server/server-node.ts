import { toHex } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext, NO_ELEMENTS, unsignedOf } from "../a-context.ts";
import { addressedAs } from "../addressing.ts";
import { absoluteTitle } from "../ap-title.ts";
import { clearAnswer, invocationIdOctets } from "../clear-message.ts";
import { type EpsemControl, epsemControl, readPayload, SECURITY_MODE, writePayload } from "../epsem.ts";
import { OK, responseCode } from "../response-code.ts";
import type { EaxPrimeKey } from "../security/eax-prime.ts";
import { ACCEPTANCE_WINDOW_MS } from "../security/playback.ts";
import { openApdu, securedApdu } from "../security/secured-apdu.ts";
import { decodeRequest } from "../services/request.ts";
import { encodeResponse, type Response, refusal } from "../services/response.ts";
import type { ServiceDesk } from "./service-desk.ts";

/** Who remembers the invocation ids of accepted and refused messages. */
export interface InvocationWitness {
  accepted(invocationId: number): void;
  refused(invocationId: number): void;
}

export interface ServerNodeOptions {
  readonly apTitle: string;
  /** The weakest security mode that is served. */
  readonly securityMode: 0 | 1 | 2;
  readonly keyOf: (keyId: number) => EaxPrimeKey | undefined;
  /** Own clock, clock milliseconds. */
  readonly now: () => number;
  readonly nextInvocationId: () => number;
  readonly desk: ServiceDesk;
  readonly witness?: InvocationWitness;
  /**
   * What it serves of messages that its own clock takes for late ones, where they say that they are there to recover it;
   * absent: nothing.
   */
  readonly recovery?: ServiceDesk;
  /** The groups that the node is a member of; absent: none. */
  readonly groups?: GroupMembership;
}

/** What a node does for its groups. */
export interface GroupMembership {
  readonly titles: readonly string[];
  /** A group's key by its id: no other key opens a request to a group, and this one opens nothing else. */
  readonly keyOf: (keyId: number) => EaxPrimeKey | undefined;
  readonly desk: ServiceDesk;
  /** The id of the node's own key, under which it answers. */
  readonly ownKeyId: number;
  /** How long this answer waits, ms: all members would answer at once. */
  readonly delayMs: () => number;
}

/** An answer, and after how many ms it is sent. */
export interface Delivery {
  readonly octets: Uint8Array;
  readonly afterMs: number;
}

/** Messages remembered at most within the window. */
const REMEMBERED_MAX = 4096;
/** The newest of them are remembered with their answers: whoever heard none repeats before long. */
const REPEATABLE = 4;

interface Remembered {
  readonly at: number;
  /** Absent: too long ago to be answered again. */
  readonly repeatable?: { readonly request: string; readonly answer: Uint8Array | undefined };
}

/**
 * A C12.22 node that serves sessionless requests, strictly: what is not addressed to it, malformed or played back gets no
 * answer; a repeat of one of the newest requests, the very same octets, gets the same answer again; what does not verify
 * gets `sme` in clear.
 */
export class ServerNode {
  readonly #options: ServerNodeOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #repeatable: string[] = [];
  /**
   * (IV, invocation id) of the newest message of a recovery session: the clock that tells how long ids are remembered has moved
   * since, so that nothing which was sent before it is served any more.
   */
  #recovered = 0n;

  constructor(options: ServerNodeOptions) {
    this.#options = options;
  }

  /** Total: one APDU in, its answer out; undefined: none. */
  receive(octets: Uint8Array): Delivery | undefined {
    try {
      return this.#serve(octets);
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  #serve(octets: Uint8Array): Delivery | undefined {
    const { apTitle, groups } = this.#options;
    const request = decode(AContext, octets);
    if (request.calledApTitle === undefined) return undefined;
    if (request.callingApTitle === undefined || request.calledApInvocationId !== undefined) return undefined;
    const meant = addressedAs(request.calledApTitle, { apTitle, groups: groups?.titles ?? [] });
    if (meant === "group") return groups === undefined ? undefined : this.#serveGroup(groups, request);
    const answer = meant === "node" ? this.#serveNode(request, octets) : undefined;
    return answer === undefined ? undefined : { octets: answer, afterMs: 0 };
  }

  /** Nothing is said to a request that does not verify: every member would say it. A repeat is answered once. */
  #serveGroup(groups: GroupMembership, request: AContext): Delivery | undefined {
    const { keyOf, securityMode, now } = this.#options;
    const opened = openApdu(request, groups.keyOf);
    if (opened.kind === "closed" || opened.authentication === undefined) return undefined;
    const { authentication, control } = opened;
    if (control.securityMode < securityMode) return undefined;
    this.#forget();
    const key = messageKey(request);
    if (this.#remembered.has(key) || Math.abs(now() - authentication.iv * 1000) > ACCEPTANCE_WINDOW_MS)
      return undefined;
    this.#remembered.set(key, { at: now() });
    const { services } = readPayload(opened.payload, control.edClassIncluded);
    // In the group's own name: whoever has logged on is logged on for single requests.
    const responses = this.#perform(groups.desk, services, control, absoluteTitle(request.calledApTitle ?? "."));
    if (keyOf(groups.ownKeyId) === undefined) return undefined; // nobody could tell who answers
    const answer = this.#answer(request, control, responses, groups.ownKeyId);
    return answer === undefined ? undefined : { octets: answer, afterMs: groups.delayMs() };
  }

  #serveNode(request: AContext, octets: Uint8Array): Uint8Array | undefined {
    const { keyOf, securityMode, now, witness, desk, recovery } = this.#options;
    const opened = openApdu(request, keyOf);
    const key = messageKey(request);
    const text = toHex(octets);
    this.#forget();
    const before = this.#remembered.get(key);
    if (before?.repeatable?.request === text) return before.repeatable.answer;
    const invocationId = unsignedOf(request.callingApInvocationId);
    const early = (code: string): Uint8Array | undefined =>
      this.#clearAnswer(request, opened.control, [refusal(responseCode(code))]);
    if (opened.kind === "closed" || opened.control.securityMode < securityMode) return early("sme");
    const { authentication, control } = opened;
    let served = desk;
    if (authentication !== undefined) {
      const late = Math.abs(now() - authentication.iv * 1000) > ACCEPTANCE_WINDOW_MS;
      if (late && control.recoverySession && recovery !== undefined) served = recovery;
      const sent = (BigInt(authentication.iv) << 32n) | BigInt(invocationId);
      if (before !== undefined || (late && served === desk) || sent <= this.#recovered) {
        if (before !== undefined) witness?.refused(invocationId);
        return undefined; // played back: an answer would only help whoever does it
      }
      witness?.accepted(invocationId);
      if (late) this.#recovered = sent;
    }
    const { services } = readPayload(opened.payload, control.edClassIncluded);
    const responses = this.#perform(served, services, control, absoluteTitle(request.callingApTitle ?? "."));
    const answer = this.#answer(request, control, responses, authentication?.keyId);
    this.#remember(key, { request: text, answer });
    return answer;
  }

  #remember(key: string, repeatable: Remembered["repeatable"]): void {
    this.#remembered.set(key, { at: this.#options.now(), ...(repeatable && { repeatable }) });
    const older = this.#repeatable.push(key) > REPEATABLE ? this.#repeatable.shift() : undefined;
    const known = older === undefined ? undefined : this.#remembered.get(older);
    if (older !== undefined && known !== undefined) this.#remembered.set(older, { at: known.at });
  }

  /** One answer a request; the first refusal ends the list. */
  #perform(
    desk: ServiceDesk,
    services: readonly Uint8Array[],
    control: EpsemControl,
    callingTitle: string,
  ): readonly Response[] {
    const responses: Response[] = [];
    const message = { securityMode: control.securityMode, callingTitle, now: this.#options.now() };
    let userId: number | undefined;
    for (const octets of services) {
      let response: Response;
      try {
        const request = decodeRequest(octets);
        response = desk.serve(request, { ...message, userId });
        if (request.service === "security" && response.code === OK) userId = request.userId;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        response = refusal(responseCode(error.code === "wire.tag" ? "sns" : "err"));
      }
      responses.push(response);
      if (response.code !== OK) break;
    }
    return responses;
  }

  #envelope(request: AContext) {
    return {
      ...NO_ELEMENTS,
      calledApTitle: request.callingApTitle,
      calledApInvocationId: request.callingApInvocationId,
      callingApTitle: this.#options.apTitle,
      callingApInvocationId: invocationIdOctets(this.#options.nextInvocationId()),
    };
  }

  #wanted({ responseControl }: EpsemControl, responses: readonly Response[]): boolean {
    return responseControl === 0 || (responseControl === 1 && responses.some(({ code }) => code !== OK));
  }

  #clearAnswer(request: AContext, control: EpsemControl, responses: readonly Response[]): Uint8Array | undefined {
    if (!this.#wanted(control, responses)) return undefined;
    return clearAnswer(
      request,
      { from: this.#options.apTitle, invocationId: this.#options.nextInvocationId() },
      responses,
    );
  }

  #answer(
    request: AContext,
    control: EpsemControl,
    responses: readonly Response[],
    keyId: number | undefined,
  ): Uint8Array | undefined {
    if (!this.#wanted(control, responses)) return undefined;
    const key = keyId === undefined ? undefined : this.#options.keyOf(keyId);
    if (keyId === undefined || key === undefined || control.securityMode === SECURITY_MODE.cleartext)
      return this.#clearAnswer(request, control, responses);
    const payload = writePayload({ edClass: undefined, services: responses.map(encodeResponse) });
    const iv = Math.floor(this.#options.now() / 1000);
    const securityMode = control.securityMode;
    return securedApdu(key, { keyId, iv }, this.#envelope(request), epsemControl({ securityMode }), payload);
  }

  #forget(): void {
    const since = this.#options.now() - 2 * ACCEPTANCE_WINDOW_MS;
    for (const [key, { at }] of this.#remembered) {
      if (at > since && this.#remembered.size < REMEMBERED_MAX) break; // in the order of their arrival
      this.#remembered.delete(key);
    }
  }
}

/** By which a message of a sender is known again. */
const messageKey = ({ callingApTitle, callingApInvocationId }: AContext): string =>
  `${absoluteTitle(callingApTitle ?? ".")} ${toHex(callingApInvocationId)}`;
