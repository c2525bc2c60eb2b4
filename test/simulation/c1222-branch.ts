import { relays } from "../../shared/bridge/relay-dial.ts";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import type { C1222Profile } from "../../shared/metering/c1222-profile.ts";
import type { MeterSession } from "../../shared/metering/driver.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import type { RelayRoute } from "../../shared/metering/route.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { type BranchFaults, type BranchNode, CellRelay, QUIET_BRANCH } from "../../shared/simulator/cell-relay.ts";
import { type C1222MeterPlan, dlmsPopulation } from "../../shared/simulator/population.ts";
import { linkPair } from "./attached-field.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

const SEED = 11;
const CLIENT = "4844520000000001";
export const NOON = Date.parse("2026-11-10T12:03:00Z");
export const RELAY_TITLE = ".30";
export const GROUP = { title: ".9.0.1", keyId: 5, key: "f0".repeat(16) };

const found = PROFILES.get("generic-us");
if (found?.protocol !== "c1222") throw new Error("the catalogue has generic-us");
export const GENERIC_US: C1222Profile = found;

/** A cell relay with meters behind it, and a headend that has one connection to it, in virtual time. */
export class Branch {
  readonly clock: VirtualClock = virtualClock(NOON);
  readonly meters: readonly C1222Meter[];
  readonly relay: CellRelay;
  /** APDUs that no conversation waits for. */
  readonly other: Uint8Array[] = [];
  /** APDUs and segments that went to the relay, as they were. */
  readonly sent: Uint8Array[] = [];
  readonly relays = relays({
    clock: this.clock,
    dial: async (route) => this.#dial(route.transport),
    onOther: (apdu) => void this.other.push(apdu),
  });
  readonly #transport: RelayRoute["transport"];
  #counter = 1;

  constructor({
    meters,
    faults = QUIET_BRANCH,
    transport = "tcp",
    change = () => ({}),
    nodes = (own) => own,
  }: {
    readonly meters: number;
    readonly faults?: BranchFaults;
    readonly transport?: RelayRoute["transport"];
    readonly change?: (index: number) => Partial<C1222MeterPlan>;
    readonly nodes?: (own: readonly BranchNode[]) => readonly BranchNode[];
  }) {
    this.#transport = transport;
    const plans = dlmsPopulation(nodeCrypto, { meters, seed: SEED, faults: {}, clientSystemTitle: CLIENT });
    this.meters = plans.map(({ systemTitle: _, clientSystemTitle: __, enrolled: ___, ...plan }, index) => {
      const unicast = index.toString(16).padStart(2, "0").repeat(16);
      const keys = { enrolled: { unicast }, held: { unicast } };
      const own = { ...plan, ...keys, profile: GENERIC_US, apTitle: `${RELAY_TITLE}.${index + 1}`, groups: [GROUP] };
      const ports = { crypto: nodeCrypto, random: seeded(`meter ${index}`), now: () => this.clock.now() };
      return new C1222Meter({ ...own, ...change(index) }, SEED, ports);
    });
    this.relay = new CellRelay({
      apTitle: RELAY_TITLE,
      nativeAddress: { address: Uint8Array.of(198, 51, 100, 7), port: 1153, transport },
      branch: nodes(
        this.meters.map((meter) => ({
          apTitle: meter.plan.apTitle,
          datagram: (octets) => meter.datagram(octets),
        })),
      ),
      groups: [GROUP.title],
      random: seeded(`branch ${meters}`),
      faults,
    });
  }

  get route(): RelayRoute {
    return { kind: "relay", host: "198.51.100.7", port: 1153, transport: this.#transport, path: [RELAY_TITLE] };
  }

  /** The driver's session with a meter, over the relay's connection. */
  async open(meter: C1222Meter, responseTimeoutMs = 5_000): Promise<{ session: MeterSession; link: Link }> {
    const link = await this.relays.dial(this.route, this.clock.now() + 1_000);
    const session = await c1222Driver.open({
      link,
      clock: this.clock,
      random: seeded("client"),
      crypto: nodeCrypto,
      profile: meter.plan.profile,
      systemTitle: meter.plan.apTitle,
      clientSystemTitle: CLIENT,
      keys: meter.plan.enrolled,
      counters: { next: () => this.#counter++ },
      responseTimeoutMs,
    });
    return { session, link };
  }

  #dial(kind: RelayRoute["transport"]): Link {
    const [ours, theirs] = linkPair(this.clock);
    const stream = this.relay.connect();
    void (async () => {
      for (;;) {
        const octets = await theirs.receive(this.clock.now() + 3_600_000);
        this.sent.push(octets);
        const reaction = kind === "tcp" ? stream.receive(octets) : { send: this.relay.datagram(octets), close: false };
        for (const { octets: answer, afterMs } of reaction.send)
          void this.clock.sleep(afterMs).then(() => theirs.send(answer).catch(() => undefined));
        if (reaction.close) await theirs.close();
      }
    })().catch((error: unknown) => {
      if (!(error instanceof LinkError)) throw error;
    });
    return { ...ours, kind: kind === "tcp" ? "stream" : "datagram" };
  }
}
