import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { type Link, LinkError } from "../ports/link.ts";
import { concat, equalOctets, parseHex } from "../ports/octets.ts";
import type { HeldConnection } from "./held-connection.ts";

/**
 * A byte pipe between two tasks of one deployment, over TCP inside the network. The owner of the meter's connection says
 * 16 fresh octets; who asks answers HMAC-SHA-256(secret, label || those || connection id) and the connection id (16
 * octets); the owner answers one octet. From then on the octets are the meter's. The secret itself is never sent.
 */
export const NONCE_OCTETS = 16;
const CONNECTION_OCTETS = 16;
const MAC_OCTETS = 32;
const LABEL = new TextEncoder().encode("headrace byte pipe 1");
const ANSWER = { open: 0, unknown: 1, busy: 2, refused: 3 } as const;
type Answer = keyof typeof ANSWER;
/** How long one look for octets may last, ms. */
const LISTEN_MS = 600_000;

const macOf = (crypto: Crypto, secret: Uint8Array, nonce: Uint8Array, connection: Uint8Array): Uint8Array =>
  crypto.hmacSha256(secret, concat(LABEL, nonce, connection));

/** Exactly so many octets, and what came after them. Throws `LinkError`. */
async function take(link: Link, length: number, deadline: number): Promise<{ octets: Uint8Array; rest: Uint8Array }> {
  let came: Uint8Array = new Uint8Array(0);
  while (came.length < length) came = concat(came, await link.receive(deadline));
  return { octets: came.subarray(0, length), rest: came.subarray(length) };
}

export interface PipePorts {
  readonly crypto: Crypto;
  readonly secret: Uint8Array;
}

/**
 * The asking side: a link to the meter through `link`, which the caller has dialled. `unknown`: the task there has no such
 * connection. Throws `LinkError` when the task does not answer or does not take the secret.
 */
export async function askPipe(
  { crypto, secret }: PipePorts,
  link: Link,
  connection: string,
  deadline: number,
): Promise<Link | "unknown" | "busy"> {
  const id = parseHex(connection);
  if (id?.length !== CONNECTION_OCTETS) return "unknown";
  const { octets: nonce } = await take(link, NONCE_OCTETS, deadline);
  await link.send(concat(macOf(crypto, secret, nonce, id), id));
  const { octets: answer, rest } = await take(link, 1, deadline);
  switch (answer[0]) {
    case ANSWER.open:
      return rest.length === 0 ? link : startingWith(rest, link);
    case ANSWER.unknown:
      return "unknown";
    case ANSWER.busy:
      return "busy";
    default:
      throw new LinkError("link.unreachable", "the task that holds the meter's connection refuses the byte pipe");
  }
}

function startingWith(first: Uint8Array, link: Link): Link {
  let rest: Uint8Array | undefined = first;
  return {
    kind: link.kind,
    send: (octets) => link.send(octets),
    close: () => link.close(),
    async receive(deadline) {
      const octets = rest ?? (await link.receive(deadline));
      rest = undefined;
      return octets;
    },
  };
}

/** The owner's side of one pipe, until it ends. Never rejects; answers what was said to who asked. */
export async function answerPipe(
  { crypto, secret, clock }: PipePorts & { readonly clock: Clock },
  link: Link,
  nonce: Uint8Array,
  find: (connection: Uint8Array) => HeldConnection | undefined,
  limits: { readonly helloMs: number; readonly turnMs: number },
): Promise<Answer | "gone"> {
  const answer = async (said: Answer): Promise<Answer> => {
    await link.send(Uint8Array.of(ANSWER[said]));
    return said;
  };
  try {
    await link.send(nonce);
    const { octets, rest } = await take(link, MAC_OCTETS + CONNECTION_OCTETS, clock.now() + limits.helloMs);
    const connection = octets.subarray(MAC_OCTETS);
    if (rest.length > 0 || !equalOctets(octets.subarray(0, MAC_OCTETS), macOf(crypto, secret, nonce, connection)))
      return await answer("refused");
    const held = find(connection);
    if (held === undefined || !held.isOpen) return await answer("unknown");
    let meter: Link;
    try {
      meter = await held.take(clock.now() + limits.turnMs);
    } catch {
      return await answer(held.isOpen ? "busy" : "unknown");
    }
    try {
      await answer("open");
      await splice(link, meter, clock);
    } finally {
      await meter.close();
    }
    return "open";
  } catch {
    return "gone";
  } finally {
    await link.close();
  }
}

/** Passes octets both ways until one side closes. The other side is the caller's to close. */
async function splice(one: Link, other: Link, clock: Clock): Promise<void> {
  const pass = async (from: Link, to: Link): Promise<void> => {
    for (;;)
      try {
        await to.send(await from.receive(clock.now() + LISTEN_MS));
      } catch (error) {
        if (!(error instanceof LinkError) || error.code !== "link.timeout") return;
      }
  };
  const ways = [pass(one, other), pass(other, one)];
  await Promise.race(ways);
  await Promise.all([one.close(), other.close()]);
  await Promise.all(ways);
}
