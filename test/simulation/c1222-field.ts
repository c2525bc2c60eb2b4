import { type AttachedDial, attachedDial } from "../../shared/bridge/attached-dial.ts";
import { answerPipe, askPipe, NONCE_OCTETS } from "../../shared/bridge/byte-pipe.ts";
import { type C1222Gate, c1222Gate } from "../../shared/bridge/c1222-gate.ts";
import { type MemoryAccess, memoryAccess } from "../../shared/bridge/memory-access.ts";
import { RECEPTION_LIMITS, type ReceptionLimits } from "../../shared/bridge/reception-limits.ts";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import type { Registrant } from "../../shared/c1222/network/registrant.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import type { PushReport } from "../../shared/jobs/push-message.ts";
import { type Meter, MeterId } from "../../shared/metering/meter.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import type { DialRoute, RelayRoute } from "../../shared/metering/route.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { RegisteredMeter } from "../../shared/registry/registered-meter.ts";
import { leasedCounters } from "../../shared/security/counters.ts";
import { C1222Caller } from "../../shared/simulator/c1222-caller.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { dialMeter } from "../../shared/simulator/meter-link.ts";
import { type C1222MeterPlan, isDlms, population } from "../../shared/simulator/population.ts";
import { linkPair, SECRET } from "./attached-field.ts";
import { virtualClock } from "./virtual-clock.ts";

const CLIENT = "4852440000000001";
const SEED = 5;
export const SEGMENT = 7;
export const HEADEND = ".1.1";

/** Secured meters alone. */
export const PLANS: readonly C1222MeterPlan[] = population(nodeCrypto, {
  meters: 8,
  seed: SEED,
  faults: {},
  clientSystemTitle: CLIENT,
  protocols: { dlms: 0, c1222: 1 },
}).flatMap((plan) => (isDlms(plan) || plan.profile.c1222.access.security === "clear" ? [] : [plan]));

/** C12.22 meters that register at any of several tasks, in virtual time. */
export class C1222Field {
  readonly clock = virtualClock(Date.parse("2026-11-10T12:03:00Z"));
  readonly access: MemoryAccess = memoryAccess();
  readonly meters = PLANS.map((plan) => this.meter(plan));
  readonly attachedAt: number[] = [];
  readonly dialled: (DialRoute | RelayRoute)[] = [];
  readonly answers: Uint8Array[] = [];
  readonly pushed: { readonly segment: number; readonly report: PushReport }[] = [];
  readonly gates = new Map<string, C1222Gate>();
  /** Who listens at an address. */
  readonly listens = new Map<string, C1222Meter>();

  meter(plan: C1222MeterPlan): C1222Meter {
    const ports = { crypto: nodeCrypto, random: seeded(plan.meterId), now: () => this.clock.now() };
    return new C1222Meter(plan, SEED, ports);
  }

  async enrol(slot: number, change: Partial<AccessItem> = {}): Promise<void> {
    const plan = PLANS[slot]!;
    await this.access.createAccessItem({
      segment: SEGMENT,
      slot,
      meterId: MeterId.parse(plan.meterId),
      routes: [{ kind: "attached" }],
      profile: { name: plan.profile.name, version: plan.profile.version },
      systemTitle: plan.apTitle,
      sealedKeys: { blob: Uint8Array.of(slot), version: 1 },
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
      ...change,
    });
  }

  item = async (slot: number): Promise<AccessItem> => (await this.access.read({ segment: SEGMENT, slot }))!;

  task(task: string, limits: Partial<ReceptionLimits> = {}): C1222Gate {
    const gate = c1222Gate(
      {
        clock: this.clock,
        sessionClock: this.clock,
        random: seeded(task),
        crypto: nodeCrypto,
        access: this.access,
        activeEpoch: async () => 1,
        registry: {
          claims: async (names) =>
            names.map(({ value }) => {
              const plan = PLANS.find(({ apTitle }) => value === apTitle);
              return plan && { meterId: MeterId.parse(plan.meterId), at: 0 };
            }),
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
        driver: c1222Driver,
        clientSystemTitle: CLIENT,
        ownTitles: [HEADEND],
        task,
        address: `${task}:4060`,
        dial: this.dial,
        onAnswer: (octets) => this.answers.push(octets) > 0,
        pushes: { add: async (segment, report) => void this.pushed.push({ segment, report }) },
        onAttached: ({ slot }) => void this.attachedAt.push(slot),
      },
      { ...RECEPTION_LIMITS, connections: 100, ...limits },
    );
    this.gates.set(`${task}:4060`, gate);
    return gate;
  }

  readonly dial = async (route: DialRoute | RelayRoute): Promise<Link> => {
    this.dialled.push(route);
    const meter = this.listens.get(`${route.host} ${route.port}`);
    if (meter === undefined) throw new LinkError("link.unreachable", "nobody listens there");
    return dialMeter(meter, this.clock);
  };

  /** A meter's call that it keeps: it registers over it, and serves who asks there. */
  call(
    gate: C1222Gate,
    slot: number,
    meter = this.meters[slot]!,
  ): { readonly meterEnd: Link; readonly registrant: Registrant } {
    const [ours, theirs] = linkPair(this.clock);
    gate.connect(ours, { address: Uint8Array.of(192, 0, 2, 1 + slot), port: 50_000 });
    const caller = new C1222Caller(meter, () => this.clock.now());
    const live = async (): Promise<void> => {
      for (;;) {
        for (const octets of caller.due()) await theirs.send(octets);
        const octets = await theirs.receive(this.clock.now() + 1_000).catch((error: unknown) => {
          if (error instanceof LinkError && error.code === "link.timeout") return undefined;
          throw error;
        });
        if (octets === undefined) continue;
        const { send, afterMs, close } = caller.receive(octets);
        await this.clock.sleep(20 + afterMs);
        for (const answer of send) await theirs.send(answer);
        if (close) await theirs.close();
      }
    };
    void live().catch((error: unknown) => {
      if (!(error instanceof LinkError)) throw error;
    });
    return { meterEnd: theirs, registrant: caller.registrant };
  }

  dialOf(task: string): AttachedDial {
    return attachedDial({
      access: this.access,
      clock: this.clock,
      task,
      dial: this.dial,
      find: (connection) => this.gates.get(`${task}:4060`)?.find(connection),
      pipe: async (address, connection, deadline) => {
        const owner = this.gates.get(address);
        if (owner === undefined) return "gone";
        const [ours, theirs] = linkPair(this.clock);
        const find = (id: Uint8Array) => owner.find(Buffer.from(id).toString("hex"));
        const ports = { crypto: nodeCrypto, secret: SECRET, clock: this.clock };
        void answerPipe(ports, theirs, new Uint8Array(NONCE_OCTETS).fill(1), find, { helloMs: 1_000, turnMs: 2_000 });
        return askPipe(ports, ours, connection, deadline);
      },
    });
  }

  /** One session as `perform` has it: lease, look, dial, talk. Answers how many registers it read. */
  async session(slot: number, dial: AttachedDial): Promise<number> {
    const lease = await this.access.leaseCounters(SEGMENT, 64, 1);
    const item = await this.item(slot);
    const link = await dial(item, this.clock.now() + 5_000);
    try {
      const session = await c1222Driver.open({
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
      await session.release();
      return registers.length;
    } finally {
      await link.close();
    }
  }
}
