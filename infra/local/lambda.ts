import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { BodyTooLargeError, bodyOf, type LocalServer, listen } from "./aws-endpoint.ts";
import { type EnvironmentSettings, type InvokeResult, LambdaEnvironment } from "./lambda-environment.ts";
import type { Permissions } from "./permissions.ts";

/** Requests and answers of a synchronous invocation; events of an asynchronous one. */
const SYNC_OCTETS_MAX = 6 * 1024 * 1024;
const ASYNC_OCTETS_MAX = 1024 * 1024;
/** Before the first and the second repeat of a failed asynchronous event. */
const RETRY_AFTER_MS = [60_000, 120_000] as const;

export interface FunctionSettings extends EnvironmentSettings {
  /** How many events at once; what comes beyond waits here, where AWS answers 429 or starts more. */
  readonly environmentsMax: number;
  /** Repeats of a failed asynchronous event, 0..2. */
  readonly retries: number;
}

/** A function with its warm environments. */
export class LambdaFunction {
  readonly settings: FunctionSettings;
  readonly #idle: LambdaEnvironment[] = [];
  readonly #all = new Set<LambdaEnvironment>();
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  constructor(settings: FunctionSettings) {
    this.settings = settings;
  }

  get name(): string {
    return this.settings.functionName;
  }
  get arn(): string {
    return this.settings.functionArn;
  }

  /** `event` is JSON. Never rejects: a function that fails is an answer. */
  async invoke(event: string): Promise<InvokeResult> {
    while (this.#idle.length === 0 && this.#all.size >= this.settings.environmentsMax)
      await new Promise<void>((resume) => this.#waiting.push(resume));
    if (this.#closed)
      return { failed: true, payload: JSON.stringify({ errorType: "Shutdown", errorMessage: "closed" }) };
    const environment = this.#idle.pop() ?? this.#start();
    const result = await environment.run(event);
    if (environment.ended) this.#all.delete(environment);
    else this.#idle.push(environment);
    this.#waiting.shift()?.();
    if (result.failed) this.settings.log(`${result.payload}\n`);
    if (result.payload.length <= SYNC_OCTETS_MAX) return result;
    const errorMessage = `Response payload size exceeded maximum allowed payload size (${SYNC_OCTETS_MAX} bytes).`;
    return { failed: true, payload: JSON.stringify({ errorType: "Function.ResponseSizeTooLarge", errorMessage }) };
  }

  /** In the background, repeated as AWS does. */
  async invokeLater(event: string): Promise<void> {
    for (let repeat = 0; ; repeat++) {
      const result = await this.invoke(event);
      const wait = RETRY_AFTER_MS[repeat];
      if (!result.failed || this.#closed || wait === undefined || repeat >= this.settings.retries) return;
      await pause(wait, undefined, { ref: false });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((environment) => environment.finish()));
    for (const resume of this.#waiting.splice(0)) resume();
  }

  #start(): LambdaEnvironment {
    const environment = new LambdaEnvironment(this.settings);
    this.#all.add(environment);
    return environment;
  }
}

/** The functions of a deployment and their Invoke API. */
export class Lambda {
  readonly #functions = new Map<string, LambdaFunction>();

  add(settings: FunctionSettings): LambdaFunction {
    const added = new LambdaFunction(settings);
    this.#functions.set(added.name, added);
    return added;
  }

  /** By name, ARN, or the integration URI that an API names it by. */
  find(reference: string): LambdaFunction | undefined {
    const name = /:function:([A-Za-z0-9-_]+)/.exec(reference)?.[1] ?? reference;
    return this.#functions.get(name);
  }

  get functions(): Iterable<LambdaFunction> {
    return this.#functions.values();
  }

  /** POST /2015-03-31/functions/<name>/invocations */
  async serve(permissions: Permissions): Promise<LocalServer> {
    const server = createServer(async (request, response) => {
      const answer = (status: number, body: string, headers: Record<string, string> = {}): void => {
        response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
      };
      const refuse = (status: number, type: string, message: string): void =>
        answer(status, JSON.stringify({ Type: "User", message, Message: message }), { "x-amzn-errortype": type });
      try {
        const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
        const named = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path)?.[1];
        const found = named === undefined ? undefined : this.find(decodeURIComponent(named));
        const principal = permissions.principal(request.headers.authorization);
        const body = (await bodyOf(request, SYNC_OCTETS_MAX)).toString() || "{}";
        if (principal === undefined)
          return refuse(403, "UnrecognizedClientException", "The security token is not valid.");
        if (found === undefined)
          return refuse(404, "ResourceNotFoundException", `Function not found: ${named ?? path}`);
        const refusal = permissions.refusal(principal, "lambda:InvokeFunction", found.arn);
        if (refusal !== undefined) return refuse(403, "AccessDeniedException", refusal);
        if (request.headers["x-amz-invocation-type"] === "Event") {
          if (body.length > ASYNC_OCTETS_MAX)
            return refuse(413, "RequestTooLargeException", `more than ${ASYNC_OCTETS_MAX} octets`);
          void found.invokeLater(body);
          return answer(202, "");
        }
        const { payload, failed } = await found.invoke(body);
        answer(200, payload, failed ? { "x-amz-function-error": "Unhandled" } : {});
      } catch (error) {
        if (error instanceof BodyTooLargeError) return refuse(413, "RequestTooLargeException", error.message);
        refuse(500, "ServiceException", error instanceof Error ? error.message : String(error));
      }
    });
    return listen(server);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#functions.values()].map((one) => one.close()));
  }
}
