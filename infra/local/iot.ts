import { createServer } from "node:http";
import { AwsError, BodyTooLargeError, bodyOf, type LocalServer, listen } from "./aws-endpoint.ts";
import type { BrokerAddress } from "./iot-broker.ts";
import { IotBroker } from "./iot-broker.ts";
import type { Permissions } from "./permissions.ts";

const PAYLOAD_MAX = 128 * 1024;

/** IoT Core on this machine: the broker, and the data plane's REST endpoint by which programs publish. */
export class Iot {
  readonly broker: IotBroker;
  readonly #permissions: Permissions;
  readonly #arnPrefix: string;
  #address: BrokerAddress | undefined;
  #server: LocalServer | undefined;

  /** `arnPrefix`: `arn:aws:iot:<region>:<account>`. */
  constructor(permissions: Permissions, arnPrefix: string, log: (text: string) => void = () => undefined) {
    this.#permissions = permissions;
    this.#arnPrefix = arnPrefix;
    this.broker = new IotBroker({ permissions, arnPrefix, log });
  }

  /** Where endpoints connect. */
  get address(): BrokerAddress {
    if (this.#address === undefined) throw new Error("the broker is not started");
    return this.#address;
  }

  /** Answers where the data plane is. */
  async start(): Promise<LocalServer> {
    this.#address = await this.broker.start();
    this.#server = await listen(
      createServer(async (request, response) => {
        const answer = (status: number, body: object, type?: string): void =>
          void response
            .writeHead(status, { "content-type": "application/json", ...(type && { "x-amzn-errortype": type }) })
            .end(JSON.stringify(body));
        try {
          const url = new URL(request.url ?? "/", "http://localhost");
          const payload = await bodyOf(request, PAYLOAD_MAX);
          const { authorization } = request.headers;
          await this.#publish(request.method ?? "", url, authorization, payload);
          answer(200, { message: "OK", traceId: null });
        } catch (error) {
          const { type, status, message } = asAwsError(error);
          answer(status, { message, traceId: null }, type);
        }
      }),
    );
    return this.#server;
  }

  async #publish(method: string, url: URL, authorization: string | undefined, payload: Uint8Array): Promise<void> {
    const [, encoded] = /^\/topics\/(.+)$/.exec(url.pathname) ?? [];
    if (method !== "POST" || encoded === undefined)
      throw new AwsError(
        "InvalidRequestException",
        `IoT ${method} ${url.pathname} is not stood up (infra/local/iot.ts)`,
      );
    const topic = decodeURIComponent(encoded);
    const principal = this.#permissions.principal(authorization);
    if (principal === undefined) throw new AwsError("UnauthorizedException", "The credentials are not known.", 401);
    const refusal = this.#permissions.refusal(principal, "iot:Publish", `${this.#arnPrefix}:topic/${topic}`);
    if (refusal !== undefined) throw new AwsError("ForbiddenException", refusal, 403);
    const qos = url.searchParams.get("qos") ?? "0";
    if (qos !== "0" && qos !== "1") throw new AwsError("InvalidRequestException", `expected QoS 0 or 1, got ${qos}`);
    const retain = url.searchParams.get("retain") === "true";
    await this.broker.publish({ topic, payload, qos: qos === "1" ? 1 : 0, retain });
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.broker.close();
  }
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof BodyTooLargeError) return new AwsError("RequestEntityTooLargeException", error.message, 413);
  return new AwsError("InternalFailureException", error instanceof Error ? error.message : String(error), 500);
}
