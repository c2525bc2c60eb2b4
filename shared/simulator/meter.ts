import type { HdlcParameters } from "../dlms/hdlc-parameters.ts";
import { ServerConnection } from "../dlms/server/connection.ts";
import { HdlcServerConnection } from "../dlms/server/hdlc-connection.ts";
import type { LogicalDevice, Tampering } from "../dlms/server/logical-device.ts";
import type { ServerPorts } from "../dlms/server/server-association.ts";
import { type CounterState, CounterWitness, noCounters } from "./counter-witness.ts";
import { DemandResets, type ResetState } from "./demand-resets.ts";
import { electricityMeter } from "./electricity-meter.ts";
import type { FaultKind } from "./faults.ts";
import { household } from "./household.ts";
import { type MeterState, meterState } from "./meter-state.ts";
import type { SimulatedMeterPlan } from "./population.ts";
import { recordedSession } from "./recorded-session.ts";
import { type ServedRegister, type TrueInterval, TruthLog, trueIntervals } from "./truth-log.ts";
import { CENTRAL_EUROPE } from "./zone.ts";

/** What a meter's socket should do after octets came: wait, send, perhaps close. */
export interface MeterReaction {
  readonly send: readonly Uint8Array[];
  readonly afterMs: number;
  readonly close: boolean;
}

/** One connection to one meter: octets in, octets out. */
export interface MeterConnection {
  receive(octets: Uint8Array): MeterReaction;
}

export interface MeterPorts extends ServerPorts {
  /** True time, clock milliseconds; the meter adds its own drift. */
  readonly now: () => number;
}

/** A slow meter's delay, real ms. */
export const SLOW_MS = 2_000;
/** After how long a meter with the fault `late-reset` answers, ms: beyond every time-out. */
export const LATE_RESET_MS = 15_000;
/** How long a meter with the fault `dies-resetting` is silent, ms. */
export const DEAD_MS = 20_000;
/** What a meter with the fault `high-counter` last accepted. */
export const HIGH_COUNTER = 3_900_000_000;
type FramedConnection = Pick<ServerConnection, "receive" | "blocksWaiting">;
/** What a simulated meter grants at most on an HDLC link. */
const HDLC_ABILITIES: HdlcParameters = { transmitMax: 1024, receiveMax: 1024, transmitWindow: 3, receiveWindow: 3 };
const NOTHING: MeterReaction = { send: [], afterMs: 0, close: false };

/** The truth about one meter in a range, from its load model. */
export interface MeterTruth {
  readonly meterId: string;
  /** Each register value that was asked for and what it was then, oldest first. */
  readonly registers: readonly ServedRegister[];
  /** What the load profile held in the range when it was last asked for (never asked: holds now). */
  readonly intervals: readonly TrueInterval[];
}

const TAMPERING: Partial<Record<FaultKind, Tampering>> = {
  echo: { challenge: (_own, ofClient) => ofClient.slice() },
  "wrong-proof": {
    proof: (own) => {
      const wrong = own.slice();
      wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 0x01;
      return wrong;
    },
  },
};

/** One simulated meter: its state, its objects and its fault. Costs next to nothing until somebody connects. */
export class SimulatedMeter {
  readonly plan: SimulatedMeterPlan;
  readonly #ports: MeterPorts;
  readonly #seed: number;
  readonly #truth = new TruthLog();
  readonly counters: CounterWitness;
  readonly resets: DemandResets;
  #deadUntil = 0;
  #state: MeterState | undefined;
  #device: LogicalDevice | undefined;
  #recorded: readonly Uint8Array[] | undefined;
  #sessions = 0;

  /** `remembered`: what it kept of an earlier life; `changed` is called when it would have to be kept again. */
  constructor(
    plan: SimulatedMeterPlan,
    seed: number,
    ports: MeterPorts,
    remembered?: CounterState,
    changed?: () => void,
    resets?: ResetState,
  ) {
    this.plan = plan;
    this.#ports = ports;
    this.#seed = seed;
    const state = remembered ?? noCounters(plan.index * 16 + 1);
    const lastAccepted = plan.fault === "high-counter" ? HIGH_COUNTER : state.lastAccepted;
    this.counters = new CounterWitness({ ...state, lastAccepted }, changed);
    this.resets = new DemandResets(resets, changed);
  }

  /** Connections that sent at least one octet. */
  get sessions(): number {
    return this.#sessions;
  }

