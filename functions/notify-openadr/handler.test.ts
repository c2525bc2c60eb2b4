import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lambdaContext } from "../../test/http-event.ts";
import { quiet } from "../../test/quiet.ts";

let server: Server | undefined;
beforeEach(() => quiet());
afterEach(() => {
  server?.close();
  vi.unstubAllEnvs();
  vi.resetModules();
});

async function endpoint(status: number) {
  const got: { readonly headers: IncomingMessage["headers"]; readonly body: unknown }[] = [];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    got.push({ headers: request.headers, body: JSON.parse(body) });
    response.writeHead(status, { location: "http://127.0.0.1:1/" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`, got };
}

async function notify(callbacks: "public" | "any", url: string) {
  vi.stubEnv("CALLBACKS", callbacks);
  const { handler } = await import("./handler.ts");
  const notifications = [{ url, token: "bearer-1", body: { objectType: "EVENT", operation: "CREATE" } }];
  return (handler as unknown as (event: object, context: object) => Promise<unknown>)(
    { notifications },
    lambdaContext(),
  );
}

describe("callbacks of OpenADR clients", () => {
  it("get the object with their own token", async () => {
    const { url, got } = await endpoint(200);
    expect(await notify("any", url)).toEqual({ told: 1, lost: 0 });
    expect(got).toMatchObject([
      {
        headers: { authorization: "Bearer bearer-1", "content-type": "application/json" },
        body: { objectType: "EVENT", operation: "CREATE" },
      },
    ]);
  });

  it.each([404, 302])("that answer %d are passed over, and a redirection is not followed", async (status) => {
    const { url, got } = await endpoint(status);
    expect(await notify("any", url)).toEqual({ told: 0, lost: 1 });
    expect(got).toHaveLength(1);
  });

  it("are not called on a private network, by address or by name", async () => {
    const { url, got } = await endpoint(200);
    const port = new URL(url).port;
    for (const private_ of [url, `https://127.0.0.1:${port}/`, `https://localhost:${port}/`])
      expect(await notify("public", private_)).toEqual({ told: 0, lost: 1 });
    expect(got).toEqual([]);
  });
});
