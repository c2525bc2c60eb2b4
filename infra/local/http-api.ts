import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { ZodError } from "zod";
import { type ProblemKind, problemOf } from "../../shared/api/problem.ts";
import { BodyTooLargeError, bodyOf, type LocalServer, listen } from "./aws-endpoint.ts";
import type { JwtAuthorizer } from "./jwt-authorizer.ts";
import type { InvokeResult } from "./lambda-environment.ts";

/** API Gateway's own limits. */
const BODY_OCTETS_MAX = 10 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

export interface HttpRoute {
  /** `GET /jobs/{jobId}`, `ANY /…`, or `$default`. */
  readonly key: string;
  readonly target: { invoke(event: string): Promise<InvokeResult> };
  /** Absent: everybody may. */
  readonly authorizer?: JwtAuthorizer;
  readonly scopes: readonly string[];
}

/** What answers a route of local mode's own, as `GET /local/wake`; `body` is its JSON, undefined where there is none. */
export type LocalAnswer = (body: unknown) => object | Promise<object>;

interface Matched {
  readonly route: HttpRoute;
  readonly parameters: Readonly<Record<string, string>>;
}
interface Compiled {
  readonly route: HttpRoute;
  readonly method: string;
  readonly path: RegExp;
  readonly names: readonly string[];
  /** A fixed path goes before one with parameters, those before a greedy one. */
  readonly rank: number;
}

function compile(route: HttpRoute): Compiled {
  const [method = "", path] = route.key.split(" ");
  if (path === undefined) return { route, method: "ANY", path: /^.*$/s, names: [], rank: 1e6 };
  const names: string[] = [];
  const source = path.replaceAll(/\{([^}+]+)(\+?)\}|([^{]+)/g, (_, name?: string, greedy?: string, text?: string) => {
    if (name === undefined) return (text ?? "").replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&");
    names.push(name);
    return greedy === "+" ? "(.+)" : "([^/]+)";
  });
  return {
    route,
    method,
    path: new RegExp(`^${source}$`),
    names,
    rank: names.length + (path.includes("+}") ? 1000 : 0),
  };
}

/** The API: routes of the template behind their authorizers, events and answers as payload format 2.0. */
export class HttpApi {
  readonly #routes: readonly Compiled[];
  readonly #local: ReadonlyMap<string, LocalAnswer>;
  readonly #id: { readonly apiId: string; readonly account: string };
  #server: LocalServer | undefined;

  constructor(
    routes: readonly HttpRoute[],
    id: { readonly apiId: string; readonly account: string },
    local: ReadonlyMap<string, LocalAnswer> = new Map(),
  ) {
    this.#routes = routes.map(compile).sort((left, right) => left.rank - right.rank);
    this.#id = id;
    this.#local = local;
  }

