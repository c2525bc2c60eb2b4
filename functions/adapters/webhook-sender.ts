import { createHmac } from "node:crypto";
import { lookup } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP } from "node:net";
import { CONTENT_TYPE, signedContent, type WebhookAnswer } from "../../shared/events/webhook.ts";

/** `public`: https to addresses of the open internet alone. `any`: also http, and any address: this machine's deployment. */
export type WebhookReach = "public" | "any";

const TIMEOUT_MS = 15_000;

/** Addresses that are nobody's on the open internet: this machine, private networks, link-local (and so metadata), multicast… */
const CLOSED = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  CLOSED.addSubnet(network, prefix, "ipv4");
/** Of IPv6 only global unicast is open, but for what wraps or documents. */
const OPEN6 = new BlockList();
OPEN6.addSubnet("2000::", 3, "ipv6");
const WRAPPED6 = new BlockList();
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  WRAPPED6.addSubnet(network, prefix, "ipv6");

/** Whether an address is of the open internet. */
export const isOpenAddress = (address: string): boolean =>
  isIP(address) === 4
    ? !CLOSED.check(address, "ipv4")
    : isIP(address) === 6 && OPEN6.check(address, "ipv6") && !WRAPPED6.check(address, "ipv6");

/** Why a URL cannot be a webhook by its text alone; undefined: it can. */
export function webhookProblem(text: string, reach: WebhookReach): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return "expected a URL";
  if (url.protocol !== "https:" && !(reach === "any" && url.protocol === "http:")) return "expected https";
  if (url.username !== "" || url.password !== "") return "expected no user in the URL: deliveries are signed";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (reach === "public" && isIP(host) !== 0 && !isOpenAddress(host)) return "expected an address of the open internet";
  return undefined;
}

export interface Delivery {
  readonly url: string;
  /** The same with every try. */
  readonly id: string;
  readonly body: string;
  /** Secrets that sign it: while one is replaced, the old and the new. */
  readonly secrets: readonly Uint8Array[];
}

/** Standard Webhooks' symmetric signature, one for each secret. */
export const signatureOf = ({ id, body, secrets }: Omit<Delivery, "url">, timestamp: number): string =>
  secrets
    .map(
      (secret) =>
        `v1,${createHmac("sha256", secret)
          .update(signedContent(id, timestamp, body))
          .digest("base64")}`,
    )
    .join(" ");

const retryAfter = (header: string | undefined, now: number): { readonly retryAfterMs?: number } => {
  if (header === undefined) return {};
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: ms } : {};
};

/**
 * Sends deliveries. The name is resolved once, each of its addresses is looked at, and the connection goes to the address
 * that was looked at: a name that says something else the next moment changes nothing. Redirections are not followed.
 * Never rejects; answers hold no octet of the endpoint's body.
 */
export const webhookSender =
  (reach: WebhookReach, now: () => number, timeoutMs = TIMEOUT_MS) =>
  async (delivery: Delivery): Promise<WebhookAnswer> => {
    const { url: text, id, body } = delivery;
    const problem = webhookProblem(text, reach);
    if (problem !== undefined) return { kind: "failed", problem };
    const url = new URL(text);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const addresses = await lookup(host, { all: true }).catch(() => []);
    const [to] = addresses;
    if (to === undefined) return { kind: "failed", problem: "the endpoint's name has no address" };
    if (reach === "public" && !addresses.every(({ address }) => isOpenAddress(address)))
      return { kind: "failed", problem: "the endpoint's name leads into a private network" };
    const timestamp = Math.floor(now() / 1000);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve) => {
      const request = send(
        url,
        {
          method: "POST",
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
          lookup: (_host, options, done) =>
            options.all === true ? done(null, [to]) : done(null, to.address, to.family),
          headers: {
            "content-type": CONTENT_TYPE,
            "content-length": Buffer.byteLength(body),
            "webhook-id": id,
            "webhook-timestamp": String(timestamp),
            "webhook-signature": signatureOf(delivery, timestamp),
          },
        },
        (response) => {
          response.destroy(); // its status is all that counts
          resolve({
            kind: "answered",
            status: response.statusCode ?? 0,
            ...retryAfter(response.headers["retry-after"], now()),
          });
        },
      );
      request.on("error", (error: NodeJS.ErrnoException) =>
        resolve({ kind: "failed", problem: `no answer: ${error.code ?? error.name}` }),
      );
      request.end(body);
    });
  };
