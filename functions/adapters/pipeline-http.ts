import middy from "@middy/core";
import type { APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import { z } from "zod";
import { fieldErrorsOf } from "../../shared/api/field-errors.ts";
import { type FieldError, type Problem, type ProblemKind, problemOf } from "../../shared/api/problem.ts";
import type { ApiRoute, ParamsOf, QueryOf, RequestOf, ResponseOf } from "../../shared/api/route.ts";
import { type RouteName, type Routes, routes } from "../../shared/api/routes.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { callerOf } from "../../shared/security/caller.ts";
import { mayAct } from "../../shared/security/roles.ts";
import { factsOf, logger, metrics } from "./telemetry.ts";

type Event = APIGatewayProxyEventV2WithJWTAuthorizer;
type Result = APIGatewayProxyStructuredResultV2;

/** What a handler gets: validated by the route's schemas, from a caller who has one of the route's roles. */
export interface HttpRequest<R> {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: RequestOf<R>;
  readonly caller: R extends { readonly roles: "public" } ? undefined : Caller;
  /** `If-None-Match`, as it came. */
  readonly ifNoneMatch: string | undefined;
}

export interface Refused {
  readonly refused: ProblemKind;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}
export interface Answered<B> {
  readonly status: number;
  readonly body?: B;
  readonly headers?: Readonly<Record<string, string>>;
}
export type HttpAnswer<R> = Answered<R extends { readonly response: z.ZodType } ? ResponseOf<R> : unknown> | Refused;

/** A refusal that says what was expected of which field. */
export const refuse = (refused: ProblemKind, detail: string, ...errors: readonly FieldError[]): Refused => ({
  refused,
  detail,
  errors,
});

export type HttpHandlers = {
  readonly [N in RouteName]?: (request: HttpRequest<Routes[N]>) => Promise<HttpAnswer<Routes[N]>>;
};

/** Ends a request early; only between the steps of this file. */
class RefusedRequest extends Error {
  readonly answer: Refused;
  constructor(answer: Refused) {
    super(answer.detail);
    this.answer = answer;
  }
}

function jsonBody(event: Event): unknown {
  if (event.body === undefined || event.body === "") return undefined;
  const text = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RefusedRequest(
      refuse("invalid-request", "The body is not JSON.", { field: "body", expected: "a JSON document in UTF-8" }),
    );
  }
}

function validated(schema: z.ZodType | undefined, input: unknown, whole: "path" | "query" | "body"): unknown {
  const answer = (schema ?? z.strictObject({}).optional()).safeParse(input);
  if (answer.success) return schema === undefined ? undefined : answer.data;
  const errors = fieldErrorsOf(answer.error, input, whole);
  throw new RefusedRequest(
    refuse("invalid-request", `The ${whole} is not as expected: ${errors[0]?.field ?? whole}.`, ...errors),
  );
}

function callerFor(route: ApiRoute, event: Event): Caller | undefined {
  if (route.roles === "public") return undefined;
  const claims = (event.requestContext as Partial<Event["requestContext"]>).authorizer?.jwt?.claims;
  if (claims === undefined)
    throw new RefusedRequest(
      refuse("unauthenticated", "No verified token came with the request.", {
        field: "authorization",
        expected: "a bearer access token",
      }),
    );
  const outcome = callerOf(claims);
  if (outcome.kind === "refused") {
    const { kind: _, ...error } = outcome;
    throw new RefusedRequest(refuse("unauthenticated", "The token is not as expected.", error));
  }
  if (!mayAct(outcome.caller.roles, route.roles))
    throw new RefusedRequest(
      refuse("forbidden", "The caller lacks the role for this.", {
        field: "authorization",
        expected: `one of the roles ${route.roles.join(", ")}`,
        received: outcome.caller.roles.join(", ") || "no role",
      }),
    );
  return outcome.caller;
}

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Result => ({
  statusCode: status,
  headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});
const problem = (body: Problem): Result => json(body.status, body, { "content-type": "application/problem+json" });
const refusal = ({ refused, detail, errors }: Refused, correlationId: string): Result =>
  problem({ ...problemOf(refused, detail, errors), correlationId });

