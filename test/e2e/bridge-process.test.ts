import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { dynamoAccess } from "../../functions/adapters/dynamo-access.ts";
import { dynamoAuthority } from "../../functions/adapters/dynamo-authority.ts";
import { dynamoLedger } from "../../functions/adapters/dynamo-ledger.ts";
import { dynamoProfiles } from "../../functions/adapters/dynamo-profiles.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { Permissions } from "../../infra/local/permissions.ts";
import { openQueueEngine, type QueueEngine } from "../../infra/local/queue-engine.ts";
import { startQueueFront } from "../../infra/local/queue-front.ts";
import { createQueue } from "../../infra/local/sqs.ts";
import { Town } from "../../infra/local/town.ts";
import { titleOf } from "../../infra/local/town-listing.ts";
import { Job, JobId } from "../../shared/jobs/job.ts";
import { decodeMessage, encodeMessage, ResultBatch, WorkItem } from "../../shared/jobs/messages.ts";
import type { Slice } from "../../shared/jobs/slice.ts";
import { noSlots, setSlot } from "../../shared/jobs/slots.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { type EmbeddedDynamo, embeddedDynamo, TABLES } from "../contract/embedded-dynamo.ts";

const REGION = "eu-central-1";
const CLIENT = "4852440000000001";
const QUEUES = ["COMMANDS", "INTERACTIVE", "URGENT", "BULK", "IMAGES", "RESULTS", "UPLINK"] as const;
const PLAIN = ["Access", "KeyStore"].map((TableName) => ({ ...TABLES[1]!, TableName }));
/** One without keys: this test has no KMS. */
const PROFILE = "generic-eu-public";

