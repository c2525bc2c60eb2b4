import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { TemplateResource } from "./assembly.ts";
import { systemClock } from "./clock.ts";
import { type Deployment, deploy } from "./deploy.ts";
import { att, FUNCTION, grants, lambda, type Resources, ref, route, SERVICE, TASK } from "./deploy-fixture.ts";
import { logSink } from "./log-sink.ts";

const directory = mkdtempSync(join(tmpdir(), "headrace-deploy-"));

function writeAssembly(resources: Resources): string {
  const folder = mkdtempSync(join(directory, "assembly-"));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const packages = "layer/nodejs/node_modules/native-thing";
  for (const name of ["code", "site", packages]) mkdirSync(join(folder, name), { recursive: true });
  write(`${packages}/index.js`, "module.exports = 'from the layer';");
  write("code/index.mjs", FUNCTION);
  write("site/index.html", "<!doctype html><title>Console</title>");
  write("site/config.json", '{"issuer":"<<issuer>>"}');
  write("task.mjs", TASK);
  const file = (path: string, objectKey: string) => ({ source: { path }, destinations: { local: { objectKey } } });
  const files = {
    c: file("code", "code.zip"),
    s: file("site", "site.zip"),
    t: file("task.mjs", "task.mjs"),
    l: file("layer", "layer.zip"),
  };
  write("assets.json", JSON.stringify({ files }));
  write("template.json", JSON.stringify({ Resources: resources }));
  const artifacts = {
    assets: { type: "cdk:asset-manifest", properties: { file: "assets.json" } },
    Service: { type: "aws:cloudformation:stack", properties: { templateFile: "template.json" } },
  };
  write("manifest.json", JSON.stringify({ artifacts }));
  return folder;
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
const log = logSink({});

describe("a deployment from a template", () => {
  let deployment: Deployment | undefined;
  afterEach(() => deployment?.close());
  afterAll(() => rmSync(directory, { recursive: true }));

  const start = async (resources: Resources, dataDir?: string): Promise<Deployment> => {
    const [console, api, issuer] = await Promise.all([freePort(), freePort(), freePort()]);
    const address = (port: number) => `http://127.0.0.1:${port}`;
    deployment = await deploy({
      assembly: writeAssembly(resources),
      addresses: { console: address(console), api: address(api), issuer: address(issuer) },
      log,
      clock: systemClock,
      ...(dataDir === undefined ? {} : { dataDir }),
    });
    return deployment;
  };
  const token = async ({ addresses, identity }: Deployment): Promise<string> => {
    const [client] = identity.clients;
    const answer = await fetch(`${addresses.issuer}/oauth2/token`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${client?.id}:${client?.secret}`).toString("base64")}` },
      body: new URLSearchParams({ grant_type: "client_credentials" }),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  };
  const ask = async (one: Deployment, method: string, path: string, body?: string) => {
    const headers = { authorization: `Bearer ${await token(one)}`, "content-type": "application/json" };
    const answer = await fetch(`${one.addresses.api}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const stored = async (one: Deployment, id: string) => (await ask(one, "GET", `/orders/${id}`)).body.Item;

  it("carries an order from the API over the queue to the table, ticks at once, and answers 401 without a token", async () => {
    const one = await start(SERVICE);
    expect(await ask(one, "POST", "/orders", "o-1")).toEqual({ status: 202, body: { by: "operator" } });
    await expect.poll(() => stored(one, "o-1")).toEqual({ pk: { S: "o-1" } });
    await expect.poll(() => stored(one, "ticked")).toEqual({ pk: { S: "ticked" } });
    const refused = await fetch(`${one.addresses.api}/orders/o-1`);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(await refused.json()).toMatchObject({ type: "urn:headrace:problem:unauthenticated", status: 401 });
    expect((await ask(one, "GET", "/elsewhere")).status).toBe(404);
  });

  it("serves the console with the template's headers and the API under its prefix", async () => {
    const { addresses } = await start(SERVICE);
    const page = await fetch(`${addresses.console}/`);
    expect(await page.text()).toContain("Console");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toBe(`connect-src ${addresses.issuer}`);
    expect(await (await fetch(`${addresses.console}/config.json`)).json()).toEqual({ issuer: addresses.issuer });
    expect((await fetch(`${addresses.console}/api/orders/o-1`)).status).toBe(401);
    expect((await fetch(`${addresses.console}/nothing.js`)).status).toBe(404);
  });

  it("gives a layer's packages to the functions that name it, and to no other", async () => {
    const layered = lambda("native", "StoreRole");
    const one = await start({
      ...SERVICE,
      Layer: { Type: "AWS::Lambda::LayerVersion", Properties: { Content: { S3Key: "layer.zip" } } },
      Layered: { ...layered, Properties: { ...layered.Properties, Layers: [ref("Layer")] } },
      Bare: lambda("native", "StoreRole"),
      LayeredIntegration: { Type: "AWS::ApiGatewayV2::Integration", Properties: { IntegrationUri: att("Layered") } },
      BareIntegration: { Type: "AWS::ApiGatewayV2::Integration", Properties: { IntegrationUri: att("Bare") } },
      LayeredRoute: route("GET /layered", "LayeredIntegration"),
      BareRoute: route("GET /bare", "BareIntegration"),
    });
    expect((await ask(one, "GET", "/layered")).body).toEqual({ said: "from the layer" });
    expect((await ask(one, "GET", "/bare")).body).toEqual({ code: "MODULE_NOT_FOUND" });
  });

  it("restarts a killed task at once and tells the process ids", async () => {
    const { addresses, processes } = await start(SERVICE);
    const told = (await (await fetch(`${addresses.api}/local/processes`)).json()) as { bridges: { pid: number }[] };
    expect(told.bridges).toMatchObject([{ name: "bridge-1" }, { name: "bridge-2" }]);
    const [killed] = told.bridges;
    process.kill(killed?.pid ?? 0, "SIGKILL");
    await expect.poll(() => processes().find(({ name }) => name === "bridge-1")?.restarts).toBe(1);
  });

  it("splits what comes in at a load balancer over its tasks", async () => {
    const port = await freePort();
    const { processes } = await start({
      ...SERVICE,
      Service: {
        Type: "AWS::ECS::Service",
        Properties: {
          ...SERVICE.Service?.Properties,
          LoadBalancers: [{ ContainerName: "bridge", ContainerPort: 4059, TargetGroupArn: ref("Group4059") }],
        },
      },
      Group4059: { Type: "AWS::ElasticLoadBalancingV2::TargetGroup" },
      Listener: {
        Type: "AWS::ElasticLoadBalancingV2::Listener",
        Properties: { Port: port, Protocol: "TCP", DefaultActions: [{ TargetGroupArn: ref("Group4059") }] },
      },
    });
    const call = () =>
      new Promise<number>((resolve) => {
        connect(port, "127.0.0.1").on("data", (octets) => resolve(Number(String(octets))));
      });
    const reached = [await call(), await call()].sort();
    expect(reached).toEqual(
      processes()
        .map(({ pid }) => pid)
        .sort(),
    );
  });

  it("works the same when a queue is renamed in the description", async () => {
    const queue = SERVICE.Queue;
    const one = await start({
      ...SERVICE,
      Queue: { Type: "AWS::SQS::Queue", Properties: { ...queue?.Properties, QueueName: "renamed" } },
    });
    await ask(one, "POST", "/orders", "o-2");
    await expect.poll(() => stored(one, "o-2")).toEqual({ pk: { S: "o-2" } });
  });

  it("denies the call whose grant was removed, and says which", async () => {
    const one = await start({ ...SERVICE, ...grants("OrderRole", []) });
    expect((await ask(one, "POST", "/orders", "o-3")).status).toBe(500);
    expect(log.tail("Service-Order")).toContain(
      "not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:eu-central-1:000000000000:orders",
    );
  });

  it("does not start an event source or a schedule whose role lacks its grant", async () => {
    const store = grants("StoreRole", [[["dynamodb:PutItem"], att("Table")]]);
    await expect(start({ ...SERVICE, ...store })).rejects.toThrow("does not allow sqs:ReceiveMessage");
    await expect(start({ ...SERVICE, ...grants("TickRole", []) })).rejects.toThrow(
      "does not allow lambda:InvokeFunction",
    );
  });

  it("refuses a template with a topic and names it", async () => {
    const topic: TemplateResource = { Type: "AWS::SNS::Topic" };
    await expect(start({ ...SERVICE, Alerts: topic })).rejects.toThrow("Alerts is a AWS::SNS::Topic");
  });

  it("keeps tables in the data folder", async () => {
    const data = join(directory, "data");
    const first = await start(SERVICE, data);
    await ask(first, "POST", "/orders", "kept");
    await expect.poll(() => stored(first, "kept")).toBeTruthy();
    await first.close();
    expect(await stored(await start(SERVICE, data), "kept")).toEqual({ pk: { S: "kept" } });
  });
});
