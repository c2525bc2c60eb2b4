import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Clock } from "../../shared/ports/clock.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { Random } from "../../shared/ports/random.ts";
import { type AnyMeter, simulatedMeter } from "../../shared/simulator/any-meter.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { callers } from "../../shared/simulator/call-in.ts";
import type { FaultShares } from "../../shared/simulator/faults.ts";
import type { MeterTruth } from "../../shared/simulator/meter.ts";
import { type ProtocolShares, population, type SimulatedMeterPlan } from "../../shared/simulator/population.ts";
import { type Callers, MeterCall } from "./meter-call.ts";
import { MeterSleeper, type Sleepers } from "./meter-sleeper.ts";
import { firstAddressing, type Listening, place } from "./town-addresses.ts";
import { type FanOutWitness, TownFanOut, type TownGroup } from "./town-group.ts";
import { listed, type TownMeter } from "./town-listing.ts";
import { TownMemory } from "./town-memory.ts";
import { type PowerOrder, TownPower } from "./town-power.ts";
import { type PushGates, pushesByItself, TownPushes } from "./town-pushes.ts";
import { meterSite } from "./town-sites.ts";

export interface TownOptions {
  readonly meters: number;
  readonly seed: number;
  readonly faults: FaultShares;
  /** The title that the meters expect of their client; 16 hex digits. */
  readonly clientSystemTitle: string;
  readonly clock: Clock;
  /** Default: half and half. */
  readonly protocols?: ProtocolShares;
  /** TCP port of every meter; default: that of its protocol. */
  readonly port?: number;
  /** Folder in which the meters' counters are kept. */
  readonly data?: string;
  /** Meters that do not listen but call in and stay connected. */
  readonly callers?: Callers;
  /** Gas and water modules that sleep, besides the meters, and the broker that they know. */
  readonly sleepers?: Sleepers;
  /** Where meters push by themselves; absent: none does. */
  readonly pushes?: PushGates;
}

export interface WitnessedCounter {
  readonly meterId: string;
  readonly counter: number;
}

/** How often a meter reset its demand because somebody ordered it. */
export interface WitnessedResets {
  readonly meterId: string;
  readonly resets: number;
}

/** What the strict meters saw of their clients: counters, and what they were ordered to do. */
export interface TownWitness {
  readonly sessions: number;
  readonly accepted: number;
  /** Counters used twice. */
  readonly violations: readonly WitnessedCounter[];
  /** Counters out of order, but used once: a meter refuses them, but no nonce was repeated. */
  readonly lower: readonly WitnessedCounter[];
  /** Of every meter that was ever reset. */
  readonly resets: readonly WitnessedResets[];
  /** Of every meter whose switch ever moved: where it is, and since when, clock ms. */
  readonly switches: readonly { readonly meterId: string; readonly state: string; readonly movedAt: number }[];
  readonly fanOut: FanOutWitness;
}

/** The meters that a town of these options has, at the addresses that it takes when they are free; no sockets. */
export const townListing = (options: Omit<TownOptions, "clock" | "data">): readonly TownMeter[] => {
  const addressing = firstAddressing(options.port);
  const plans = population(nodeCrypto, { ...options, sleepers: options.sleepers?.count ?? 0 });
  const calling = callingOf(plans, options.callers);
  return plans.map((plan) => listed(plan, options.seed, addressing, calling.has(plan.index)));
};

const callingOf = (plans: readonly SimulatedMeterPlan[], calling: Callers | undefined): ReadonlySet<number> =>
  callers(plans, calling?.share ?? 0, Object.keys(calling?.gates ?? {}));

const random: Random = {
  uint32: () => randomBytes(4).readUInt32BE(),
  octets: (length) => new Uint8Array(randomBytes(length)),
};

/** Simulated meters with a socket each, in this process. */
export class Town {
  readonly meters: readonly TownMeter[];
  readonly group: TownGroup | undefined;
  readonly #byId: ReadonlyMap<string, AnyMeter>;
  readonly #fanOut: TownFanOut;
  readonly #closings: Listening["closings"];
  readonly #power: TownPower;
  readonly #sockets: ReadonlySet<Socket>;
  readonly #memory: TownMemory | undefined;
  readonly #calls: readonly MeterCall[];
  readonly #sleepers: readonly MeterSleeper[];
  readonly #pushes: TownPushes | undefined;

  private constructor(
    meters: readonly TownMeter[],
    simulated: readonly AnyMeter[],
    fanOut: TownFanOut,
    { addressing, closings }: Listening,
    power: TownPower,
    sockets: ReadonlySet<Socket>,
    memory: TownMemory | undefined,
    calls: readonly MeterCall[],
    sleepers: readonly MeterSleeper[],
    pushes: TownPushes | undefined,
  ) {
    this.meters = meters;
    this.#byId = new Map(simulated.map((meter) => [meter.plan.meterId, meter]));
    this.group = fanOut.group(addressing);
    this.#fanOut = fanOut;
    this.#closings = closings;
    this.#power = power;
    this.#sockets = sockets;
    this.#memory = memory;
    this.#calls = calls;
    this.#sleepers = sleepers;
    this.#pushes = pushes;
  }

