import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context } from "aws-lambda";
import { vi } from "vitest";
import { Cognito } from "../infra/local/cognito.ts";
import { Kms } from "../infra/local/kms.ts";
import { KmsKeyStore } from "../infra/local/kms-keys.ts";
import { Permissions } from "../infra/local/permissions.ts";
import { openQueueEngine } from "../infra/local/queue-engine.ts";
import { startQueueFront } from "../infra/local/queue-front.ts";
import { createQueue } from "../infra/local/sqs.ts";
import { PROFILES } from "../shared/metering/profiles/catalogue.ts";
import { embeddedDynamo, TABLES } from "../test/contract/embedded-dynamo.ts";
import { REGISTRY_TABLES } from "../test/contract/registry-tables.ts";
import { call, lambdaContext, machine } from "../test/http-event.ts";
import { itemCount } from "../test/item-count.ts";
import { quiet } from "../test/quiet.ts";
import { dynamoAuthority } from "./adapters/dynamo-authority.ts";
import { dynamoProfiles } from "./adapters/dynamo-profiles.ts";

const QUEUES = ["commands", "interactive", "urgent", "bulk", "images", "notices", "webhooks"];
const FUNCTIONS = [
  "submit-job",
  "read-jobs",
  "cancel-job",
  "pause-job",
  "enrol-meter",
  "read-meters",
  "read-readings",
  "read-timeline",
  "read-completeness",
  "read-kpis",
  "manage-exports",
  "manage-groups",
  "manage-queries",
  "manage-schedules",
  "manage-calendars",
  "manage-tariffs",
  "manage-subscriptions",
  "manage-ways-in",
  "manage-demand",
  "serve-openadr",
  "manage-authority",
  "manage-prepayment",
  "manage-outages",
  "check-power",
  "approve-job",
  "read-audit",
  "describe-api",
];
/** As `person` in http-event.ts names them, and a second supervisor. */
const PEOPLE = ["operator", "supervisor", "supervisor-2"].map((name) => ({
  ...{ name, id: `person-${name}`, password: "", role: name.replace(/-2$/, "") },
}));
/** Those that the minute starts. */
const BY_THE_MINUTE = ["seal-audit", "watch-outages"] as const;

const QUEUE_BASE = "http://127.0.0.1/000000000000";
const METER_KEYS = "arn:aws:kms:eu-west-1:000000000000:key/mrk-00000000000000000000000000000001";
const KEY_STORE = {
  TableName: "KeyStore",
  AttributeDefinitions: ["branch-key-id", "type"].map((AttributeName) => ({
    AttributeName,
    AttributeType: "S" as const,
  })),
  KeySchema: [
    { AttributeName: "branch-key-id", KeyType: "HASH" as const },
    { AttributeName: "type", KeyType: "RANGE" as const },
  ],
  BillingMode: "PAY_PER_REQUEST" as const,
};

/** A meter of the profile without security: nothing to seal. */
export const meter = (number: number, rest: object = {}) => ({
  meterId: `M-${number}`,
  commodity: "electric",
  serial: `S-${number}`,
  profile: "generic-eu-public",
  routes: [{ kind: "dial", host: "127.0.0.1", port: 4059 }],
  memberships: { groups: ["north"] },
  ...rest,
});

/** Takes what is invoked asynchronously, as Lambda does, and does nothing about it. */
async function lambdaFront(invoked: Invoked[]) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const name = /functions\/([^/]+)\/invocations/.exec(decodeURIComponent(request.url ?? ""))?.[1] ?? "";
      invoked.push({ function: name, input: JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as object });
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

export interface Invoked {
  readonly function: string;
  readonly input: object;
}
export type HttpFunctions = Awaited<ReturnType<typeof httpFunctions>>;

