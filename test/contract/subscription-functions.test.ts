import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { QueryCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type HttpFunctions, httpFunctions } from "../../functions/http-functions-fixture.ts";
import type { AuditEntry } from "../../shared/security/audit.ts";
import { call, lambdaContext, machine } from "../http-event.ts";
import { makeBranchKeys, takeFrom } from "./branch-keys.ts";

let functions: HttpFunctions;
let server: Server;
let deliver: (event: never, context: never) => Promise<unknown>;
const got: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
let status = 204;
let url = "";

beforeAll(async () => {
  functions = await httpFunctions();
  await makeBranchKeys(functions.config);
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    got.push({ headers: request.headers, body });
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  vi.stubEnv("WEBHOOKS_PARKED_QUEUE_URL", "http://127.0.0.1/000000000000/notices"); // nothing is parked here
  deliver = (await import("../../functions/deliver-webhooks/handler.ts")).handler as never;
});
afterAll(async () => {
  server.close();
  await functions.close();
});

interface View {
  readonly subscriptionId: string;
  readonly secret: string;
  readonly state: string;
  readonly secrets: number;
  readonly health: { readonly lastFailure?: { readonly problem: string }; readonly lastDeliveredAt?: string };
}
type Parts = Parameters<HttpFunctions["ask"]>[3];
const ask = async (role: string, routeKey: string, parts: Parts = {}) => {
  const asked = routeKey.replaceAll(/\{(\w+)\}/g, (_, key: string) => parts?.params?.[key] ?? "");
  const { params: _, ...rest } = parts ?? {};
  const gatewayKey = asked.endsWith("/subscriptions") ? asked : "ANY /subscriptions/{path+}";
  const { status: code, body } = await functions.ask("manage-subscriptions", role, asked, { ...rest, gatewayKey });
  return { status: code, body: body as View & { readonly subscriptions: readonly View[]; readonly next?: string } };
};
const on = (subscriptionId: string) => ({ params: { subscriptionId } });

/** Everything in the queue of webhooks is delivered, as Lambda's poller does. */
async function deliverAll(): Promise<void> {
  for (const body of await takeFrom(process.env.WEBHOOKS_QUEUE_URL ?? "")) {
    const event = { Records: [{ messageId: "m", body, attributes: { ApproximateReceiveCount: "1" } }] };
    expect(await deliver(event as never, lambdaContext() as never)).toEqual({ batchItemFailures: [] });
  }
}

