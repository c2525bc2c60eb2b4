import type { APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";

export interface EventParts {
  readonly claims?: Readonly<Record<string, string | string[]>> | null;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The key of the gateway's route, where it is a greedy one. */
  readonly gatewayKey?: string;
}

export const machine = (role: string) => ({
  token_use: "access",
  client_id: role,
  sub: role,
  scope: `headrace/${role}`,
});
export const person = (role: string) => ({
  token_use: "access",
  client_id: "console",
  sub: `person-${role}`,
  username: role,
  "cognito:groups": `[${role}]`,
});

/** An HTTP API event, payload 2.0, as API Gateway sends it. A string body is sent as it is, anything else as JSON. */
export function httpEvent(routeKey: string, parts: EventParts = {}): APIGatewayProxyEventV2WithJWTAuthorizer {
  const [method, path] = routeKey.split(" ") as [string, string];
  const { gatewayKey = routeKey } = parts;
  const claims = parts.claims === undefined ? machine("administrator") : parts.claims;
  return {
    version: "2.0",
    routeKey: gatewayKey,
    rawPath: path,
    rawQueryString: "",
    headers: { ...parts.headers },
    ...(parts.params === undefined ? {} : { pathParameters: parts.params }),
    ...(parts.query === undefined ? {} : { queryStringParameters: parts.query }),
    ...(parts.body === undefined
      ? {}
      : { body: typeof parts.body === "string" ? parts.body : JSON.stringify(parts.body) }),
    isBase64Encoded: false,
    requestContext: {
      accountId: "000000000000",
      apiId: "api",
      domainName: "api.example",
      domainPrefix: "api",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" },
      requestId: "request-1",
      routeKey,
      stage: "$default",
      time: "23/Nov/2026:00:00:00 +0000",
      timeEpoch: Date.now(),
      ...(claims === null ? {} : { authorizer: { jwt: { claims, scopes: [] } } }),
    } as unknown as APIGatewayProxyEventV2WithJWTAuthorizer["requestContext"],
  };
}

export const lambdaContext = (remainingMs = 60_000): Context => ({
  callbackWaitsForEmptyEventLoop: false,
  functionName: "test",
  functionVersion: "1",
  invokedFunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:test",
  memoryLimitInMB: "512",
  awsRequestId: "invocation-1",
  logGroupName: "group",
  logStreamName: "stream",
  getRemainingTimeInMillis: () => remainingMs,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
});

type Invokable = (event: never, context: Context) => Promise<unknown>;

/** Calls a handler and reads its answer. */
export async function call(handler: unknown, routeKey: string, parts: EventParts = {}) {
  const event = httpEvent(routeKey, parts) as never;
  const answer = (await (handler as Invokable)(event, lambdaContext())) as APIGatewayProxyStructuredResultV2;
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers ?? {},
    body: (answer.body === undefined ? undefined : JSON.parse(answer.body)) as never,
  };
}