/** The functions behind the API before embedded tables and queues, each loaded with the environment that it is given. */
export async function httpFunctions() {
  quiet();
  const invoked: Invoked[] = [];
  const others = TABLES.filter(({ TableName }) => TableName !== "Registry");
  const dynamo = await embeddedDynamo([...others, ...REGISTRY_TABLES, KEY_STORE]);
  await dynamoAuthority(dynamo.db, "Authority").seed("eu-west-1");
  for (const profile of PROFILES.values()) await dynamoProfiles(dynamo.db, "Registry").add(profile);
  const engine = await openQueueEngine();
  const permissions = new Permissions();
  permissions.grant("worker", {
    Statement: { Effect: "Allow", Action: ["sqs:*", "s3:*", "kms:*", "cognito-idp:*"], Resource: "*" },
  });
  const queues = await startQueueFront(engine, permissions);
  engine.s3.createBucket("seals");
  const kms = new Kms(permissions, new KmsKeyStore());
  const sealKey = "arn:aws:kms:eu-west-1:000000000000:key/seal";
  kms.keys.ensure(sealKey, "ECC_NIST_P256", "SIGN_VERIFY");
  kms.keys.ensure(METER_KEYS, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const keys = await kms.start();
  const lambda = await lambdaFront(invoked);
  const people = new Cognito(permissions, "arn:aws:cognito-idp:eu-west-1:000000000000");
  const directory = await people.start();
  people.put(PEOPLE);
  const { id, secret } = permissions.accessKey("api", "worker");
  for (const lane of QUEUES) {
    const url = `${QUEUE_BASE}/${lane}`;
    createQueue(engine.sqs, { name: lane, url, arn: `arn:aws:sqs:eu-west-1:000000000000:${lane}`, attributes: {} });
    vi.stubEnv(`${lane.toUpperCase()}_QUEUE_URL`, url);
  }
  const env = {
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_ENDPOINT_URL_DYNAMODB: String(dynamo.config.endpoint),
    AWS_ENDPOINT_URL_SQS: queues.url,
    AWS_ENDPOINT_URL_S3: queues.url,
    AWS_ENDPOINT_URL_KMS: keys.url,
    AWS_ENDPOINT_URL_LAMBDA: lambda.url,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: directory.url,
    USER_POOL_ID: "people",
    DEPLOYMENT: "headrace",
    ACCESS_TABLE: "Access",
    REGISTRY_TABLE: "Registry",
    LEDGER_TABLE: "Ledger",
    READINGS_TABLE: "Readings",
    TIMELINE_TABLE: "Timeline",
    TIMELINE_DAYS: "",
    BLOCK_DAYS: "0",
    AUTHORITY_TABLE: "Authority",
    AUDIT_TABLE: "Audit",
    SEAL_BUCKET: "seals",
    SEAL_KEY_ARN: sealKey,
    OUTAGES_TABLE: "Outages",
    OUTAGE_HOLD_SECONDS: "60",
    ACCOUNTS_TABLE: "Accounts",
    KEYSTORE_TABLE: "KeyStore",
    KEYSTORE_NAME: "headrace-keys",
    KMS_KEY_ARN: METER_KEYS,
    LAKE_BUCKET: "lake",
    FLEET_FILES_ABOVE: "20000",
    EXPORT_BUCKET: "exports",
    PLAN_JOB_FUNCTION: "plan-job",
    NOTIFY_OPENADR_FUNCTION: "notify-openadr",
    WRITE_EXPORT_FUNCTION: "write-export",
    CALLBACKS: "any",
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  // Handlers read their environment when they are loaded.
  const handlers = new Map<string, unknown>();
  for (const name of [...FUNCTIONS, ...BY_THE_MINUTE]) {
    const module = (await import(`./${name}/handler.ts`)) as { readonly handler: unknown };
    handlers.set(name, module.handler);
  }
  return {
    /** A minute has passed for this one. */
    minute: (name: (typeof BY_THE_MINUTE)[number]): Promise<unknown> =>
      (handlers.get(name) as (event: object, context: Context) => Promise<unknown>)({}, lambdaContext()),
    db: dynamo.db,
    /** Of the tables, for a client of one's own. */
    config: dynamo.config,
    /** Takes roles from people: those who are left, by name. */
    people: (left: readonly string[]) => people.put(PEOPLE.filter(({ name }) => left.includes(name))),
    /** What was invoked asynchronously, oldest first. */
    invoked,
    ask: (name: string, role: string, routeKey: string, parts: Parameters<typeof call>[2] = {}) =>
      call(handlers.get(name), routeKey, { claims: machine(role), ...parts }),
    itemsNow: () => itemCount(dynamo.db, ["Access", "Registry", "Ledger", "Readings"]),
    async close() {
      await queues.close();
      await kms.close();
      await directory.close();
      lambda.close();
      await dynamo.close();
      vi.unstubAllEnvs();
    },
  };
}
