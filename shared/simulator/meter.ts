import type { HdlcParameters } from "../dlms/hdlc-parameters.ts";
import { DatagramConnection, ServerConnection } from "../dlms/server/connection.ts";
import { cosemObjects } from "../dlms/server/cosem-object.ts";
import { HdlcServerConnection } from "../dlms/server/hdlc-connection.ts";
import type { LogicalDevice, Tampering } from "../dlms/server/logical-device.ts";
import { type Notification, type PushOptions, pushApdus } from "../dlms/server/push.ts";
import type { ServerPorts } from "../dlms/server/server-association.ts";
import { wrap } from "../dlms/wrapper.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import type { MeterEvent } from "../metering/result.ts";
import { assert } from "../ports/errors.ts";
import { ActivityCalendarMemory } from "./activity-calendar-object.ts";
import { AlarmDescriptors } from "./alarm-descriptors.ts";
import { type CounterState, CounterWitness, noCounters } from "./counter-witness.ts";
import { countersByKey } from "./counters-by-key.ts";
import { DemandResets, type ResetState } from "./demand-resets.ts";
import { electricityMeter, type MeterParts } from "./electricity-meter.ts";
import { trueEvents } from "./event-log-object.ts";
import type { FaultKind } from "./faults.ts";
import { household } from "./household.ts";
import { ImageMemory } from "./image-memory.ts";
import { type KeptState, NOTHING_KEPT } from "./kept-state.ts";
import { Limiter, NO_LIMIT } from "./limiter.ts";
import { MbusChild, type MbusMedium } from "./mbus-child.ts";
import { measuredBy } from "./mbus-objects.ts";
import { MeterKeyring } from "./meter-keyring.ts";
import { type MeterState, meterState, statusAt } from "./meter-state.ts";
import { MeterSupply } from "./meter-supply.ts";
import type { DlmsMeterPlan } from "./population.ts";
import { type PrepaymentAccount, prepaymentAccount } from "./prepayment-account.ts";
import { trueIntervalSet } from "./profile-objects.ts";
import { keptPushes, PushSchedule } from "./push-schedule.ts";
import { quantityOf } from "./quantities.ts";
import { recordedSession } from "./recorded-session.ts";
import { type ServedRegister, type TrueInterval, type TrueIntervalSet, TruthLog, trueIntervals } from "./truth-log.ts";
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
/** Peers whose associations a meter keeps at once, over datagrams. */
const PEERS_MAX = 8;
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
  /** The same of every load profile, with all of its channels. */
  readonly sets?: readonly TrueIntervalSet[];
  /** What its event logs hold of the range, by time. */
  readonly events?: readonly MeterEvent[];
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

const FACTORY_FIRMWARE = "HRS-2.4.1";
const mediumOf = (commodity: string): MbusMedium => (commodity === "gas" ? "gas" : "water");

/** What a meter consists of once somebody connected. */
export interface Made {
  readonly state: MeterState;
  readonly keyring: MeterKeyring;
  readonly limiter: Limiter;
  readonly image: ImageMemory;
  readonly pushes: readonly PushSchedule[];
  readonly alarms: AlarmDescriptors;
  readonly children: NonNullable<MeterParts["children"]>;
  readonly device: LogicalDevice;
  readonly calendar: ActivityCalendarMemory | undefined;
  readonly account: PrepaymentAccount | undefined;
}

/** One simulated meter: its state, its objects and its fault. Costs next to nothing until somebody connects. */
export class SimulatedMeter {
  readonly plan: DlmsMeterPlan;
  readonly #ports: MeterPorts;
  readonly #seed: number;
  readonly #truth = new TruthLog();
  readonly counters: CounterWitness;
  readonly resets: DemandResets;
  readonly supply = new MeterSupply((event) => this.parts.state.events.record(event));
  #deadUntil = 0;
  #made: Made | undefined;
  #recorded: readonly Uint8Array[] | undefined;
  #sessions = 0;
  readonly #peers = new Map<string, MeterConnection>();
  readonly #kept: KeptState;
  readonly #changed: () => void;