  #stateOf(): MeterState {
    this.#state ??= meterState(household(this.#seed, this.plan.index), {
      zone: CENTRAL_EUROPE,
      now: () => this.#ports.now() + this.plan.clockOffsetMs,
      trueNow: this.#ports.now,
      profileDepth: this.plan.profile.dlms.loadProfiles[0]?.depth ?? 1,
      truth: this.#truth,
      resets: this.resets,
    });
    return this.#state;
  }

  #deviceOf(): LogicalDevice {
    const tampering = this.plan.fault && TAMPERING[this.plan.fault];
    this.#device ??= electricityMeter(this.plan, {
      crypto: this.#ports.crypto,
      state: this.#stateOf(),
      counters: this.counters,
      hollowReset: this.plan.fault === "hollow-reset",
      ...(tampering && { tampering }),
    });
    return this.#device;
  }

  connect(): MeterConnection {
    const device = this.#deviceOf();
    const connection = this.#connectionTo(device);
    const react = this.#behaviour(device, connection);
    let counted = false;
    return {
      receive: (octets) => {
        if (!counted) this.#sessions += 1;
        counted = true;
        return react(octets);
      },
    };
  }

  /** Framed as the device profile says. */
  #connectionTo(device: LogicalDevice): FramedConnection {
    const { framing, hdlc } = this.plan.profile.dlms.access;
    if (framing !== "hdlc") return new ServerConnection(device, this.#ports);
    return new HdlcServerConnection(device, this.#ports, {
      physicalDevice: hdlc?.physicalDevice ?? 0,
      parameters: HDLC_ABILITIES,
    });
  }

  #behaviour(device: LogicalDevice, connection: FramedConnection): (octets: Uint8Array) => MeterReaction {
    const { fault } = this.plan;
    switch (fault) {
      case "silent":
        return () => NOTHING;
      case "slow":
        return (octets) => ({ ...connection.receive(octets), afterMs: SLOW_MS });
      case "drops":
        return (octets) =>
          connection.blocksWaiting
            ? { send: [], afterMs: 0, close: true }
            : { ...connection.receive(octets), afterMs: 0 };
      case "replay":
        return this.#replay(device);
      case "late-reset":
        return (octets) => {
          const { reaction, reset } = this.#resetting(connection, octets);
          return { ...reaction, afterMs: reset ? LATE_RESET_MS : 0 };
        };
      case "dies-resetting":
        return (octets) => {
          if (this.#ports.now() < this.#deadUntil) return NOTHING;
          const { reaction, reset } = this.#resetting(connection, octets);
          if (!reset) return reaction;
          this.#deadUntil = this.#ports.now() + DEAD_MS;
          return { send: [], afterMs: 0, close: true };
        };
      default:
        return (octets) => ({ ...connection.receive(octets), afterMs: 0 });
    }
  }

  /** Whether what came made the meter reset its demand. */
  #resetting(connection: FramedConnection, octets: Uint8Array): { reaction: MeterReaction; reset: boolean } {
    const { count } = this.resets.state;
    const reaction = { ...connection.receive(octets), afterMs: 0 };
    return { reaction, reset: this.resets.state.count > count };
  }

  /** To each request the answer that the last session had in its place, then nothing more. */
  #replay(device: LogicalDevice): (octets: Uint8Array) => MeterReaction {
    const { clientSap, ciphering } = this.plan.profile.dlms.access;
    this.#recorded ??= recordedSession(
      device,
      clientSap,
      this.#ports,
      ciphering === "general" ? "general" : "service-specific",
    );
    const answers = [...this.#recorded];
    return () => {
      const answer = answers.shift();
      return answer === undefined ? NOTHING : { send: [answer], afterMs: 0, close: false };
    };
  }

  /** Interval ends in (from, to]; clock milliseconds. */
  truth(from: number, to: number): MeterTruth {
    const state = this.#stateOf();
    const held = this.#truth.lastProfile;
    const lastEnd = held?.lastEnd ?? state.now();
    const firstEnd = held?.firstEnd ?? 0;
    const kept = Array.from(trueIntervals(state.load, state.zone, from, Math.min(to, lastEnd)));
    return {
      meterId: this.plan.meterId,
      registers: this.#truth.served,
      intervals: kept.filter(({ end }) => end >= firstEnd),
    };
  }
}
