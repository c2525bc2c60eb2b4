import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createContext, runInContext } from "node:vm";
import { type LocalServer, listen } from "./aws-endpoint.ts";
import type { S3Store } from "./queue-engine.ts";

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** One cache behaviour of the distribution. */
export interface Behaviour {
  /** `/api/*`; absent: the default behaviour. */
  readonly pathPattern?: string;
  /** Code of the viewer-request function. */
  readonly viewerRequest?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly origin: { readonly bucket: string } | { readonly serve: Serve };
}

interface EdgeRequest {
  readonly method: string;
  readonly uri: string;
}
interface EdgeAnswer extends Partial<EdgeRequest> {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, { readonly value: string }>>;
}

/** A CloudFront function: pure JavaScript with one `handler(event)`. */
function edgeFunction(code: string): (request: EdgeRequest) => Promise<EdgeAnswer> {
  const sandbox = createContext({ event: undefined as unknown });
  runInContext(code, sandbox);
  return async ({ method, uri }) => {
    sandbox.event = { version: "1.0", request: { method, uri, querystring: {}, headers: {}, cookies: {} } };
    return (await runInContext("handler(event)", sandbox, { timeout: 1000 })) as EdgeAnswer;
  };
}

/** The console's address: its files from the bucket, the API under its path pattern, and the template's headers. */
export async function startDistribution(
  behaviours: readonly Behaviour[],
  defaultRootObject: string,
  s3: S3Store,
  port: number,
): Promise<LocalServer> {
  const compiled = behaviours.map((behaviour) => ({
    ...behaviour,
    pattern: new RegExp(
      `^${(behaviour.pathPattern ?? "*").replaceAll(/[.+^$()|[\]{}\\]/g, "\\$&").replaceAll("*", ".*")}$`,
    ),
    edge: behaviour.viewerRequest === undefined ? undefined : edgeFunction(behaviour.viewerRequest),
  }));
  const serve: Serve = async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const method = request.method ?? "GET";
    const found = compiled.find(({ pattern }) => pattern.test(url.pathname));
    if (found === undefined) return void response.writeHead(404).end();
    for (const [name, value] of Object.entries(found.headers)) response.setHeader(name, value);
    const answer = await found.edge?.({ method, uri: url.pathname });
    if (answer?.statusCode !== undefined) {
      for (const [name, { value }] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
      return void response.writeHead(answer.statusCode).end();
    }
    const uri = answer?.uri ?? url.pathname;
    if ("serve" in found.origin) {
      request.url = uri + url.search;
      return found.origin.serve(request, response);
    }
    sendFile(
      s3,
      found.origin.bucket,
      uri === "/" ? defaultRootObject : decodeURIComponent(uri.slice(1)),
      method,
      response,
    );
  };
  return listen(
    createServer((request, response) => {
      serve(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(502);
        response.end(error instanceof Error ? error.message : "");
      });
    }),
    port,
  );
}

function sendFile(s3: S3Store, bucket: string, key: string, method: string, response: ServerResponse): void {
  if (method !== "GET" && method !== "HEAD") return void response.writeHead(405, { allow: "GET, HEAD" }).end();
  try {
    const { body, contentType, etag } = s3.getObject(bucket, key);
    response.writeHead(200, { "content-type": contentType, "content-length": body.length, etag });
    response.end(method === "HEAD" ? undefined : body);
  } catch {
    // The engine throws for one reason: there is no such object.
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end(`no ${key}\n`);
  }
}
