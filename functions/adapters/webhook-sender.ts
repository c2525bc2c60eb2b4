import { createHmac } from "node:crypto";
import { lookup } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { CONTENT_TYPE, signedContent, type WebhookAnswer } from "../../shared/events/webhook.ts";
import { isPublicAddress } from "./public-address.ts";

/** `public`: https to addresses of the open internet alone. `any`: also http, and any address: this machine's deployment. */
export type WebhookReach = "public" | "any";

const TIMEOUT_MS = 15_000;

/** Why a URL cannot be a webhook by its text alone; undefined: it can. */
export function webhookProblem(text: string, reach: WebhookReach): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return "expected a URL";
  if (url.protocol !== "https:" && !(reach === "any" && url.protocol === "http:")) return "expected https";
  if (url.username !== "" || url.password !== "") return "expected no user in the URL";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (reach === "public" && isIP(host) !== 0 && !isPublicAddress(host))
    return "expected an address of the open internet";
  return undefined;
}

/** What is posted where; each webhook of the headend is one. */
export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const retryAfter = (header: string | undefined, now: number): { readonly retryAfterMs?: number } => {
  if (header === undefined) return {};
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: ms } : {};
};

/**
 * Posts webhooks. The name is resolved once, each of its addresses is looked at, and the connection goes to the address
 * that was looked at: a name that says something else the next moment changes nothing. Redirections are not followed.
 * Never rejects; answers hold no octet of the endpoint's body.
 */
export const webhookPost =
  (reach: WebhookReach, now: () => number, timeoutMs = TIMEOUT_MS) =>
  async ({ url: text, headers, body }: WebhookRequest): Promise<WebhookAnswer> => {
    const problem = webhookProblem(text, reach);
    if (problem !== undefined) return { kind: "failed", problem, refused: true };
    const url = new URL(text);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const addresses = await lookup(host, { all: true }).catch(() => []);
    const [to] = addresses;
    if (to === undefined) return { kind: "failed", problem: "the endpoint's name has no address" };
    if (reach === "public" && !addresses.every(({ address }) => isPublicAddress(address)))
      return { kind: "failed", problem: "the endpoint's name leads into a private network", refused: true };
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
          headers: { ...headers, "content-length": Buffer.byteLength(body) },
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

/** Sends deliveries of subscriptions, signed by the second in which each is sent. */
export function webhookSender(reach: WebhookReach, now: () => number, timeoutMs?: number) {
  const post = webhookPost(reach, now, timeoutMs);
  return (delivery: Delivery): Promise<WebhookAnswer> => {
    const timestamp = Math.floor(now() / 1000);
    return post({
      url: delivery.url,
      body: delivery.body,
      headers: {
        "content-type": CONTENT_TYPE,
        "webhook-id": delivery.id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signatureOf(delivery, timestamp),
      },
    });
  };
}
