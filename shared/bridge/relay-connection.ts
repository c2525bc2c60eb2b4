import { type AContext, AContext as AContextCodec, unsignedOf } from "../c1222/a-context.ts";
import { absoluteTitle, sameTitle } from "../c1222/ap-title.ts";
import { ApduSplitter } from "../c1222/apdu-splitter.ts";
import { readPayload, SECURITY_MODE } from "../c1222/epsem.ts";
import { RESPONSE_CODES } from "../c1222/response-code.ts";
import { controlOf } from "../c1222/security/secured-apdu.ts";
import { isSegment, Reassembly } from "../c1222/segmentation.ts";
import { SessionError } from "../metering/failure.ts";
import type { Clock } from "../ports/clock.ts";
import { type Link, LinkError } from "../ports/link.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";

/** A connection to a relay, or one that a node opened itself, which many conversations share. */
export interface RelayConnection {
  /** A link for one conversation with a node behind the relay; closing it leaves the connection open. */
  converse(): Link;
  /** Sends octets that no conversation waits for an answer to. */
  post(octets: Uint8Array): Promise<void>;
  /** Conversations under way. */
  readonly conversations: number;
  readonly isOpen: boolean;
  /** Ends all conversations; idempotent. */
  close(): void;
}

export interface RelayOptions {
  /** The relays' own titles, under which they may answer. */
  readonly path: readonly string[];
  /** Told of whole APDUs that no conversation waits for: answers to groups, notifications. */
  readonly onOther?: (apdu: Uint8Array) => void;
  /** Told once that the connection is over, whoever ended it. */
  readonly onClosed?: () => void;
}

/** How long one look for octets may last, ms: only the connection's own end ends it earlier. */
const LISTEN_MS = 600_000;
/** Requests of one conversation whose answers are still let through to it. */
const OUTSTANDING_MAX = 8;
/** Octets that may wait for one conversation; one that does not take them is over. */
const AHEAD_MAX = 1_048_576;

/** What relays answer in a node's stead: in clear, for they have no key of it. Nothing a node would say of a table. */
const CODES_OF_RELAYS: readonly string[] = ["uat", "nett", "netr", "rqtl", "sgnp", "sgerr"];

/** The failure of the way that an answer is; undefined: it is the node's own. */
function failureOfWay(apdu: AContext): SessionError | undefined {
  const control = controlOf(apdu);
  if (control.securityMode !== SECURITY_MODE.cleartext) return undefined;
  const { services } = readPayload(apdu.userInformation.octetAligned.subarray(1), control.edClassIncluded);
  const code = services[0]?.[0] ?? 0;
  const known = RESPONSE_CODES[code];
  if (known === undefined || !CODES_OF_RELAYS.includes(known.name)) return undefined;
  const detail = { responseCode: code, from: absoluteTitle(apdu.callingApTitle ?? ".") };
  const message = `a relay on the way did not pass the request on: ${known.name}`;
  return new SessionError(known.reason, `c1222.relay-${known.name}`, message, { retry: known.retry, detail });
}

interface Conversation {
  readonly keys: string[];
  readonly inbox: (Uint8Array | SessionError)[];
  ahead: number;
  over: boolean;
  wake(): void;
}

const exchangeKey = (title: string, invocationId: Uint8Array): string =>
  `${absoluteTitle(title)} ${unsignedOf(invocationId)}`;

/**
 * Shares a connection: an answer goes to the conversation that has asked the node of this title under this invocation
 * id. What is none of theirs goes to `onOther`. Verifying is not its business: a link carries octets, and whoever
 * converses opens them. Segments are joined here, for they name no request.
 */
