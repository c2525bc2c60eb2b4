import { type Bridge, type BridgePorts, type LaneReceiver, startBridge } from "../../shared/bridge/bridge.ts";
import type { Dial } from "../../shared/bridge/dial.ts";
import { driverRegistry } from "../../shared/bridge/driver-registry.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import type { Batches } from "../../shared/jobs/batches.ts";
import type { Mailboxes } from "../../shared/jobs/mailbox.ts";
import { decodeMessage, ResultMessage } from "../../shared/jobs/messages.ts";
import type { Driver } from "../../shared/metering/driver.ts";
import type { MeterKeys } from "../../shared/metering/meter-keys.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below, seeded } from "../../shared/ports/random.ts";
import type { MissingRecords } from "../../shared/readings/missing-records.ts";
import { type EffectPorts, effect, Unavailable } from "./effects.ts";
import type { GroupField } from "./group-field.ts";
import { simulatedAccess } from "./simulated-access.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { SimulatedQueue } from "./simulated-queue.ts";
import type { World } from "./world-ports.ts";

export const CLIENT_TITLE = "4852440000000001";
/** Sessions that a bridge may have; the fewest make slices wait for each other. */
const SESSIONS = [8, 16] as const;
const GRACE_MS = 60_000;
const LONG_POLL_MS = 20_000;
const EPOCH_LOOK_MS = 10_000;
/** A bridge whose clock is off by more takes no work. */
const CLOCK_LIMIT_MS = 5_000;

/** How this world's meters are spoken to. */
export interface Meters {
  readonly items: readonly AccessItem[];
  drivers(process: SimulatedProcess): readonly Driver[];
  /** How many of them a bridge talks to at once; absent: so few that slices wait for each other. */
  readonly sessions?: number;
  /** Of endpoints that sleep; absent: there are none. */
  readonly mailboxes?: Mailboxes;
  /** What is missing of days; absent: nobody is asked for a part of a day. */
  readonly missing?: Pick<MissingRecords, "read">;
  dial(process: SimulatedProcess): Dial;
  keys(meterId: string): MeterKeys;
  /** What the meters themselves witnessed is checked. */
  check(): void;
}

interface Running {
  readonly process: SimulatedProcess;
  readonly bridge: Bridge;
}

/** The bridge tasks, and the supervisor that replaces them. */
export class Bridges {
  readonly running = new Set<Running>();
  readonly #world: World;
  readonly #meters: Meters;
  readonly #batches: Batches;
  readonly #groups: GroupField | undefined;
  readonly #sessions: number;
  readonly #draining = new Set<SimulatedProcess>();
  /** No bridge is started until then, true time. */
  #outUntil = 0;

  constructor(world: World, meters: Meters, batches: Batches, groups?: GroupField) {
    this.#groups = groups;
    this.#sessions = meters.sessions ?? SESSIONS[below(world.random, SESSIONS.length)] ?? 8;
    this.#world = world;
    this.#meters = meters;
    this.#batches = batches;
  }

  get atRest(): boolean {
    return this.#draining.size === 0 && [...this.running].every(({ bridge }) => bridge.openSlices === 0);
  }