describe("subscriptions behind the API", () => {
  it("show their secret once, keep it sealed, and a test is signed with it", async () => {
    const made = await ask("administrator", "POST /subscriptions", {
      body: { url, description: "Control room", filter: { severities: ["alarm"] } },
    });
    expect(made).toMatchObject({ status: 201, body: { state: "active", secrets: 1, health: { failures: 0 } } });
    const { subscriptionId, secret } = made.body;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const read = await ask("operator", "GET /subscriptions/{subscriptionId}", on(subscriptionId));
    expect(JSON.stringify(read.body)).not.toContain("whsec");
    const octets = Buffer.from(secret.slice(6), "base64");
    for (const pk of ["SUBSCRIPTIONS", "WEBHOOK-SECRETS"]) {
      const { Items = [] } = await functions.db.send(
        new QueryCommand({
          TableName: "Ledger",
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": pk },
        }),
      );
      expect(Items).toHaveLength(1);
      const stored = Items.flatMap((item) => Object.values(item)).map((value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : JSON.stringify(value),
      );
      expect(stored.some((text) => text.includes(octets.toString("latin1")) || text.includes(secret.slice(6)))).toBe(
        false,
      );
    }
    const test = await ask("operator", "POST /subscriptions/{subscriptionId}/test", on(subscriptionId));
    expect(test.status).toBe(202);
    await deliverAll();
    const { headers, body } = got.at(-1)!;
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject([
      { specversion: "1.0", type: "io.headrace.subscription.test.v1", source: "/headrace/headrace" },
    ]);
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
    const after = await ask("operator", "GET /subscriptions/{subscriptionId}", on(subscriptionId));
    expect(after.body.health.lastDeliveredAt).toBeDefined();
  });

  it("change their secret without a gap: for a while both sign", async () => {
    const made = await ask("subscriber", "POST /subscriptions", { body: { url } });
    const { subscriptionId, secret: old } = made.body;
    const rotated = await ask("subscriber", "POST /subscriptions/{subscriptionId}/secret", {
      ...on(subscriptionId),
      body: { overlapHours: 1 },
    });
    expect(rotated).toMatchObject({ status: 200, body: { secrets: 2 } });
    const verifies = async (secret: string): Promise<boolean> => {
      await ask("subscriber", "POST /subscriptions/{subscriptionId}/test", on(subscriptionId));
      await deliverAll();
      const { headers, body } = got.at(-1)!;
      try {
        new Webhook(secret).verify(body, headers as Record<string, string>);
        return true;
      } catch {
        return false;
      }
    };
    expect([await verifies(old), await verifies(rotated.body.secret)]).toEqual([true, true]);
    const cut = await ask("subscriber", "POST /subscriptions/{subscriptionId}/secret", {
      ...on(subscriptionId),
      body: { overlapHours: 0 },
    });
    expect(cut.body.secrets).toBe(1);
    expect([await verifies(old), await verifies(rotated.body.secret), await verifies(cut.body.secret)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it("say why their endpoint takes nothing", async () => {
    status = 503;
    const { subscriptionId } = (await ask("administrator", "POST /subscriptions", { body: { url } })).body;
    await ask("administrator", "POST /subscriptions/{subscriptionId}/test", on(subscriptionId));
    await deliverAll();
    status = 204;
    const { body } = await ask("analyst", "GET /subscriptions/{subscriptionId}", on(subscriptionId));
    expect(body.health.lastFailure?.problem).toBe("the endpoint answered 503");
    await ask("administrator", "DELETE /subscriptions/{subscriptionId}", on(subscriptionId));
  });

  it("are listed in pages, and another system sees and steers its own alone", async () => {
    const { body: all } = await ask("analyst", "GET /subscriptions");
    expect(all.subscriptions).toHaveLength(2);
    const { body: first } = await ask("analyst", "GET /subscriptions", { query: { limit: "1" } });
    const { body: second } = await ask("analyst", "GET /subscriptions", {
      query: { limit: "1", cursor: first.next ?? "" },
    });
    expect([...first.subscriptions, ...second.subscriptions]).toEqual(all.subscriptions);
    expect(second.next).toBeUndefined();
    const { body: own } = await ask("subscriber", "GET /subscriptions");
    expect(own.subscriptions).toHaveLength(1);
    const others = all.subscriptions.find(
      ({ subscriptionId }) => subscriptionId !== own.subscriptions[0]?.subscriptionId,
    );
    const params = on(others?.subscriptionId ?? "");
    for (const route of ["GET", "DELETE"])
      expect((await ask("subscriber", `${route} /subscriptions/{subscriptionId}`, params)).status).toBe(404);
    for (const part of ["pause", "resume", "test"])
      expect((await ask("subscriber", `POST /subscriptions/{subscriptionId}/${part}`, params)).status).toBe(404);
    expect(
      (await ask("subscriber", "POST /subscriptions/{subscriptionId}/secret", { ...params, body: {} })).status,
    ).toBe(404);
  });

  it("are changed, paused, resumed and deleted, with their secrets, and the audit says by whom", async () => {
    const { body: all } = await ask("supervisor", "GET /subscriptions");
    const params = on(all.subscriptions[0]?.subscriptionId ?? "");
    const changed = await ask("administrator", "PUT /subscriptions/{subscriptionId}", {
      ...params,
      body: { url, filter: { kinds: ["outage"] } },
    });
    expect(changed).toMatchObject({ status: 200, body: { filter: { kinds: ["outage"] } } });
    expect("description" in changed.body).toBe(false);
    const state = async (part: string) =>
      (await ask("operator", `POST /subscriptions/{subscriptionId}/${part}`, params)).body.state;
    expect([await state("pause"), await state("resume")]).toEqual(["paused", "active"]);
    expect((await ask("operator", "DELETE /subscriptions/{subscriptionId}", params)).status).toBe(204);
    expect((await ask("operator", "GET /subscriptions/{subscriptionId}", params)).status).toBe(404);
    const { Items = [] } = await functions.db.send(
      new QueryCommand({
        TableName: "Ledger",
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :id)",
        ExpressionAttributeValues: { ":pk": "WEBHOOK-SECRETS", ":id": params.params.subscriptionId },
      }),
    );
    expect(Items).toEqual([]);
    const { Items: links = [] } = await functions.db.send(new ScanCommand({ TableName: "Audit" }));
    const entries = (links as { entry: AuditEntry }[])
      .map(({ entry }) => entry)
      .filter(({ detail }) => detail?.subscriptionId === params.params.subscriptionId)
      .sort((left, right) => left.at - right.at);
    expect(entries.map(({ action }) => action)).toEqual([
      "subscription.created",
      "subscription.changed",
      "subscription.paused",
      "subscription.resumed",
      "subscription.deleted",
    ]);
    expect(entries[0]?.detail?.host).toBe(new URL(url).host);
    expect(new Set(entries.map(({ by }) => by.id)).size).toBe(2);
  });

  it.each([
    ["administrator", { url: "ftp://oms.example" }, 422],
    ["administrator", { url: "https://user:word@oms.example" }, 422],
    ["administrator", { url: "https://oms.example", filter: { events: ["no.such"] } }, 400],
    ["administrator", { url: "https://oms.example", filter: { codes: ["3.26"] } }, 400],
    ["administrator", { url: "https://oms.example", filter: { colour: ["red"] } }, 400],
    ["operator", { url: "https://oms.example" }, 403],
    ["analyst", { url: "https://oms.example" }, 403],
  ])("refuse: %s, %j", async (role, body, code) => {
    expect((await ask(role, "POST /subscriptions", { body })).status).toBe(code);
  });

  it("refuse what is not of the open internet, unless this machine's deployment says so", async () => {
    vi.stubEnv("CALLBACKS", "public");
    vi.resetModules();
    const { handler } = (await import("../../functions/manage-subscriptions/handler.ts")) as {
      readonly handler: unknown;
    };
    for (const private_ of [url, "https://127.0.0.1/hook", "https://169.254.169.254/", "https://203.0.113.9/"]) {
      const answer = await call(handler, "POST /subscriptions", {
        claims: machine("administrator"),
        body: { url: private_ },
      });
      expect(answer.status, private_).toBe(422);
    }
  });
});
