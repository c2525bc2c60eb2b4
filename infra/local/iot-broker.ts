import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import type { Json } from "./assembly.ts";
import { CertificateAuthority, type Identity } from "./certificate-authority.ts";
import type { RuleStatement } from "./iot-rule.ts";
import type { Permissions, RequestContext } from "./permissions.ts";

/** A topic rule of the template: its statement, and what happens with what it selects. Resolves false: an action failed. */
export interface TopicRule {
  readonly name: string;
  readonly statement: RuleStatement;
  readonly act: (body: string) => boolean;
  readonly onError: (body: string) => boolean;
}

export interface BrokerOptions {
  readonly permissions: Permissions;
  /** `arn:aws:iot:<region>:<account>` */
  readonly arnPrefix: string;
  readonly log: (text: string) => void;
}

/** Where endpoints connect, and what their maker needs. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  /** PEM: of the broker's own certificate. */
  readonly authority: string;
  /** Of the maker of simulated endpoints, whose certificates the broker believes. */
  readonly maker: Identity;
  readonly makerName: string;
}

const HOST = "127.0.0.1";
const PAYLOAD_MAX = 128 * 1024;
const CLIENT_ID_MAX = 128;
const TOPIC_LEVELS_MAX = 8; // seven slashes
const BASIC_INGEST = /^\$aws\/rules\/([A-Za-z0-9_]+)\/(.+)$/;
const THING_NAME = /^[A-Za-z0-9:_-]{1,128}$/;
/** Of a thing's name, in policies. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: IoT's own variable
const THING_VARIABLE = "${iot:Connection.Thing.ThingName}";
const NOT_AUTHORIZED = 5;
const BAD_PROTOCOL = 1;
const ATTACHED: RequestContext = { "iot:connection.thing.isattached": ["true"] };

const refusedConnect = (message: string, returnCode: number): AuthenticateError =>
  Object.assign(new Error(message), { returnCode });

/**
 * MQTT 3.1.1 as IoT Core speaks it (aedes), over mutual TLS: who has no certificate of the maker gets no connection. The
 * common name is the thing; the template's policies are attached to every certificate and evaluated for connections,
 * subscriptions and messages in both directions. Whatever is refused ends the connection.
 */
export class IotBroker {
  readonly #options: BrokerOptions;
  readonly #aedes: Aedes;
  readonly #policies: Json[] = [];
  readonly #rules = new Map<string, TopicRule>();
  /** Things whose policies have been granted. */
  readonly #known = new Set<string>();
  readonly #sockets = new Set<TLSSocket>();
  #server: Server | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#aedes = new Aedes({
      maxClientsIdLength: CLIENT_ID_MAX,
      maxTopicLevels: TOPIC_LEVELS_MAX,
      authenticate: (client, _user, _password, done) => {
        const refused = this.#connectRefusal(client);
        if (refused === undefined) done(null, true);
        else done(refused, false);
      },
      authorizePublish: (client, packet, done) => {
        if (client === null) return done(null); // the data plane, which has asked for itself
        const actions = packet.retain ? ["iot:Publish", "iot:RetainPublish"] : ["iot:Publish"];
        if (packet.qos > 1) return done(new Error("QoS 2 is not served"));
        if (packet.payload.length > PAYLOAD_MAX) return done(new Error(`a payload has at most ${PAYLOAD_MAX} octets`));
        done(actions.every((action) => this.#may(client, action, `topic/${packet.topic}`)) ? null : notAuthorised);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const may = this.#may(client, "iot:Subscribe", `topicfilter/${subscription.topic}`);
        if (!may || subscription.topic.startsWith("$aws/rules/")) return done(notAuthorised);
        done(null, subscription.qos === 2 ? { ...subscription, qos: 1 } : subscription);
      },
      authorizeForward: (client, packet) => (this.#may(client, "iot:Receive", `topic/${packet.topic}`) ? packet : null),
      published: (packet, client, done) => {
        if (!packet.topic.startsWith("$SYS/")) this.#apply(packet.topic, octetsOf(packet.payload), client?.id);
        done();
      },
    });
    for (const event of ["clientError", "connectionError"] as const)
      this.#aedes.on(event, (client, error) => this.#options.log(`${client?.id ?? "?"}: ${error.message}\n`));
  }

