import { type AttachedDial, attachedDial } from "../../shared/bridge/attached-dial.ts";
import { answerPipe, askPipe, NONCE_OCTETS } from "../../shared/bridge/byte-pipe.ts";
import type { Arrival } from "../../shared/bridge/caller-proof.ts";
import { type MemoryAccess, memoryAccess } from "../../shared/bridge/memory-access.ts";
import { type ReceptionDesk, receptionDesk } from "../../shared/bridge/reception.ts";
import { RECEPTION_LIMITS, type ReceptionLimits } from "../../shared/bridge/reception-limits.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { dlmsReception } from "../../shared/dlms/reception.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { type Meter, MeterId } from "../../shared/metering/meter.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { RegisteredMeter } from "../../shared/registry/registered-meter.ts";
import { leasedCounters } from "../../shared/security/counters.ts";
import { callInPush } from "../../shared/simulator/call-in.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { dlmsPopulation } from "../../shared/simulator/population.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

const CLIENT = "4852440000000001";
export const SEGMENT = 5;
export const SECRET = new Uint8Array(32).fill(7);

/** Two ends of one stream; what one sends the other receives, in order. */
export function linkPair(clock: VirtualClock): readonly [Link, Link] {
  let open = true;
  const wakes = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of wakes) wake();
  };
  const end = (inbox: Uint8Array[], outbox: Uint8Array[]): Link => ({
    kind: "stream",
    async send(octets) {
      if (!open) throw new LinkError("link.closed", "closed");
      outbox.push(octets.slice());
      wakeAll();
    },
    async receive(deadline) {
      while (inbox.length === 0 && open && clock.now() < deadline) {
        const waked = new AbortController();
        const wake = () => waked.abort();
        wakes.add(wake);
        await clock.sleep(deadline - clock.now(), waked.signal).catch(() => undefined);
        wakes.delete(wake);
      }
      const octets = inbox.shift();
      if (octets !== undefined) return octets;
      throw new LinkError(open ? "link.timeout" : "link.closed", "nothing came");
    },
    async close() {
      open = false;
      wakeAll();
    },
  });
  const [one, other]: [Uint8Array[], Uint8Array[]] = [[], []];
  return [end(one, other), end(other, one)];
}

export const PLANS = dlmsPopulation(nodeCrypto, { meters: 8, seed: 3, faults: {}, clientSystemTitle: CLIENT });

/** Meters that call in at any of several tasks, in virtual time. */
export class Field {
  readonly clock = virtualClock();
  readonly access: MemoryAccess = memoryAccess();
  readonly meters = PLANS.map(
    (plan) =>
      new SimulatedMeter(plan, 3, { crypto: nodeCrypto, random: seeded(plan.meterId), now: () => this.clock.now() }),
  );
  readonly attachedAt: number[] = [];
  readonly registry = { claims: 0 };
  readonly desks = new Map<string, ReceptionDesk>();

  async enrol(slot: number, change: Partial<AccessItem> = {}): Promise<void> {
    const plan = PLANS[slot]!;
    await this.access.createAccessItem({
      segment: SEGMENT,
      slot,
      meterId: MeterId.parse(plan.meterId),
      routes: [{ kind: "attached" }],
      profile: { name: plan.profile.name, version: plan.profile.version },
      systemTitle: plan.systemTitle,
      sealedKeys: { blob: Uint8Array.of(slot), version: 1 },
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
      ...change,
    });
  }

  item = async (slot: number): Promise<AccessItem> => (await this.access.read({ segment: SEGMENT, slot }))!;