  /** Throws `HeadraceError` `town.*`: impossible faults, addresses in use, a data folder of another town. */
  static async start(options: TownOptions): Promise<Town> {
    const plans = population(nodeCrypto, { ...options, sleepers: options.sleepers?.count ?? 0 });
    const memory = options.data === undefined ? undefined : await TownMemory.open(options.data, options.seed);
    const ports = { crypto: nodeCrypto, random, now: () => options.clock.now() };
    const simulated = plans.map((plan) => simulatedMeter(plan, options.seed, ports, memory?.of(plan.meterId)));
    memory?.watch(new Map(simulated.map((meter) => [meter.plan.meterId, meter])));
    const sockets = new Set<Socket>();
    const calling = callingOf(plans, options.callers);
    const alone = simulated.filter(
      ({ plan: { index, fault, way } }) =>
        !calling.has(index) && fault !== "closed" && way?.kind !== "relay" && way?.kind !== "sleepy",
    );
    const fanOut = new TownFanOut(simulated, options.seed, random, sockets);
    const sites = [...alone.map((meter) => meterSite(meter, sockets)), ...fanOut.sites];
    const listening = await place(sites, options.port, memory);
    const { addressing } = listening;
    await fanOut.join(addressing);
    const meters = plans.map((plan) => listed(plan, options.seed, addressing, calling.has(plan.index)));
    const { sleepers } = options;
    const asleep =
      sleepers === undefined
        ? []
        : simulated.flatMap((meter) =>
            meter instanceof C1222Meter && meter.plan.way?.kind === "sleepy"
              ? [new MeterSleeper(meter, sleepers, options.clock)]
              : [],
          );
    const calls = new Map(
      simulated.flatMap((meter) => {
        const { index, profile, meterId } = meter.plan;
        const gate = options.callers?.gates[profile.protocol];
        return gate !== undefined && calling.has(index)
          ? [[meterId, new MeterCall(meter, ports.now, gate, sockets, random)] as const]
          : [];
      }),
    );
    const pushing = simulated.filter(pushesByItself).map((meter) => {
      const call = calls.get(meter.plan.meterId);
      return { meter, ...(call === undefined ? {} : { held: () => call.socket }) };
    });
    const pushes = options.pushes && new TownPushes(pushing, options.pushes, sockets, random);
    const closings = listening.closings.slice(alone.length);
    const openings = alone.map((meter, at) => {
      const opening = { site: sites[at]!, close: listening.closings[at]! };
      return [meter.plan.meterId, opening] as const;
    });
    const power = new TownPower({
      meters: new Map(simulated.map((meter) => [meter.plan.meterId, meter])),
      ...{ openings: new Map(openings), calls, pushes, sockets, addressing },
    });
    const kept = [...calls.values()];
    return new Town(meters, simulated, fanOut, { addressing, closings }, power, sockets, memory, kept, asleep, pushes);
  }

  /** The truth about a meter; undefined: no such meter. Interval ends in (from, to], clock milliseconds. */
  truth(meterId: string, range: { readonly from: number; readonly to: number }): MeterTruth | undefined {
    return this.#byId.get(meterId)?.truth(range.from, range.to);
  }

  witness(): TownWitness {
    const meters = [...this.#byId.values()].map((meter) => ({ meter, state: meter.counters.state }));
    const listed = (pick: "repeated" | "lower") =>
      meters.flatMap(({ meter, state }) => state[pick].map((counter) => ({ meterId: meter.plan.meterId, counter })));
    return {
      sessions: meters.reduce((sum, { meter }) => sum + meter.sessions, 0),
      accepted: meters.reduce((sum, { state }) => sum + state.accepted, 0),
      violations: listed("repeated"),
      lower: listed("lower"),
      resets: meters.flatMap(({ meter }) => {
        const resets = meter.resets.state.count;
        return resets === 0 ? [] : [{ meterId: meter.plan.meterId, resets }];
      }),
      switches: meters.flatMap(({ meter }) => {
        const { state, movedAt } = meter.parts.state.relay.kept;
        return movedAt === 0 ? [] : [{ meterId: meter.plan.meterId, state, movedAt }];
      }),
      fanOut: this.#fanOut.witness(),
    };
  }

  /** Every module that sleeps wakes now; answers how many there are. */
  wake(): number {
    for (const sleeper of this.#sleepers) sleeper.wake();
    return this.#sleepers.length;
  }

  /** Answers how many meters lost their supply or got it back. */
  power(order: PowerOrder): Promise<number> {
    return this.#power.set(order);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sleepers.map((sleeper) => sleeper.stop()));
    this.#pushes?.stop();
    for (const call of this.#calls) call.stop();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([this.#power.close(), ...this.#closings.map((close) => close()), this.#fanOut.close()]);
    await this.#memory?.close();
  }
}
