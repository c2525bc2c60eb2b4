import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpFunctions, httpFunctions } from "../../functions/http-functions-fixture.ts";
import { finished, pythonEnvironment } from "./python-environment.ts";

/** The VTN of OpenADR 3.1.0 is used by a client that others wrote, from the business side and as a VEN. */

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const BASE = "/openadr3/3.1.0";
let functions: HttpFunctions;
let server: Server;

beforeAll(async () => {
  functions = await httpFunctions();
  // Whose token it is, is its text: the gateway before the function is no part of this.
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { pathname, searchParams } = new URL(request.url ?? "", "http://vtn");
    const role = (request.headers.authorization ?? "").replace("Bearer ", "");
    const answer = await functions.ask("serve-openadr", role, `${request.method} ${pathname}`, {
      query: Object.fromEntries(searchParams),
      ...(body === "" ? {} : { body }),
      gatewayKey: `ANY ${BASE}/{path+}`,
    });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await functions.close();
});

describe.skipIf(environment.kind === "absent")("an OpenADR 3 client (openadr3)", () => {
  it("creates, reads, changes and deletes what the VTN offers, and is refused what it may not", async () => {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`;
    const script = `${import.meta.dirname}/openadr_client.py`;
    const { code, stdout, stderr } = await finished(environment.python, [script, base, "operator", "subscriber"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      "create program": 201,
      "same name again": 409,
      "create event": 201,
      "create ven": 201,
      "create resource": 201,
      "create report": 201,
      "create subscription": 201,
      "event by a ven": 403,
      "event as read": {
        name: "cold",
        start: "2030-01-01T00:00:00+00:00",
        seconds: 3_600,
        payloads: [["SIMPLE", [2]]],
      },
      programs: ["Peak days"],
      vens: ["home"],
      resources: ["heater"],
      reports: ["home"],
      subscriptions: ["drms"],
      notifiers: { WEBHOOK: true },
      "update event": 200,
      "seconds then": 1_800,
      "delete subscription": 200,
      "delete event": 200,
      "event that is gone": 404,
    });
  });
});
