import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { SINGLE_PAGE } from "../../infra/constructs/edge-functions.ts";
import { startIssuer } from "../../infra/local/issuer.ts";
import { IssuerDirectory } from "../../infra/local/issuer-directory.ts";
import { problemOf } from "../../shared/api/problem.ts";
import type { FixtureApi } from "./fixture-api.ts";

/** The console as it is served, in front of an API made of fixtures, with the local issuer for sign-in. */
export interface FixtureDeployment {
  readonly url: string;
  readonly issuer: string;
  readonly password: (role: string) => string;
  /** Requests to the API that came without a token, or with one that is not the issuer's form. */
  readonly unauthenticated: () => number;
  /** How many conditional requests were answered 304. */
  readonly unchanged: () => number;
  readonly close: () => Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

const listening = (server: Server, port = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

const rolesOf = (request: IncomingMessage): readonly string[] | undefined => {
  const payload = /^Bearer [\w-]+\.([\w-]+)\.[\w-]+$/.exec(request.headers.authorization ?? "")?.[1];
  if (payload === undefined) return undefined;
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { "cognito:groups"?: string[] };
  return claims["cognito:groups"] ?? [];
};

/** Serves a built console (`folder`) on free ports of 127.0.0.1. */
export async function startFixtureDeployment(folder: string, api: FixtureApi): Promise<FixtureDeployment> {
  const [port, issuerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const issuerUrl = `http://127.0.0.1:${issuerPort}`;
  const directory = new IssuerDirectory();
  const users = ["operator", "supervisor", "analyst", "administrator"].map((role) => directory.user(role));
  const client = { id: "console", callbackUrls: [`${url}/callback`], logoutUrls: [`${url}/`] };
  const log: string[] = [];
  const issuer = await startIssuer({
    url: issuerUrl,
    port: issuerPort,
    clients: [client],
    users,
    directory,
    log: (text) => log.push(text),
  });
  const config = { issuer: issuerUrl, clientId: "console", apiBase: "/api", deployment: "fixture" };
  const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; worker-src 'self'; connect-src 'self' ${issuerUrl}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;
  let unauthenticated = 0;
  let unchanged = 0;

  const send = (response: ServerResponse, status: number, type: string, body: string | Buffer, etag?: string) => {
    const headers = { "content-type": type, "content-security-policy": policy };
    response.writeHead(status, etag === undefined ? headers : { ...headers, etag }).end(body);
  };
  const serveApi = async (request: IncomingMessage, response: ServerResponse, asked: URL) => {
    const roles = rolesOf(request);
    if (roles === undefined) {
      unauthenticated++;
      const problem = problemOf("unauthenticated", "Expected a bearer token.");
      return send(response, 401, "application/problem+json", JSON.stringify(problem));
    }
    asked.pathname = asked.pathname.slice("/api".length);
    const { status, body } = api.answer(request.method ?? "GET", asked, roles, await jsonOf(request));
    const text = body === undefined ? "" : JSON.stringify(body);
    const etag = `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`;
    if (request.headers["if-none-match"] === etag) {
      unchanged++;
      response.writeHead(304, { etag }).end();
    } else send(response, status, status < 400 ? "application/json" : "application/problem+json", text, etag);
  };
  const serveFile = (response: ServerResponse, path: string) => {
    if (path === "/config.json") return send(response, 200, "application/json", JSON.stringify(config));
    const event = { request: { uri: path } };
    const { uri } = runInNewContext(`${SINGLE_PAGE}; handler(event)`, { event }) as { uri: string };
    const file = join(folder, uri);
    if (!file.startsWith(folder) || !existsSync(file)) return send(response, 404, "text/plain", "not found");
    return send(response, 200, TYPES[extname(file)] ?? "application/octet-stream", readFileSync(file));
  };
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? "/", url);
    if (asked.pathname.startsWith("/api/")) void serveApi(request, response, asked);
    else serveFile(response, asked.pathname);
  });
  await listening(server, port);

  return {
    url,
    issuer: issuerUrl,
    password: (role) => directory.user(role).password,
    unauthenticated: () => unauthenticated,
    unchanged: () => unchanged,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await issuer.close();
    },
  };
}