export function relayConnection(link: Link, clock: Clock, { path, onOther, onClosed }: RelayOptions): RelayConnection {
  const splitter = new ApduSplitter();
  const reassembly = new Reassembly();
  const conversations = new Set<Conversation>();
  const waiting = new Map<string, Conversation>();
  let open = true;

  const close = (): void => {
    if (!open) return;
    open = false;
    for (const { wake } of conversations) wake();
    void link.close();
    onClosed?.();
  };
  const end = (one: Conversation): void => {
    one.over = true;
    conversations.delete(one);
    for (const key of one.keys) if (waiting.get(key) === one) waiting.delete(key);
    one.wake();
  };

  const deliver = (one: Conversation, answer: Uint8Array | SessionError): void => {
    one.inbox.push(answer);
    one.ahead += answer instanceof Uint8Array ? answer.length : 0;
    if (one.ahead > AHEAD_MAX) end(one);
    else one.wake();
  };
  /** The conversation whose request an answer names; where a relay answers under its own title, its id alone tells. */
  const asker = (from: string, asked: Uint8Array): Conversation | undefined => {
    const one = waiting.get(exchangeKey(from, asked));
    if (one !== undefined || !path.some((title) => sameTitle(title, from))) return one;
    const id = ` ${unsignedOf(asked)}`;
    const asking = [...waiting].filter(([key]) => key.endsWith(id));
    return asking.length === 1 ? asking[0]?.[1] : undefined;
  };
  const route = (octets: Uint8Array, apdu: AContext): void => {
    const { calledApInvocationId: asked, callingApTitle: from } = apdu;
    const one = asked === undefined || from === undefined ? undefined : asker(from, asked);
    if (one === undefined) onOther?.(octets);
    else deliver(one, failureOfWay(apdu) ?? octets);
  };
  const take = (octets: Uint8Array): void => {
    const apdu = decode(AContextCodec, octets);
    if (!isSegment(apdu)) {
      route(octets, apdu);
      return;
    }
    const joined = reassembly.push(clock.now(), apdu);
    if (joined.kind === "whole") route(joined.apdu, decode(AContextCodec, joined.apdu));
  };
  const listen = async (): Promise<void> => {
    while (open)
      try {
        const octets = await link.receive(clock.now() + LISTEN_MS);
        for (const apdu of link.kind === "stream" ? splitter.push(octets) : [octets])
          try {
            take(apdu);
          } catch (error) {
            if (!(error instanceof WireError)) throw error; // one node's nonsense is not the others' end
          }
      } catch (error) {
        if (error instanceof LinkError && error.code === "link.timeout") continue;
        close();
        if (!(error instanceof LinkError) && !(error instanceof WireError)) throw error;
      }
  };
  void listen();

  const send = async (octets: Uint8Array): Promise<void> => {
    if (!open) throw new LinkError("link.closed", "the connection to the relay is closed");
    try {
      await link.send(octets);
    } catch (error) {
      close();
      throw error;
    }
  };

  return {
    get isOpen() {
      return open;
    },
    get conversations() {
      return conversations.size;
    },
    post: send,
    close,
    converse() {
      let wake: (() => void) | undefined;
      const own: Conversation = { keys: [], inbox: [], ahead: 0, over: false, wake: () => wake?.() };
      conversations.add(own);
      return {
        kind: link.kind,
        async send(octets) {
          if (own.over) throw new LinkError("link.closed", "the conversation is over");
          const { calledApTitle, callingApInvocationId } = decode(AContextCodec, octets);
          const key = exchangeKey(calledApTitle ?? ".", callingApInvocationId);
          if (!own.keys.includes(key)) own.keys.push(key);
          waiting.set(key, own);
          if (own.keys.length > OUTSTANDING_MAX) waiting.delete(own.keys.shift() ?? key);
          await send(octets);
        },
        async receive(deadline) {
          if (own.inbox.length === 0 && open && !own.over) {
            const waked = new AbortController();
            wake = () => waked.abort();
            await clock.sleep(Math.max(0, deadline - clock.now()), waked.signal).catch(() => undefined);
            wake = undefined;
          }
          const next = own.inbox.shift();
          if (next instanceof SessionError) throw next;
          if (next !== undefined) {
            own.ahead -= next.length;
            return next;
          }
          if (open && !own.over) throw new LinkError("link.timeout", "no answer by the deadline");
          throw new LinkError("link.closed", "the connection to the relay is closed");
        },
        async close() {
          if (!own.over) end(own);
        },
      };
    },
  };
}