  task(task: string, limits: Partial<ReceptionLimits> = {}): ReceptionDesk {
    const desk = receptionDesk(
      {
        clock: this.clock,
        sessionClock: this.clock,
        random: seeded(task),
        crypto: nodeCrypto,
        access: this.access,
        activeEpoch: async () => 1,
        registry: {
          claims: async (names) => {
            this.registry.claims++;
            return names.map(({ kind, value }) => {
              const plan = PLANS.find(({ systemTitle, serial }) => value === (kind === "title" ? systemTitle : serial));
              return plan && { meterId: MeterId.parse(plan.meterId), at: 0 };
            });
          },
          meters: async ([meterId]) => {
            const slot = PLANS.findIndex((plan) => plan.meterId === meterId);
            const meter: RegisteredMeter = {
              meter: { meterId } as Meter,
              profileVersion: 1,
              state: "enrolled",
              place: { segment: SEGMENT, slot },
              secured: true,
              enrolledAt: 0,
              version: 1,
            };
            return new Map([[meterId!, meter]]);
          },
        },
        profiles: async (name) => PROFILES.get(name),
        vault: { open: async (_context, blob) => PLANS[blob[0]!]!.enrolled },
        reception: dlmsReception,
        driver: dlmsDriver,
        clientSystemTitle: CLIENT,
        task,
        address: `${task}:4060`,
        onAttached: ({ slot }) => void this.attachedAt.push(slot),
      },
      { ...RECEPTION_LIMITS, connections: 100, ...limits },
    );
    this.desks.set(`${task}:4060`, desk);
    return desk;
  }

  /** The headend's end of a call; the meter answers at the other end until it is closed. `lag`: ms an answer takes. */
  call(slot: number, lag = 20, meter = this.meters[slot]!): Link & { readonly meterEnd: Link } {
    const [ours, theirs] = linkPair(this.clock);
    const connection = meter.connect();
    const push = callInPush(meter.plan);
    const live = async (): Promise<void> => {
      if (push !== undefined) await theirs.send(push);
      for (;;) {
        const reaction = connection.receive(await theirs.receive(Number.MAX_SAFE_INTEGER));
        await this.clock.sleep(lag + reaction.afterMs);
        for (const octets of reaction.send) await theirs.send(octets);
        if (reaction.close) await theirs.close();
      }
    };
    void live().catch(() => undefined);
    return { ...ours, meterEnd: theirs };
  }

  arrive = (desk: ReceptionDesk, link: Link): Promise<Arrival> => this.clock.until(desk.accept(link));

  dialOf(task: string): AttachedDial {
    return attachedDial({
      access: this.access,
      clock: this.clock,
      task,
      dial: async () => {
        throw new LinkError("link.unreachable", "nobody has registered here");
      },
      find: (connection) => this.desks.get(`${task}:4060`)?.find(connection),
      pipe: async (address, connection, deadline) => {
        const owner = this.desks.get(address);
        if (owner === undefined) return "gone";
        const [ours, theirs] = linkPair(this.clock);
        const find = (id: Uint8Array) => owner.find(Buffer.from(id).toString("hex"));
        const ports = { crypto: nodeCrypto, secret: SECRET, clock: this.clock };
        void answerPipe(ports, theirs, new Uint8Array(NONCE_OCTETS).fill(1), find, { helloMs: 1_000, turnMs: 2_000 });
        return askPipe(ports, ours, connection, deadline);
      },
    });
  }

  /** One session as `perform` has it: lease, look, dial, talk. */
  async session(slot: number, dial: AttachedDial, end: "released" | "cut" = "released"): Promise<number> {
    const lease = await this.access.leaseCounters(SEGMENT, 64, 1);
    const item = await this.item(slot);
    const link = await dial(item, this.clock.now() + 5_000);
    try {
      const session = await dlmsDriver.open({
        link,
        clock: this.clock,
        random: seeded("reader"),
        crypto: nodeCrypto,
        profile: PROFILES.get(item.profile.name)!,
        systemTitle: item.systemTitle,
        clientSystemTitle: CLIENT,
        keys: PLANS[slot]!.enrolled,
        counters: leasedCounters(lease, item.counterOffset),
        responseTimeoutMs: 2_000,
      });
      const { registers } = await session.perform({ kind: "readRegisters" });
      if (end === "released") await session.release();
      return registers.length;
    } finally {
      await link.close();
    }
  }
}