  /** A policy document, attached to the certificate of every thing. */
  attachPolicy(document: Json): void {
    this.#policies.push(document);
  }

  addRule(rule: TopicRule): void {
    this.#rules.set(rule.name, rule);
  }

  /** Opens the broker on a free port of 127.0.0.1. */
  async start(): Promise<BrokerAddress> {
    const now = Date.now();
    const authority = CertificateAuthority.create("Headrace local broker", now);
    const maker = CertificateAuthority.create("Headrace local maker of endpoints", now);
    const { certificate, key } = authority.server("broker", now);
    await this.#aedes.listen();
    const server = createServer(
      {
        cert: certificate,
        key,
        ca: maker.identity.certificate,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
      },
      (socket) => {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => this.#sockets.delete(socket));
        this.#aedes.handle(socket);
      },
    );
    server.on("tlsClientError", (error) => this.#options.log(`no connection: ${error.message}\n`));
    server.listen(0, HOST);
    await once(server, "listening");
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    return {
      host: HOST,
      port,
      authority: authority.identity.certificate,
      maker: maker.identity,
      makerName: maker.name,
    };
  }

  /** A message that no MQTT client sent. Resolves when it waits for, or went to, every subscriber. */
  publish(message: {
    readonly topic: string;
    readonly payload: Uint8Array;
    readonly qos: 0 | 1;
    readonly retain: boolean;
  }): Promise<void> {
    const packet = { cmd: "publish", dup: false, ...message, payload: Buffer.from(message.payload) } as const;
    return new Promise((resolve, reject) =>
      this.#aedes.publish(packet, (error) => (error ? reject(error) : resolve())),
    );
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #connectRefusal(client: Client): AuthenticateError | undefined {
    const thing = thingOf(client);
    if (client.version !== 4) return refusedConnect("expected MQTT 3.1.1", BAD_PROTOCOL);
    if (thing === undefined) return refusedConnect("expected a certificate that names a thing", NOT_AUTHORIZED);
    if (this.#may(client, "iot:Connect", `client/${client.id}`)) return undefined;
    return refusedConnect(`${thing} may not connect as ${client.id}`, NOT_AUTHORIZED);
  }

  #may(client: Client, action: string, resource: string): boolean {
    const thing = thingOf(client);
    if (thing === undefined) return false;
    const { permissions, arnPrefix } = this.#options;
    const role = `thing:${thing}`;
    if (!this.#known.has(thing)) {
      this.#known.add(thing);
      for (const policy of this.#policies)
        permissions.grant(role, JSON.parse(JSON.stringify(policy).replaceAll(THING_VARIABLE, thing)) as Json);
    }
    return permissions.allows(role, action, `${arnPrefix}:${resource}`, ATTACHED);
  }

  /** The rules that take the message: the one that its topic names (Basic Ingest), else all whose filter fits. */
  #apply(topic: string, payload: Uint8Array, clientId: string | undefined): void {
    const [, name, rest] = BASIC_INGEST.exec(topic) ?? [];
    const named = name === undefined ? undefined : this.#rules.get(name);
    const rules = name === undefined ? [...this.#rules.values()] : named === undefined ? [] : [named];
    const message = { topic: rest ?? topic, payload, clientId, at: Date.now() };
    for (const { name: rule, statement, act, onError } of rules) {
      if (!statement.takes(message.topic)) continue;
      const body = statement.result(message);
      if (body !== undefined && act(body)) continue;
      this.#options.log(`rule ${rule}: an action failed\n`);
      if (body !== undefined) onError(body);
    }
  }
}

const notAuthorised = new Error("no policy of the thing allows it");
const octetsOf = (payload: string | Buffer): Uint8Array =>
  typeof payload === "string" ? Buffer.from(payload) : payload;

/** The name in the certificate with which the client proved itself. */
function thingOf({ conn }: Client): string | undefined {
  const subject = (conn as TLSSocket).getPeerCertificate().subject as { readonly CN?: unknown } | undefined;
  return typeof subject?.CN === "string" && THING_NAME.test(subject.CN) ? subject.CN : undefined;
}
