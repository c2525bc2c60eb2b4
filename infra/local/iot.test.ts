import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { connect, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CertificateAuthority, type Identity } from "./certificate-authority.ts";
import { Iot } from "./iot.ts";
import { ruleStatement, topicMatches } from "./iot-rule.ts";
import { Permissions } from "./permissions.ts";
import { StartupError } from "./startup-error.ts";

const PREFIX = "arn:aws:iot:eu-central-1:000000000000";
// biome-ignore lint/suspicious/noTemplateCurlyInString: IoT's own variable
const THING = "${iot:Connection.Thing.ThingName}";
const SQL = "SELECT encode(*, 'base64') AS payload, clientid() AS thing FROM 'hr/+/uplink'";
const UPLINK = (thing: string): string => `$aws/rules/hr_uplink/hr/${thing}/uplink`;

describe("the broker for endpoints that sleep", () => {
  const permissions = new Permissions();
  const iot = new Iot(permissions, PREFIX);
  const uplinks: string[] = [];
  const clients: MqttClient[] = [];
  let maker: CertificateAuthority;
  let data: string;

  beforeAll(async () => {
    data = (await iot.start()).url;
    maker = new CertificateAuthority(iot.address.makerName, iot.address.maker);
    const allow = (Action: string, resource: string) => ({
      Effect: "Allow",
      Action,
      Resource: `${PREFIX}:${resource}`,
    });
    iot.broker.attachPolicy({
      Statement: [
        {
          ...allow("iot:Connect", `client/${THING}`),
          Condition: { Bool: { "iot:Connection.Thing.IsAttached": "true" } },
        },
        allow("iot:Publish", `topic/${UPLINK(THING)}`),
        allow("iot:Subscribe", `topicfilter/hr/${THING}/mailbox`),
        allow("iot:Receive", `topic/hr/${THING}/mailbox`),
      ],
    });
    const act = (body: string): boolean => {
      uplinks.push(body);
      return true;
    };
    iot.broker.addRule({ name: "hr_uplink", statement: ruleStatement(SQL, "test"), act, onError: () => true });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.endAsync(true);
    uplinks.length = 0;
  });
  afterAll(() => iot.close());

  /** Who is refused in the handshake of TLS 1.3 learns it when the connection closes. */
  const connected = (
    clientId: string,
    identity?: Identity,
    onMessage?: (text: string) => void,
  ): Promise<MqttClient> => {
    const { host, port, authority } = iot.address;
    const client = connect({
      protocol: "mqtts",
      host,
      port,
      ca: authority,
      clientId,
      clean: false,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
      ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    });
    clients.push(client);
    client.on("message", (topic, payload) => onMessage?.(`${topic} ${payload.toString()}`));
    return new Promise((resolve, reject) => {
      client.once("connect", () => resolve(client));
      client.once("error", reject);
      client.once("close", () => reject(new Error("closed")));
    });
  };
  const device = (thing: string): Promise<MqttClient> => connected(thing, maker.client(thing, Date.now()));
  const closed = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once("close", () => resolve()));
  const heard = (client: MqttClient): Promise<string> =>
    new Promise((resolve) => client.once("message", (topic, payload) => resolve(`${topic} ${payload.toString()}`)));
  const publisher = (resource: string): IoTDataPlaneClient => {
    permissions.grant(`role ${resource}`, {
      Statement: { Effect: "Allow", Action: "iot:Publish", Resource: `${PREFIX}:topic/${resource}` },
    });
    const { id, secret } = permissions.accessKey("bridge", `role ${resource}`);
    const credentials = { accessKeyId: id, secretAccessKey: secret };
    return new IoTDataPlaneClient({ region: "eu-central-1", endpoint: data, credentials, maxAttempts: 1 });
  };
  const mail = (topic: string, text: string) => new PublishCommand({ topic, qos: 1, payload: Buffer.from(text) });

  it("hands what an endpoint says to the rule that it names, with the name that its certificate proves", async () => {
    const client = await device("gas-1");
    await client.publishAsync(UPLINK("gas-1"), Buffer.from([0, 0xff, 0x60]), { qos: 1 });
    await expect.poll(() => uplinks).toEqual([JSON.stringify({ payload: "AP9g", thing: "gas-1" })]);
  });

  it("keeps a message for an endpoint that sleeps and gives it when it wakes", async () => {
    const first = await device("gas-2");
    await first.subscribeAsync("hr/gas-2/mailbox", { qos: 1 });
    await first.endAsync();
    await publisher("hr/*/mailbox").send(mail("hr/gas-2/mailbox", "read"));
    const got: string[] = [];
    await connected("gas-2", maker.client("gas-2", Date.now()), (text) => got.push(text));
    await expect.poll(() => got).toEqual(["hr/gas-2/mailbox read"]);
  });

  it("refuses a connection without a certificate, and with one of a stranger's", async () => {
    await expect(connected("gas-3")).rejects.toThrow();
    const stranger = CertificateAuthority.create("stranger", Date.now());
    await expect(connected("gas-3", stranger.client("gas-3", Date.now()))).rejects.toThrow();
  });

  it("refuses another thing's certificate", () =>
    expect(connected("gas-4", maker.client("gas-5", Date.now()))).rejects.toThrow(/Not authorized/i));

  it.each([
    ["another thing's uplink", (client: MqttClient) => client.publishAsync(UPLINK("gas-7"), "x", { qos: 1 })],
    ["an ordinary topic", (client: MqttClient) => client.publishAsync("hr/gas-6/mailbox", "x", { qos: 1 })],
    ["another thing's mailbox", (client: MqttClient) => client.subscribeAsync("hr/gas-7/mailbox")],
    ["all mailboxes", (client: MqttClient) => client.subscribeAsync("hr/+/mailbox")],
    ["QoS 2", (client: MqttClient) => client.publishAsync(UPLINK("gas-6"), "x", { qos: 2 })],
    ["a retained message", (client: MqttClient) => client.publishAsync(UPLINK("gas-6"), "x", { qos: 1, retain: true })],
  ])("ends the connection of an endpoint that asks for %s", async (_, ask) => {
    const client = await device("gas-6");
    const end = closed(client);
    void ask(client).catch(() => undefined);
    await end;
    expect(uplinks).toEqual([]);
  });

  it("publishes for a program whose role allows the topic, and for no other", async () => {
    const client = await device("gas-8");
    await client.subscribeAsync("hr/gas-8/mailbox", { qos: 1 });
    const told = heard(client);
    await publisher("hr/*/mailbox").send(mail("hr/gas-8/mailbox", "wake"));
    expect(await told).toBe("hr/gas-8/mailbox wake");
    await expect(publisher("hr/*/mailbox").send(mail("hr/gas-8/uplink", "x"))).rejects.toMatchObject({
      name: "ForbiddenException",
    });
  });
});

describe("the SQL of topic rules", () => {
  it.each([
    ["a/+/c", "a/b/c", true],
    ["a/+/c", "a/b/d", false],
    ["a/+", "a/b/c", false],
    ["a/#", "a/b/c", true],
    ["#", "$aws/rules/x", false],
  ])("%s takes %s: %s", (filter, topic, takes) => expect(topicMatches(filter, topic)).toBe(takes));

  it("evaluates functions of the whole message", () => {
    const sql = "SELECT topic(2) AS thing, topic() AS topic, timestamp() AS at, 'x' AS kind FROM 'a/+'";
    const message = { topic: "a/b", payload: new Uint8Array(), clientId: undefined, at: 7 };
    expect(JSON.parse(ruleStatement(sql, "test").result(message) ?? "")).toEqual({
      thing: "b",
      topic: "a/b",
      at: 7,
      kind: "x",
    });
  });

  it.each(["SELECT * FROM 'a'", "SELECT temperature AS t FROM 'a'", "SELECT topic() AS t FROM 'a' WHERE x > 1"])(
    "refuses what it does not evaluate: %s",
    (sql) => expect(() => ruleStatement(sql, "test")).toThrow(StartupError),
  );
});
