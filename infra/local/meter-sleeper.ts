import { connect, type MqttClient } from "mqtt";
import type { Clock } from "../../shared/ports/clock.ts";
import type { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import type { BrokerAddress } from "./iot-broker.ts";

/** Where simulated endpoints that sleep connect, how many there are, and their topics. */
export interface Sleepers {
  readonly count: number;
  readonly broker: BrokerAddress;
  /** Topics with `{thing}` in the place of the endpoint's name. */
  readonly uplinkTopic: string;
  readonly mailboxTopic: string;
}

const CONNECT_MS = 10_000;

/**
 * The radio of one module on a battery. At each wake it connects with the certificate that its maker gave it, says what it
 * has to say, listens for as long as its device profile says (of the machine's time, as sockets do) and answers what lies in
 * its mailbox. Its session at the broker stays. Its first wake is when it is switched on.
 */
export class MeterSleeper {
  readonly #meter: C1222Meter;
  readonly #options: Sleepers;
  readonly #clock: Clock;
  readonly #identity: { readonly cert: string; readonly key: string };
  readonly #stopping = new AbortController();
  #rest = new AbortController();
  readonly #ended: Promise<void>;

  constructor(meter: C1222Meter, options: Sleepers, clock: Clock) {
    this.#meter = meter;
    this.#options = options;
    this.#clock = clock;
    const maker = new CertificateAuthority(options.broker.makerName, options.broker.maker);
    const { certificate, key } = maker.client(meter.plan.meterId, Date.now());
    this.#identity = { cert: certificate, key };
    this.#ended = this.#live();
  }

  /** As by a magnet held to it. */
  wake(): void {
    this.#rest.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#rest.abort();
    await this.#ended;
  }

  async #live(): Promise<void> {
    const { wakesEvery = 86_400 } = this.#meter.plan.profile.c1222.sleep ?? {};
    const every = wakesEvery * 1000;
    while (!this.#stopping.signal.aborted) {
      await this.#speakAndListen().catch(() => undefined); // no network: again at the next wake
      if (this.#stopping.signal.aborted) return;
      this.#rest = new AbortController();
      const now = this.#clock.now();
      await this.#clock.sleep((Math.floor(now / every) + 1) * every - now, this.#rest.signal).catch(() => undefined);
    }
  }

  async #speakAndListen(): Promise<void> {
    const { host, port, authority } = this.#options.broker;
    const thing = this.#meter.plan.meterId;
    const topic = (pattern: string): string => pattern.replace("{thing}", thing);
    const { uplinkTopic, mailboxTopic } = this.#options;
    const client = connect({
      protocol: "mqtts",
      host,
      port,
      ca: authority,
      ...this.#identity,
      clientId: thing,
      clean: false,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_MS,
    });
    const say = (octets: Uint8Array): void =>
      void client.publishAsync(topic(uplinkTopic), Buffer.from(octets), { qos: 1 }).catch(() => undefined);
    client.on("message", (_, payload) => {
      for (const answer of this.#meter.connect().receive(new Uint8Array(payload)).send) say(answer);
    });
    try {
      await connected(client);
      this.#meter.heldAwake = true;
      await client.subscribeAsync(topic(mailboxTopic), { qos: 1 });
      for (const octets of this.#meter.pushes()) say(octets);
      await this.#listen(client);
    } finally {
      this.#meter.heldAwake = false;
      await client.endAsync(this.#stopping.signal.aborted).catch(() => undefined);
    }
  }

  /** Until the time to listen is over, the connection is, or everything is. */
  #listen(client: MqttClient): Promise<void> {
    const { listens = 0 } = this.#meter.plan.profile.c1222.sleep ?? {};
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, listens * 1000);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      client.once("close", end);
      this.#stopping.signal.addEventListener("abort", end, { once: true });
    });
  }
}

const connected = (client: MqttClient): Promise<void> =>
  new Promise((resolve, reject) => {
    client.once("connect", () => resolve());
    client.on("error", reject);
    client.once("close", () => reject(new Error("closed")));
  });
