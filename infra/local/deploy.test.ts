import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Json, TemplateResource } from "./assembly.ts";
import { systemClock } from "./clock.ts";
import { type Deployment, deploy } from "./deploy.ts";
import { logSink } from "./log-sink.ts";

/** A small system: an HTTP route that takes an order, a queue, a function that stores it, a task, a console. */
const FUNCTION = `
const call = async (service, target, body) => {
  const answer = await fetch(process.env["AWS_ENDPOINT_URL_" + service], {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": target,
      "x-amz-date": "20260101T000000Z",
      authorization: "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20260101/eu-central-1/x/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text === "" ? {} : JSON.parse(text);
};
const db = (operation, body) => call("DYNAMODB", "DynamoDB_20120810." + operation, { TableName: process.env.TABLE, ...body });
export const order = async (event) => {
  await call("SQS", "AmazonSQS.SendMessage", { QueueUrl: process.env.QUEUE_URL, MessageBody: event.body });
  return { statusCode: 202, body: JSON.stringify({ by: event.requestContext.authorizer.jwt.claims.client_id }) };
};
export const store = async (event) => {
  for (const { body } of event.Records) await db("PutItem", { Item: { pk: { S: body } } });
  return { batchItemFailures: [] };
};
export const read = async (event) => ({ statusCode: 200, body: JSON.stringify(await db("GetItem", { Key: { pk: { S: event.pathParameters.id } } })) });
export const native = async () => {
  const { createRequire } = await import("node:module");
  try {
    return { statusCode: 200, body: JSON.stringify({ said: createRequire(import.meta.url)("native-thing") }) };
  } catch ({ code }) {
    return { statusCode: 200, body: JSON.stringify({ code }) };
  }
};
export const tick = async () => db("PutItem", { Item: { pk: { S: "ticked" } } });
`;
const TASK = `
import { createServer } from "node:http";
import { createServer as listen } from "node:net";
listen((socket) => socket.end(String(process.pid))).listen(Number(process.env.FIELD_PORT), "127.0.0.1");
createServer((_, answer) => answer.end("ok")).listen(Number(process.env.HEALTH_PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

type Resources = Record<string, TemplateResource>;
const att = (logicalId: string, name = "Arn"): Json => ({ "Fn::GetAtt": [logicalId, name] });
const ref = (name: string): Json => ({ Ref: name });

function grants(role: string, statements: readonly (readonly [string[], Json])[]): Resources {
  const PolicyDocument = { Statement: statements.map(([Action, Resource]) => ({ Effect: "Allow", Action, Resource })) };
  return {
    [role]: { Type: "AWS::IAM::Role" },
    [`${role}Policy`]: { Type: "AWS::IAM::Policy", Properties: { PolicyDocument, Roles: [ref(role)] } },
  };
}
const lambda = (name: string, role: string): TemplateResource => ({
  Type: "AWS::Lambda::Function",
  Properties: {
    Code: { S3Bucket: "assets", S3Key: "code.zip" },
    Handler: `index.${name}`,
    Runtime: "nodejs24.x",
    Role: att(role),
    Timeout: 10,
    Environment: { Variables: { TABLE: ref("Table"), QUEUE_URL: ref("Queue") } },
  },
});
const route = (RouteKey: string, integration: string): TemplateResource => ({
  Type: "AWS::ApiGatewayV2::Route",
  Properties: {
    ApiId: ref("Api"),
    RouteKey,
    AuthorizationType: "JWT",
    AuthorizerId: ref("Authorizer"),
    Target: { "Fn::Join": ["/", ["integrations", ref(integration)]] },
  },
});

const SERVICE: Resources = {
  Table: {
    Type: "AWS::DynamoDB::GlobalTable",
    Properties: {
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    },
  },
  Parked: { Type: "AWS::SQS::Queue" },
  Queue: {
    Type: "AWS::SQS::Queue",
    Properties: {
      QueueName: "orders",
      VisibilityTimeout: 1,
      RedrivePolicy: { deadLetterTargetArn: att("Parked"), maxReceiveCount: 2 },
    },
  },
  ...grants("OrderRole", [[["sqs:SendMessage"], att("Queue")]]),
  ...grants("StoreRole", [
    [["dynamodb:PutItem", "dynamodb:GetItem"], att("Table")],
    [["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], att("Queue")],
  ]),
  ...grants("TickRole", [[["lambda:InvokeFunction"], att("Tick")]]),
  ...grants("TaskRole", []),
  Order: lambda("order", "OrderRole"),
  Store: lambda("store", "StoreRole"),
  Read: lambda("read", "StoreRole"),
  Tick: lambda("tick", "StoreRole"),
  Mapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: {
      EventSourceArn: att("Queue"),
      FunctionName: ref("Store"),
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    },
  },
  Schedule: {
    Type: "AWS::Scheduler::Schedule",
    Properties: { ScheduleExpression: "rate(1 minute)", Target: { Arn: att("Tick"), RoleArn: att("TickRole") } },
  },
  Pool: { Type: "AWS::Cognito::UserPool" },
  Group: { Type: "AWS::Cognito::UserPoolGroup", Properties: { GroupName: "operator" } },
  Client: {
    Type: "AWS::Cognito::UserPoolClient",
    Properties: {
      ClientName: "operator",
      AllowedOAuthFlows: ["client_credentials"],
      AllowedOAuthScopes: ["headrace/operator"],
    },
  },
  Api: { Type: "AWS::ApiGatewayV2::Api" },
  Authorizer: {
    Type: "AWS::ApiGatewayV2::Authorizer",
    Properties: { JwtConfiguration: { Issuer: att("Pool", "ProviderURL"), Audience: [ref("Client")] } },
  },
  OrderIntegration: { Type: "AWS::ApiGatewayV2::Integration", Properties: { IntegrationUri: att("Order") } },
  ReadIntegration: { Type: "AWS::ApiGatewayV2::Integration", Properties: { IntegrationUri: att("Read") } },
  OrderRoute: route("POST /orders", "OrderIntegration"),
  ReadRoute: route("GET /orders/{id}", "ReadIntegration"),
  Files: { Type: "AWS::S3::Bucket" },
  Site: {
    Type: "Custom::CDKBucketDeployment",
    Properties: {
      ServiceToken: "provider",
      SourceObjectKeys: ["site.zip"],
      SourceMarkers: [{ "<<issuer>>": att("Pool", "ProviderURL") }],
      DestinationBucketName: ref("Files"),
    },
  },
  Edge: {
    Type: "AWS::CloudFront::Function",
    Properties: {
      FunctionCode: `function handler(event) { event.request.uri = event.request.uri.replace(/^\\/api/, ""); return event.request; }`,
    },
  },
  Headers: {
    Type: "AWS::CloudFront::ResponseHeadersPolicy",
    Properties: {
      ResponseHeadersPolicyConfig: {
        SecurityHeadersConfig: {
          ContentSecurityPolicy: {
            ContentSecurityPolicy: { "Fn::Join": ["", ["connect-src ", att("Pool", "ProviderURL")]] },
          },
        },
      },
    },
  },
  Distribution: {
    Type: "AWS::CloudFront::Distribution",
    Properties: {
      DistributionConfig: {
        DefaultRootObject: "index.html",
        DefaultCacheBehavior: { TargetOriginId: "files", ResponseHeadersPolicyId: ref("Headers") },
        CacheBehaviors: [
          {
            PathPattern: "/api/*",
            TargetOriginId: "api",
            FunctionAssociations: [{ EventType: "viewer-request", FunctionARN: att("Edge", "FunctionARN") }],
          },
        ],
        Origins: [
          { Id: "files", DomainName: att("Files", "RegionalDomainName") },
          { Id: "api", DomainName: { "Fn::Select": [2, { "Fn::Split": ["/", att("Api", "ApiEndpoint")] }] } },
        ],
      },
    },
  },
  Task: {
    Type: "AWS::ECS::TaskDefinition",
    Properties: {
      TaskRoleArn: att("TaskRole"),
      ContainerDefinitions: [
        {
          Name: "fetch",
          Essential: false,
          Environment: [
            { Name: "BUNDLE_KEY", Value: "task.mjs" },
            { Name: "BUNDLE_FILE", Value: "/bundle/task.mjs" },
            { Name: "BUNDLE_SHA256", Value: createHash("sha256").update(TASK).digest("hex") },
          ],
        },
        {
          Name: "bridge",
          Command: ["node", "--max-old-space-size=128", "/bundle/task.mjs"],
          Environment: [
            { Name: "HEALTH_PORT", Value: "8080" },
            { Name: "FIELD_PORT", Value: "4059" },
          ],
          PortMappings: [{ ContainerPort: 8080 }, { ContainerPort: 4059 }],
          StopTimeout: 5,
        },
      ],
    },
  },
  Service: { Type: "AWS::ECS::Service", Properties: { TaskDefinition: ref("Task"), DesiredCount: 2 } },
};

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