  async start(port: number): Promise<LocalServer> {
    const server = createServer((request, response) => void this.handle(request, response));
    this.#server = await listen(server, port);
    return this.#server;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** Also called by the distribution, which has taken its prefix off `request.url`. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    const refuse = (kind: ProblemKind, detail: string): void => {
      const problem = { ...problemOf(kind, detail), correlationId: requestId };
      const headers = { "content-type": "application/problem+json", "apigw-requestid": requestId };
      response.writeHead(problem.status, headers).end(JSON.stringify(problem));
    };
    try {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      const method = request.method ?? "GET";
      const own = this.#local.get(`${method} ${url.pathname}`);
      if (own !== undefined) {
        const octets = await bodyOf(request, BODY_OCTETS_MAX);
        const answer = await own(octets.length === 0 ? undefined : JSON.parse(octets.toString()));
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
        return;
      }
      const matched = this.#match(method, url.pathname);
      if (matched === undefined) return refuse("not-found", `there is no route ${method} ${url.pathname}`);
      const { authorizer, scopes } = matched.route;
      const verdict = await authorizer?.judge(request.headers.authorization);
      if (verdict?.kind === "refused") return refuse("unauthenticated", verdict.because);
      const held = verdict?.claims.scope?.split(" ") ?? [];
      if (scopes.length > 0 && !scopes.some((scope) => held.includes(scope)))
        return refuse("forbidden", `the token has none of the scopes ${scopes.join(", ")}`);
      const body = await bodyOf(request, BODY_OCTETS_MAX);
      const event = this.#event(request, url, matched, verdict?.claims, body, requestId);
      const overdue = new Promise<undefined>((resolve) => setTimeout(resolve, TIMEOUT_MS, undefined).unref());
      const result = await Promise.race([matched.route.target.invoke(JSON.stringify(event)), overdue]);
      if (result === undefined) return refuse("unavailable", `no answer within ${TIMEOUT_MS / 1000} s`);
      if (result.failed) return refuse("internal", "the function failed; its log says why");
      respond(response, result.payload, requestId);
    } catch (error) {
      if (error instanceof BodyTooLargeError) return refuse("too-large", error.message);
      if (error instanceof ZodError || error instanceof SyntaxError) return refuse("invalid-request", error.message);
      refuse("unavailable", "the local deployment cannot answer just now");
    }
  }

  #match(method: string, path: string): Matched | undefined {
    for (const { route, method: wanted, path: pattern, names } of this.#routes) {
      if (wanted !== "ANY" && wanted !== method) continue;
      const found = pattern.exec(path);
      if (found === null) continue;
      const parameters = names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? "")]);
      return { route, parameters: Object.fromEntries(parameters) };
    }
    return undefined;
  }

  #event(
    request: IncomingMessage,
    url: URL,
    { route, parameters }: Matched,
    claims: Readonly<Record<string, string>> | undefined,
    body: Buffer,
    requestId: string,
  ): object {
    const method = request.method ?? "GET";
    const headers = Object.fromEntries(
      Object.entries(request.headers)
        .filter(([name]) => name !== "cookie")
        .map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : (value ?? "")]),
    );
    const query: Record<string, string> = {};
    for (const [name, value] of url.searchParams) query[name] = name in query ? `${query[name]},${value}` : value;
    const type = request.headers["content-type"] ?? "";
    const text = /^text\/|[/+](?:json|xml|javascript)/.test(type) || type === "";
    const now = new Date();
    return {
      version: "2.0",
      routeKey: route.key,
      rawPath: url.pathname,
      rawQueryString: url.search.slice(1),
      ...(request.headers.cookie === undefined ? {} : { cookies: request.headers.cookie.split("; ") }),
      headers,
      ...(url.search.length > 1 ? { queryStringParameters: query } : {}),
      ...(Object.keys(parameters).length > 0 ? { pathParameters: parameters } : {}),
      requestContext: {
        accountId: this.#id.account,
        apiId: this.#id.apiId,
        ...(claims === undefined ? {} : { authorizer: { jwt: { claims, scopes: null } } }),
        domainName: request.headers.host ?? "127.0.0.1",
        domainPrefix: "127",
        http: {
          method,
          path: url.pathname,
          protocol: `HTTP/${request.httpVersion}`,
          sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
          userAgent: request.headers["user-agent"] ?? "",
        },
        requestId,
        routeKey: route.key,
        stage: "$default",
        time: now.toUTCString(),
        timeEpoch: now.getTime(),
      },
      ...(body.length > 0 ? { body: text ? body.toString() : body.toString("base64") } : {}),
      isBase64Encoded: !text,
    };
  }
}

interface Structured {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** Format 2.0: an answer without a status code is the body itself. */
function respond(response: ServerResponse, payload: string, requestId: string): void {
  const answer = JSON.parse(payload) as Structured | null;
  const structured = typeof answer === "object" && answer !== null && typeof answer.statusCode === "number";
  const {
    statusCode = 200,
    headers = {},
    cookies = [],
    body = "",
    isBase64Encoded = false,
  } = structured ? answer : { headers: { "content-type": "application/json" }, body: payload };
  response.statusCode = statusCode;
  response.setHeader("apigw-requestid", requestId);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
  if (cookies.length > 0) response.setHeader("set-cookie", [...cookies]);
  response.end(isBase64Encoded ? Buffer.from(body, "base64") : body);
}