/** Of a path with `{parameters}`. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);

function decodedGroups({ groups = {} }: RegExpExecArray): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    throw new RefusedRequest(
      refuse("invalid-request", "The path is not as expected.", { field: "path", expected: "UTF-8" }),
    );
  }
}

const retryable = (error: unknown): boolean =>
  error instanceof HeadraceError
    ? error.retry === "later"
    : error instanceof Error && "$retryable" in error && error.$retryable !== undefined;

/**
 * The pipeline of every HTTP function: route, caller and role, path, query and body by the route's schemas, handler,
 * answer by the response schema. What is refused is answered as problem+json and nothing of the handler has run.
 */
export function httpHandler(handlers: HttpHandlers) {
  const byKey = new Map(
    Object.entries(handlers).map(([name, run]) => {
      const route: ApiRoute = routes[name as RouteName];
      return [
        `${route.method} ${route.path}`,
        { route, run: run as (request: object) => Promise<HttpAnswer<ApiRoute>> },
      ];
    }),
  );

  const patterns = [...byKey.values()].map((entry) => ({ entry, pattern: patternOf(entry.route.path) }));
  /** The route that is meant, and its path parameters: behind a greedy route of API Gateway by the path itself. */
  const entryOf = ({ routeKey, rawPath, requestContext, pathParameters }: Event) => {
    if (!routeKey.startsWith("ANY ")) return { entry: byKey.get(routeKey), parameters: pathParameters };
    for (const { entry, pattern } of patterns) {
      const match = pattern.exec(rawPath);
      if (match !== null && entry.route.method === requestContext.http.method)
        return { entry, parameters: decodedGroups(match) };
    }
    return { entry: undefined, parameters: undefined };
  };

  const answer = async (event: Event): Promise<Result> => {
    const correlationId = event.requestContext.requestId;
    const { entry, parameters } = entryOf(event);
    if (entry === undefined)
      return refusal(
        refuse("not-found", "No such route.", { field: "path", expected: [...byKey.keys()].join(", ") }),
        correlationId,
      );
    const { route, run } = entry;
    const caller = callerFor(route, event);
    if (caller !== undefined) logger.appendKeys({ caller: caller.id });
    const request = {
      caller,
      params: validated(route.params, route.params ? (parameters ?? {}) : undefined, "path"),
      query: validated(route.query, event.queryStringParameters ?? (route.query ? {} : undefined), "query"),
      body: validated(route.request, jsonBody(event), "body"),
      ifNoneMatch: event.headers?.["if-none-match"],
    };
    const given = await run(request);
    if ("refused" in given) return refusal(given, correlationId);
    const bodied = given.body !== undefined;
    const body = bodied && route.response !== undefined ? z.encode(route.response, given.body) : given.body;
    return json(given.status, body, given.headers);
  };

  return middy<Event, Result, Error, Context>()
    .use({
      before: ({ event, context }) => {
        logger.addContext(context);
        logger.resetKeys();
        logger.appendKeys({ correlationId: event.requestContext.requestId, route: event.routeKey });
      },
      after: ({ event, response }) => {
        const durationMs = Date.now() - event.requestContext.timeEpoch;
        logger.info("answered", { status: response?.statusCode, durationMs });
        metrics.addMetric("requests", "Count", 1);
        if ((response?.statusCode ?? 500) >= 500) metrics.addMetric("faults", "Count", 1);
        metrics.publishStoredMetrics();
      },
    })
    .handler(async (event: Event): Promise<Result> => {
      const correlationId = event.requestContext.requestId;
      try {
        return await answer(event);
      } catch (error) {
        if (error instanceof RefusedRequest) return refusal(error.answer, correlationId);
        logger.error("failed", factsOf(error));
        return retryable(error)
          ? refusal(refuse("unavailable", "Something behind the API is busy. Try again."), correlationId)
          : refusal(refuse("internal", "The fault is logged under the correlation id."), correlationId);
      }
    });
}
