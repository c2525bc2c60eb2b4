import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Permissions, Principal } from "./permissions.ts";

/** An answer that the SDK turns into the exception of that name. */
export class AwsError extends Error {
  readonly type: string;
  readonly status: number;
  readonly extra: Readonly<Record<string, unknown>>;
  constructor(type: string, message: string, status = 400, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.type = type;
    this.status = status;
    this.extra = extra;
  }
}

export interface LocalServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 and nowhere else; port 0 takes a free one. */
export async function listen(server: Server, port = 0): Promise<LocalServer> {
  server.keepAliveTimeout = 60_000; // longer than the SDK keeps an idle socket: it must not write into a closed one
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export class BodyTooLargeError extends Error {}

/**
 * The whole body. Rejects with BodyTooLargeError when it has more octets than `limit`; what still comes is read and thrown
 * away, so that the caller's refusal reaches the other side.
 */
export function bodyOf(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const tooLarge = (): void => {
      request.removeAllListeners("data");
      request.resume();
      reject(new BodyTooLargeError(`expected a body of at most ${limit} octets`));
    };
    if (Number(request.headers["content-length"] ?? 0) > limit) return tooLarge();
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) return tooLarge();
      chunks.push(chunk);
    });
    request.once("end", () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.once("error", reject);
  });
}

export interface AwsCall {
  readonly principal: Principal;
  readonly operation: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly raw: Buffer;
  readonly request: IncomingMessage;
}

/** Answers the value of the call, or writes the response itself and answers undefined. */
type Handle = (call: AwsCall, response: ServerResponse) => Promise<object | undefined>;

/** A service of the AWS JSON protocols: `X-Amz-Target: <prefix>.<Operation>`, errors as 400 with `__type`. */
export function jsonService(permissions: Permissions, handle: Handle): Server {
  return createServer(async (request, response) => {
    const fail = (error: AwsError): void => {
      const body = JSON.stringify({
        __type: error.type,
        message: error.message,
        Message: error.message,
        ...error.extra,
      });
      response.writeHead(error.status, { "content-type": "application/x-amz-json-1.0" }).end(body);
    };
    try {
      const raw = await bodyOf(request, 16 * 1024 * 1024);
      const principal = permissions.principal(request.headers.authorization);
      if (principal === undefined)
        return fail(
          new AwsError("UnrecognizedClientException", "The security token included in the request is invalid."),
        );
      const operation =
        String(request.headers["x-amz-target"] ?? "")
          .split(".")
          .at(-1) ?? "";
      const body = JSON.parse(raw.toString() || "{}") as Readonly<Record<string, unknown>>;
      const answer = await handle({ principal, operation, body, raw, request }, response);
      if (answer === undefined) return;
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer));
    } catch (error) {
      if (error instanceof AwsError) return fail(error);
      if (error instanceof SyntaxError) return fail(new AwsError("SerializationException", error.message));
      if (error instanceof BodyTooLargeError)
        return fail(new AwsError("RequestEntityTooLargeException", error.message, 413));
      fail(new AwsError("InternalFailure", error instanceof Error ? error.message : String(error), 500));
    }
  });
}

/** Throws AccessDeniedException when the principal's role does not allow the action. */
export function authorise(
  permissions: Permissions,
  principal: Principal,
  action: string,
  resource: string,
  context: Readonly<Record<string, readonly string[]>> = {},
): void {
  const refusal = permissions.refusal(principal, action, resource, context);
  if (refusal !== undefined) throw new AwsError("AccessDeniedException", refusal);
}