  start(): void {
    const world = this.#world;
    if (world.time.now < this.#outUntil) return;
    const process = world.process("bridge");
    world.trace?.(() => `${process.name} starts`);
    this.running.add({ process, bridge: startBridge(this.#ports(process), silent, this.#sessions) });
  }

  /** Its code does not go on, its sockets close; somebody starts another one. */
  crash(process: SimulatedProcess): void {
    const { time, random } = this.#world;
    this.#draining.delete(process);
    for (const each of this.running) if (each.process === process) this.running.delete(each);
    time.after(2_000 + below(random, 40_000), () => {
      if (this.running.size === 0) this.start();
    });
  }

  /** One bridge ends in good order; `replaced`: another one is started meanwhile. */
  drain(each: Running, replaced: boolean): void {
    const { time, random, trace } = this.#world;
    if (!this.running.delete(each)) return;
    this.#draining.add(each.process);
    trace?.(() => `${each.process.name} drains`);
    if (replaced) time.after(below(random, 10_000), () => this.start());
    const over = (): void => {
      if (!this.#draining.delete(each.process)) return;
      each.process.dead = true;
      trace?.(() => `${each.process.name} is drained`);
    };
    const drained = Promise.all([each.bridge.drain(GRACE_MS), this.#groups?.drain(each.process)]);
    void drained.then(over);
    // Where it can't, the platform kills it.
    time.after(115_000, over);
  }

  /** All bridges end, and for so long none is started. */
  outage(ms: number): void {
    const { time } = this.#world;
    this.#outUntil = time.now + ms;
    for (const each of [...this.running]) this.drain(each, false);
    time.after(ms + 1, () => this.start());
  }

  /** All are killed; what starts then sees another access table. */
  killAll(): void {
    for (const process of [...[...this.running].map(({ process }) => process), ...this.#draining]) process.dead = true;
    this.running.clear();
    this.#draining.clear();
  }

  /** The outage is over. */
  restart(): void {
    this.#outUntil = 0;
    this.start();
  }

  /** One that works, if any does. */
  pick(): Running | undefined {
    const busy = [...this.running].filter(({ bridge }) => bridge.openSlices > 0);
    const all = busy.length > 0 ? busy : [...this.running];
    return all[below(this.#world.random, Math.max(1, all.length))];
  }

  #ports(process: SimulatedProcess): BridgePorts {
    const world = this.#world;
    const { clock } = process;
    const batches = this.#batches;
    let epoch: { readonly at: number; readonly epoch: number } | undefined;
    const send = async (body: string): Promise<void> => {
      const message = decodeMessage(ResultMessage, body);
      const text = "object" in message ? await batches.get(message.object) : body;
      if (text === undefined) throw new Unavailable("a message names an object that is not there");
      const batch = "object" in message ? JSON.parse(text) : message;
      const about = { jobId: batch.job, segment: batch.segment, part: batch.part };
      await effect(
        world,
        process,
        `report${batch.passOver ? " the end of the pass" : ""}`,
        async () => {
          world.readings.sent(text);
          world.switching?.invariants.reported(text);
          world.results.send(body, about);
          return (batch.tasks as { slot: number; outcome: unknown }[]).map(({ slot, outcome }) => ({ slot, outcome }));
        },
        { about },
      );
    };
    const results = {
      queue: { send },
      batches: {
        putText: (...given: Parameters<Batches["putText"]>) =>
          effect(world, process, "put batch", () => batches.putText(...given)),
      },
    };
    this.#groups?.open(process, results);
    return {
      ...(this.#groups === undefined ? {} : { groups: this.#groups.ports(process) }),
      ...(this.#meters.mailboxes && { mailboxes: this.#meters.mailboxes }),
      ...(this.#meters.missing && { missing: this.#meters.missing }),
      clock,
      sessionClock: clock,
      random: seeded(`${process.name} ${world.random.uint32()}`),
      crypto: nodeCrypto,
      ledger: world.ledger.of(process),
      access: simulatedAccess(world, process),
      activeEpoch: async (again) => {
        if (again || epoch === undefined || clock.now() - epoch.at > EPOCH_LOOK_MS)
          epoch = await effect(world, process, "epoch", async () => ({ at: clock.now(), epoch: world.epoch }), {
            reads: true,
          });
        return epoch.epoch;
      },
      profiles: async (name) => PROFILES.get(name),
      drivers: driverRegistry(this.#meters.drivers(process)),
      vault: { open: async ({ meterId }) => this.#meters.keys(meterId) },
      dial: this.#meters.dial(process),
      clientSystemTitle: CLIENT_TITLE,
      ...(world.switching === undefined ? {} : { safety: world.switching.safety(process) }),
      receivers: {
        commands: receiver(world, process, world.lanes.commands),
        interactive: receiver(world, process, world.lanes.interactive),
        urgent: receiver(world, process, world.lanes.urgent),
        bulk: receiver(world, process, world.lanes.bulk),
        images: receiver(world, process, world.lanes.images),
      },
      results,
      bridgeId: process.name,
      mayReceive: () => Math.abs(process.offset) <= CLOCK_LIMIT_MS,
    };
  }
}

type ReceiverPorts = EffectPorts & Pick<World, "time" | "onReceive">;

const silent = { slice: () => undefined, poison: () => undefined, trouble: () => undefined };

/** The receiving side of a lane for one bridge. */
export function receiver(world: ReceiverPorts, process: SimulatedProcess, queue: SimulatedQueue): LaneReceiver {
  const { time, random } = world;
  /** Until something may be there, the poll is over, or the bridge does not want it any more. */
  const wait = (until: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        stop();
        timer.cancelled = true;
        signal.removeEventListener("abort", end);
        resolve();
      };
      const stop = queue.wait(end);
      const timer = time.at(until, end);
      signal.addEventListener("abort", end, { once: true });
    });
  return {
    async receive(max, signal) {
      const until = time.now + LONG_POLL_MS;
      for (;;) {
        await process.later(1 + below(random, 12));
        if (signal.aborted) return [];
        const taken = queue.take(max);
        if (taken.length > 0)
          return taken.map((delivery) => {
            const { about, body, sentAt } = delivery.message;
            world.trace?.(() => `${process.name} receives ${body}`);
            const told = world.onReceive;
            world.onReceive = undefined;
            told?.(about);
            return {
              body,
              sentAt,
              receives: delivery.receipt,
              renew: (ms) => effect(world, process, "renew", async () => queue.renew(delivery, ms), { about }),
              delete: () => effect(world, process, "delete", async () => queue.delete(delivery), { about }),
            };
          });
        if (time.now >= until) return [];
        await wait(until, signal);
      }
    },
  };
}