  /** `remembered` and `kept`: of an earlier life; `changed` is called when it would have to be kept again. */
  constructor(
    plan: DlmsMeterPlan,
    seed: number,
    ports: MeterPorts,
    remembered?: CounterState,
    changed: () => void = () => undefined,
    resets?: ResetState,
    kept: KeptState = NOTHING_KEPT,
  ) {
    this.plan = plan;
    this.#ports = ports;
    this.#seed = seed;
    this.#kept = kept;
    this.#changed = changed;
    const state = remembered ?? noCounters(plan.index * 16 + 1);
    const lastAccepted = plan.fault === "high-counter" ? HIGH_COUNTER : state.lastAccepted;
    this.counters = new CounterWitness({ ...state, lastAccepted }, changed);
    this.resets = new DemandResets(resets, changed);
  }

  /** Connections that sent at least one octet. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Its parts, as they are now: a test presses its button, or asks what it holds. */
  get parts(): Made {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** To be kept besides counters and resets. */
  get kept(): KeptState {
    if (this.#made === undefined) return this.#kept;
    const { state, keyring, limiter, image, pushes, account } = this.#made;
    const own = { keys: keyring.kept, limits: limiter.state, firmware: image.active };
    return { ...state.kept(), ...own, ...keptPushes(pushes), ...(account && { credit: account.state }) };
  }

  #make(): Made {
    const { plan } = this;
    const { dlms } = plan.profile;
    const { now: trueNow, crypto, random } = this.#ports;
    const house = household(this.#seed, plan.index);
    const state = meterState(house, {
      zone: plan.zone ?? CENTRAL_EUROPE,
      trueNow,
      clockOffsetMs: plan.clockOffsetMs,
      clockPpm: plan.clockPpm,
      truth: this.#truth,
      resets: this.resets,
      phases: dlms.registers.some(({ measurement }) => measurement === "voltage.l2.line") ? 3 : 1,
      controlMode: dlms.switch?.mode ?? 0,
      loadControl: dlms.loadControl !== undefined,
      welded: plan.fault === "welded",
      loadSideLive: plan.fault === "load-side-live",
      shortens: plan.shortens,
      kept: this.#kept,
      changed: this.#changed,
    });
    const record = (event: EventName): void => state.events.record(event);
    const keyring = new MeterKeyring(crypto, dlms.access.securitySuite, plan.held, {
      ...(dlms.access.securityPolicy !== undefined && { policy: dlms.access.securityPolicy }),
      ...(this.#kept.keys && { kept: this.#kept.keys }),
      changed: this.#changed,
    });
    const limiter = new Limiter(this.#kept.limits ?? NO_LIMIT, {
      now: trueNow,
      power: (at) => (state.relay.closed ? state.load.powerAt(state.now() - trueNow() + at) : 0),
      relay: state.relay,
      record,
    });
    const image = new ImageMemory(crypto, trueNow, this.#kept.firmware ?? FACTORY_FIRMWARE, () => {
      record("firmware.activated");
    });
    const children = (plan.children ?? []).map((profile) => {
      const { mbus } = profile.dlms;
      assert(mbus !== undefined, `${profile.name} is read on an M-Bus channel`);
      return { profile, child: new MbusChild(house.noiseSeed, mbus.channel, mediumOf(profile.commodity)) };
    });
    const pushes = (dlms.pushes ?? []).map(
      (push) => new PushSchedule(push, () => state.now(), state.zone, this.#kept.pushes?.[push.obis], this.#changed),
    );
    const inForce = countersByKey(this.counters);
    const alarms = new AlarmDescriptors(dlms.alarms ?? [], state.events, () => state.now());
    const calendar = dlms.tariff && new ActivityCalendarMemory(state, dlms.tariff, plan.fault === "hollow-tariff");
    const account = prepaymentAccount(crypto, plan, state, { kept: this.#kept.credit, changed: this.#changed });
    const device = electricityMeter(plan, {
      crypto,
      random,
      state,
      counters: this.counters,
      countersInForce: inForce.memory,
      keyring,
      limiter,
      image,
      calendar,
      account,
      pushes,
      alarms,
      children,
      hollowReset: plan.fault === "hollow-reset",
      hollowSwitch: plan.fault === "hollow-switch",
      deadMetrology: plan.fault === "dead-metrology",
      onRekeyed: inForce.renew,
      ...(plan.fault && TAMPERING[plan.fault] && { tampering: TAMPERING[plan.fault] }),
    });
    return { state, keyring, limiter, image, pushes, alarms, children, device, calendar, account };
  }

  connect(): MeterConnection {
    return this.#connected(this.#connectionTo(this.parts.device));
  }

  #connected(connection: FramedConnection): MeterConnection {
    const react = this.#behaviour(this.parts.device, connection);
    let counted = false;
    return {
      receive: (octets) => {
        if (!this.supply.on) return NOTHING;
        if (!counted) this.#sessions += 1;
        counted = true;
        this.parts.limiter.look();
        this.parts.calendar?.look();
        this.parts.account?.look();
        return react(octets);
      },
    };
  }

  /**
   * One datagram of a peer in; what the meter sends it, each at its own time. A peer's associations live until others need
   * their place.
   */
  datagram(octets: Uint8Array, peer: string): readonly { readonly octets: Uint8Array; readonly afterMs: number }[] {
    if (this.plan.fault === "closed" || this.plan.profile.dlms.access.framing === "hdlc") return [];
    let known = this.#peers.get(peer);
    if (known === undefined) {
      known = this.#connected(new DatagramConnection(this.parts.device, this.#ports));
      const [oldest] = this.#peers.keys();
      if (oldest !== undefined && this.#peers.size >= PEERS_MAX) this.#peers.delete(oldest);
      this.#peers.set(peer, known);
    }
    const { send, afterMs } = known.receive(octets);
    return send.map((each) => ({ octets: each, afterMs }));
  }

  /** What the meter says by itself to its own client, in wrapper PDUs. */
  push(notification: Notification, options: Pick<PushOptions, "dress" | "blockApduMax">): readonly Uint8Array[] {
    const { clientSap, serverSap } = this.plan.profile.dlms.access;
    const apdus = pushApdus(this.parts.device, this.#ports, notification, { clientSap, ...options });
    return apdus.map((apdu) => wrap(serverSap, clientSap, apdu));
  }

  /**
   * What its Push setups have for its own client now: each that is due by its schedule, or was told to push since this
   * was last asked. In wrapper PDUs.
   */
  duePushes(): readonly Uint8Array[] {
    return this.supply.leaving(this.#duePushes());
  }

  #duePushes(): readonly Uint8Array[] {
    if (this.plan.fault === "dead-metrology") return [];
    const { pushes, alarms, device, state } = this.parts;
    const raised = alarms.look();
    const due = pushes.filter((push) => (push.take() || (raised && push.push.onAlarm === true)) && push.open);
    if (due.length === 0) return [];
    const { clientSap, ciphering } = this.plan.profile.dlms.access;
    const objects = cosemObjects(device.clients.get(clientSap)?.objects() ?? []);
    const dress = { form: ciphering === "none" ? "clear" : "general", scope: "global" } as const;
    const sent = due.flatMap((push) => this.push(push.message(objects, state.zone), { dress }));
    if (due.some(({ push }) => push.onAlarm === true)) alarms.told();
    return sent;
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
    const { state, children } = this.parts;
    const { loadProfiles, events = [] } = this.plan.profile.dlms;
    const held = this.#truth.lastProfileOf(loadProfiles[0]?.channelSet ?? "");
    const lastEnd = held?.lastEnd ?? state.now();
    const firstEnd = held?.firstEnd ?? 0;
    const kept = Array.from(trueIntervals(state, from, Math.min(to, lastEnd), (end) => statusAt(state, end)));
    const happened = state.events.all();
    return {
      meterId: this.plan.meterId,
      registers: this.#truth.served,
      intervals: kept.filter(({ end }) => end >= firstEnd),
      sets: [
        ...loadProfiles.map((each) =>
          trueIntervalSet(state, each, (measurement) => quantityOf(state, measurement), from, to),
        ),
        ...children.flatMap(({ profile, child }) =>
          profile.dlms.loadProfiles.map((each) => trueIntervalSet(state, each, measuredBy(child), from, to)),
        ),
      ],
      events: events
        .flatMap((log) => trueEvents(log, happened))
        .filter(({ at }) => at > from && at <= to)
        .sort((left, right) => left.at - right.at),
    };
  }
}
