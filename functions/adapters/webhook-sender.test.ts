import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { webhookProblem, webhookSender } from "./webhook-sender.ts";

const NOW = 1_700_000_000_500;
const SECRET = new Uint8Array(32).fill(7);

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A receiver on this machine; answers its URL and what it got. */
async function receiver(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const got: { readonly headers: IncomingMessage["headers"]; readonly body: string }[] = [];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    got.push({ headers: request.headers, body });
    answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got };
}

const delivery = (url: string, secrets = [SECRET]) => ({ url, id: "msg_1", body: '[{"id":"ä"}]', secrets });

describe("a webhook", () => {
  it("gets the body as it is, signed over id, time and body, by each secret", async () => {
    const { url, got } = await receiver((response) => response.writeHead(204).end());
    const other = new Uint8Array(32).fill(9);
    const answer = await webhookSender("any", () => NOW)(delivery(url, [SECRET, other]));
    expect(answer).toEqual({ kind: "answered", status: 204 });
    const [{ headers, body } = { headers: {}, body: "" }] = got;
    expect(headers).toMatchObject({
      "content-type": "application/cloudevents-batch+json",
      "webhook-id": "msg_1",
      "webhook-timestamp": "1700000000",
    });
    const expected = [SECRET, other].map(
      (secret) => `v1,${createHmac("sha256", secret).update(`msg_1.1700000000.${body}`).digest("base64")}`,
    );
    expect(headers["webhook-signature"]).toBe(expected.join(" "));
  });

  it("is not followed where it redirects, and may ask for time", async () => {
    const { url, got } = await receiver((response) =>
      response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere", "retry-after": "120" }).end(),
    );
    expect(await webhookSender("any", () => NOW)(delivery(url))).toEqual({
      kind: "answered",
      status: 307,
      retryAfterMs: 120_000,
    });
    expect(got).toHaveLength(1);
  });

  it("that does not answer in time, or is not there, is a failure with its reason", async () => {
    const { url } = await receiver(() => undefined);
    expect(await webhookSender("any", () => NOW, 200)(delivery(url))).toMatchObject({ kind: "failed" });
    expect(await webhookSender("any", () => NOW)(delivery("http://127.0.0.1:1/"))).toEqual({
      kind: "failed",
      problem: "no answer: ECONNREFUSED",
    });
  });

  it("on a private network is refused before anything is sent, by its address and by its name", async () => {
    const { url, got } = await receiver((response) => response.writeHead(204).end());
    const send = webhookSender("public", () => NOW);
    expect(await send(delivery(url))).toEqual({ kind: "failed", problem: "expected https", refused: true });
    expect(await send(delivery(url.replace("http:", "https:")))).toEqual({
      kind: "failed",
      problem: "expected an address of the open internet",
      refused: true,
    });
    expect(await send(delivery("https://localhost/hook"))).toEqual({
      kind: "failed",
      problem: "the endpoint's name leads into a private network",
      refused: true,
    });
    expect(got).toEqual([]);
  });

  it.each([
    ["https://hooks.example/x", "public", undefined],
    ["http://hooks.example/x", "public", "expected https"],
    ["https://user:secret@hooks.example/x", "public", "expected no user in the URL"],
    ["https://[::1]/x", "public", "expected an address of the open internet"],
    ["https://0x7f000001/x", "public", "expected an address of the open internet"],
    ["hooks.example", "any", "expected a URL"],
    ["ftp://hooks.example", "any", "expected https"],
  ] as const)("%s, %s: %s", (url, reach, problem) => {
    expect(webhookProblem(url, reach)).toBe(problem);
  });
});