describe("the bridge as a process", () => {
  let dynamo: EmbeddedDynamo;
  let queues: QueueEngine;
  let sqs: SQSClient;
  let town: Town;
  let env: Record<string, string>;
  const urls = new Map<string, string>();
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    dynamo = await embeddedDynamo([...TABLES, ...PLAIN]);
    queues = await openQueueEngine();
    const permissions = new Permissions();
    const key = permissions.administratorKey("test");
    const { url: endpoint } = await startQueueFront(queues, permissions);
    const credentials = { accessKeyId: key.id, secretAccessKey: key.secret };
    sqs = new SQSClient({ ...dynamo.config, endpoint, credentials, useQueueUrlAsEndpoint: false });
    for (const name of [...QUEUES, ...QUEUES.map((queue) => `${queue}_PARKED`)]) {
      const [queue, url] = [
        `test-${name.toLowerCase()}`,
        `http://sqs.${REGION}.localhost/000000000000/test-${name.toLowerCase()}`,
      ];
      createQueue(queues.sqs, { name: queue, url, arn: `arn:aws:sqs:${REGION}:000000000000:${queue}`, attributes: {} });
      urls.set(name, url);
    }
    town = await Town.start({
      meters: 40,
      seed: 5,
      faults: { silent: 0.5 },
      protocols: { dlms: 1, c1222: 0 },
      clientSystemTitle: CLIENT,
      clock: systemClock,
    });
    await dynamoAuthority(dynamo.db, "Authority").seed(REGION);
    await dynamoProfiles(dynamo.db, "Registry").add(PROFILES.get(PROFILE)!);
    const access = dynamoAccess(dynamo.db, "Access");
    for (const [slot, meter] of unsecured().entries())
      await access.createAccessItem({
        segment: 0,
        slot,
        meterId: MeterId.parse(meter.meterId),
        routes: [{ kind: "dial", host: meter.host, port: meter.port, transport: "tcp" }],
        profile: { name: PROFILE, version: 1 },
        systemTitle: titleOf(meter),
        counterOffset: 0n,
        releasedBase: 0n,
        lastOrder: 0,
        flags: { medical: false, priority: false, moratorium: false },
      });
    env = {
      ...Object.fromEntries([...urls].map(([name, url]) => [`${name}_QUEUE_URL`, url])),
      DEPLOYMENT: "test",
      ACCESS_TABLE: "Access",
      REGISTRY_TABLE: "Registry",
      LEDGER_TABLE: "Ledger",
      READINGS_TABLE: "Readings",
      AUTHORITY_TABLE: "Authority",
      AUDIT_TABLE: "Audit",
      KEYSTORE_TABLE: "KeyStore",
      KEYSTORE_NAME: "test-keys",
      KMS_KEY_ARN: `arn:aws:kms:${REGION}:000000000000:key/none`,
      EVIDENCE_BUCKET: "evidence",
      CLIENT_SYSTEM_TITLE: CLIENT,
      HEALTH_PORT: "0",
      MAX_SESSIONS: "16",
      MAILBOX_TOPIC: "test/{thing}/mailbox",
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: key.id,
      AWS_SECRET_ACCESS_KEY: key.secret,
      AWS_ENDPOINT_URL_DYNAMODB: String(dynamo.config.endpoint),
      AWS_ENDPOINT_URL_SQS: endpoint,
    };
  }, 60_000);
  afterEach(() => {
    for (const child of running.splice(0)) child.kill("SIGKILL");
  });
  afterAll(async () => {
    await town?.stop();
    sqs?.destroy();
    await queues?.close();
    await dynamo?.close();
  });

  const unsecured = () => town.meters.filter(({ profile }) => profile === PROFILE);
  const slotOf = (silent: boolean): number => unsecured().findIndex(({ fault }) => (fault === "silent") === silent);

  /** Starts a bridge and answers its lines as they come, once it is up. */
  async function start(change: Record<string, string> = {}) {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../../functions/bridge/main.ts")], {
      env: { ...env, ...change },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(child);
    const exited = once(child, "exit").then(([code]) => code as number);
    const lines: Record<string, unknown>[] = [];
    for (const input of [child.stdout, child.stderr])
      createInterface({ input }).on("line", (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
    const line = (message: string) =>
      expect.poll(() => lines.find((one) => one.message === message), { timeout: 15_000 });
    await line("bridge is up").toBeDefined();
    const { healthPort } = lines.find(({ message }) => message === "bridge is up") as { healthPort: number };
    const health = () => fetch(`http://127.0.0.1:${healthPort}/healthz`);
    return { child, exited, lines, line, health };
  }

  async function plan(name: string, slots: readonly number[]): Promise<Slice> {
    const ledger = dynamoLedger(dynamo.db, "Ledger");
    const jobId = JobId.parse(name.padEnd(26, "0"));
    const now = Date.now();
    const job: Job = Job.parse({
      jobId,
      operation: { kind: "readRegisters" },
      target: { kind: "all" },
      lane: "bulk",
      state: "running",
      createdAt: now,
      deadline: now + 3_600_000,
      retry: { passes: 1, backoffSeconds: 1 },
      caller: { id: "test", roles: [] },
    });
    const octets = noSlots();
    for (const slot of slots) setSlot(octets, slot, "open");
    const slice: Slice = {
      jobId,
      segment: 0,
      part: 0,
      state: "queued",
      lane: "bulk",
      generation: 1,
      version: 1,
      slots: octets,
      passes: 0,
      uncleanEnds: 0,
      sentAt: now,
      deadline: job.deadline,
    };
    await ledger.createJob(job);
    await ledger.createSlice(slice);
    await send(encodeMessage(WorkItem, { v: 1, job: jobId, segment: 0, part: 0, generation: 1 }));
    return slice;
  }
  const send = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl: urls.get("BULK"), MessageBody }));
  const results = async (): Promise<ResultBatch[]> => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: urls.get("RESULTS"), WaitTimeSeconds: 5 }),
    );
    return Messages.map(({ Body }) => decodeMessage(ResultBatch, Body ?? ""));
  };

  it("reads a meter over TCP, is healthy, survives a message that cannot be read, and ends at SIGTERM", async () => {
    const bridge = await start();
    expect((await bridge.health()).status).toBe(200);
    await send("neither JSON nor anything else");
    await plan("read", [slotOf(false)]);
    const [batch] = await results();
    expect(batch).toMatchObject({ lane: "bulk", passOver: true, tasks: [{ outcome: { kind: "done" } }] });
    expect(batch?.tasks[0]?.registers?.map(({ m }) => m)).toContain("energy.active.import.total");
    await bridge.line("a message that cannot be read goes to the dead-letter queue").toBeDefined();
    const { Messages: [parked] = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: urls.get("BULK_PARKED"),
        WaitTimeSeconds: 5,
        MessageAttributeNames: ["All"],
      }),
    );
    expect(parked).toMatchObject({
      Body: "neither JSON nor anything else",
      MessageAttributes: { reason: { StringValue: "the body is not JSON" } },
    });
    await bridge.line("slice").toMatchObject({ segment: 0, end: "over", outcomes: { done: 1 }, tries: 1 });
    bridge.child.kill("SIGTERM");
    expect(await bridge.exited).toBe(0);
  }, 40_000);

  it("drains: unhealthy at once, what runs may end, what does not goes back, exit 0", async () => {
    const silent = unsecured().flatMap(({ fault }, slot) => (fault === "silent" ? [slot] : []));
    expect(silent.length).toBeGreaterThan(0);
    const bridge = await start();
    const slice = await plan("drain", [slotOf(false), ...silent]);
    const ledger = dynamoLedger(dynamo.db, "Ledger");
    await expect.poll(async () => (await ledger.slice(slice))?.state, { timeout: 10_000 }).toBe("working");
    const told: number[] = [];
    const listen = async (): Promise<readonly number[]> => {
      told.push(...(await results()).flatMap(({ tasks }) => tasks.map(({ slot }) => slot)));
      return told;
    };
    await expect.poll(listen).toEqual([slotOf(false)]); // the one that answers is through, the silent ones are not
    await expect
      .poll(async () => ((await (await bridge.health()).json()) as { busySessions: number }).busySessions)
      .toBe(silent.length);
    bridge.child.kill("SIGTERM");
    await expect.poll(async () => (await bridge.health()).status, { interval: 20 }).toBe(503);
    expect(await bridge.exited).toBe(0); // the silent sessions time out; they are not tried again
    const after = await ledger.slice(slice);
    expect(after).toMatchObject({ state: "planned", generation: 2, uncleanEnds: 0 });
    expect(after?.lease).toBeUndefined();
    expect(await listen()).toEqual([slotOf(false)]);
  }, 60_000);

  it("takes no work while another Region is active", async () => {
    const bridge = await start({ AWS_REGION: "eu-west-3" });
    const slice = await plan("elsewhere", [slotOf(false)]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await dynamoLedger(dynamo.db, "Ledger").slice(slice))?.state).toBe("queued");
    bridge.child.kill("SIGTERM");
    expect(await bridge.exited).toBe(0);
  }, 30_000);

  it("says which setting is missing", async () => {
    const { HEALTH_PORT: _port, ...rest } = env;
    const child = spawn(process.execPath, [join(import.meta.dirname, "../../functions/bridge/main.ts")], { env: rest });
    running.push(child);
    let said = "";
    child.stderr.on("data", (text: Buffer) => {
      said += text.toString();
    });
    const [code] = await once(child, "exit");
    expect(code).not.toBe(0);
    expect(said).toContain("HEALTH_PORT");
  });
});
