import { PROCEDURE_INITIATE_TABLE, procedureRequestOctets, STANDARD_PROCEDURE } from "../c1219/procedure.ts";
import { ApduSplitter } from "../c1222/apdu-splitter.ts";
import { type NativeAddress, nativeAddressOctets } from "../c1222/native-address.ts";
import { Registrant } from "../c1222/network/registrant.ts";
import { eaxPrimeKey } from "../c1222/security/eax-prime.ts";
import { communicationModule } from "../c1222/server/communication-module.ts";
import { DatagramPort } from "../c1222/server/datagram-port.ts";
import { groupDesk, recoveryDesk } from "../c1222/server/group-desk.ts";
import { notify } from "../c1222/server/notify.ts";
import { type Delivery, type GroupMembership, ServerNode } from "../c1222/server/server-node.ts";
import { type ServiceDesk, type ServiceDeskOptions, serviceDesk } from "../c1222/server/service-desk.ts";
import { CONNECTION_TYPE, NODE_TYPE } from "../c1222/services/register.ts";
import type { Request } from "../c1222/services/request.ts";
import { PASSWORD_OCTETS } from "../c1222/services/security.ts";
import { assert } from "../ports/errors.ts";
import { fromHex } from "../ports/octets.ts";
import { below, seeded } from "../ports/random.ts";
import { WireError } from "../wire/wire-error.ts";
import { C1222Pushes } from "./c1222-pushes.ts";
import { type C1222Tables, c1222Tables } from "./c1222-tables.ts";
import { type CounterState, CounterWitness, noCounters } from "./counter-witness.ts";
import { DemandResets, type ResetState } from "./demand-resets.ts";
import { household } from "./household.ts";
import { type KeptState, NOTHING_KEPT } from "./kept-state.ts";
import { Limiter, NO_LIMIT } from "./limiter.ts";
import {
  DEAD_MS,
  LATE_RESET_MS,
  type MeterConnection,
  type MeterPorts,
  type MeterReaction,
  type MeterTruth,
  SLOW_MS,
} from "./meter.ts";
import { type MeterState, meterState, statusAt } from "./meter-state.ts";
import { MeterSupply } from "./meter-supply.ts";
import type { C1222MeterPlan } from "./population.ts";
import { TruthLog, trueIntervals } from "./truth-log.ts";
import { UTC } from "./zone.ts";

const NOTHING: MeterReaction = { send: [], afterMs: 0, close: false };
const MODES = { clear: 0, authenticated: 1, ciphered: 2 } as const;
const OWN_IDS = 0x7fff_ffff;
/** Device class of the simulated manufacturer: `HRS1`. */
const ED_CLASS = Uint8Array.of(0x48, 0x52, 0x53, 0x31);
/** A meter with the fault `drops` closes when it is asked for a part of a table. */
const LONG_ANSWER = 1_000;

/** What a meter consists of once somebody connected. */
export interface MadeC1222 {
  readonly state: MeterState;
  readonly tables: C1222Tables;
  readonly limiter: Limiter;
  readonly node: Pick<ServerNode, "receive">;
  readonly pushes: C1222Pushes;
}

/** One simulated C12.22 meter over the same load model, truth log and witness as the DLMS ones. */
export class C1222Meter {
  readonly plan: C1222MeterPlan;
  readonly counters: CounterWitness;
  readonly resets: DemandResets;
  readonly supply = new MeterSupply((event) => this.parts.state.events.record(event));
  readonly #ports: MeterPorts;
  readonly #seed: number;
  readonly #truth = new TruthLog();
  readonly #kept: KeptState;
  readonly #changed: () => void;
  #made: MadeC1222 | undefined;
  #port: DatagramPort | undefined;
  #deadUntil = 0;
  #sessions = 0;

  /** `remembered`, `resets` and `kept`: of an earlier life; `changed` is called when it would have to be kept again. */
  constructor(
    plan: C1222MeterPlan,
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
    this.counters = new CounterWitness(remembered ?? noCounters(plan.index * 16 + 1), changed);
    this.resets = new DemandResets(resets, changed);
  }

  /** Somebody keeps its module awake: whoever has its radio, whose time is the machine's. */
  heldAwake = false;

  /** Connections that sent at least one octet. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Its parts, as they are now: a test presses its button, or asks what it holds. */
  get parts(): MadeC1222 {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** To be kept besides counters and resets. */
  get kept(): KeptState {
    if (this.#made === undefined) return this.#kept;
    const { state, limiter, pushes } = this.#made;
    const told = Object.keys(pushes.kept).length === 0 ? {} : { c1222Pushes: pushes.kept };
    return { ...state.kept(), limits: limiter.state, ...told };
  }

  #make(): MadeC1222 {
    const { plan } = this;
    const { profile, fault } = plan;
    const { access } = profile.c1222;
    const house = household(this.#seed, plan.index);
    const state = meterState(house, {
      zone: UTC,
      trueNow: this.#ports.now,
      clockOffsetMs: plan.clockOffsetMs,
      clockPpm: plan.clockPpm,
      truth: this.#truth,
      resets: this.resets,
      phases: profile.c1222.registers.some(({ measurement }) => measurement === "voltage.l2.line") ? 3 : 1,
      controlMode: profile.c1222.switch === undefined ? 0 : profile.c1222.switch.arm === undefined ? 4 : 1,
      loadControl: profile.c1222.loadControl !== undefined,
      welded: fault === "welded",
      loadSideLive: fault === "load-side-live",
      kept: this.#kept,
      changed: this.#changed,
    });
    const trueNow = this.#ports.now;
    const limiter = new Limiter(this.#kept.limits ?? NO_LIMIT, {
      now: trueNow,
      power: (at) => (state.relay.closed ? state.load.powerAt(state.now() - trueNow() + at) : 0),
      relay: state.relay,
      record: (event) => state.events.record(event),
    });
    const pushes = new C1222Pushes(state, profile, this.#kept.c1222Pushes, this.#changed);
    const tables = c1222Tables({
      limiter,
      pushes,
      state,
      profile,
      serial: plan.serial,
      seed: house.noiseSeed,
      ...(plan.form && { form: plan.form }),
      pretences: {
        hollowReset: fault === "hollow-reset",
        hollowSwitch: fault === "hollow-switch",
        hollowTariff: fault === "hollow-tariff",
      },
    });
    const { unicast } = plan.held;
    const { crypto } = this.#ports;
    assert(unicast !== undefined || access.security === "clear", "a secured meter has a key");
    const key = unicast === undefined ? undefined : eaxPrimeKey(crypto, crypto.secretKey(fromHex(unicast)));
    const desk = serviceDesk({ tables, ...usersOf(plan) });
    const groups = this.#groups(tables, desk);
    const nextInvocationId = (): number => this.counters.nextOwn() & OWN_IDS;
    if (fault === "dead-metrology") {
      const node = communicationModule({ apTitle: plan.apTitle, nextInvocationId });
      return { state, tables, limiter, node, pushes };
    }
    const node = new ServerNode({
      apTitle: plan.apTitle,
      securityMode: MODES[access.security],
      keyOf: (id) => (id === access.keyId ? key : undefined),
      now: () => state.now(),
      nextInvocationId,
      desk,
      ...(access.recovery && { recovery: recoveryDesk(desk, () => tables.form.context.config) }),
      witness: this.counters,
      ...(groups === undefined ? {} : { groups }),
    });
    return { state, tables, limiter, node, pushes };
  }

  #groups(tables: C1222Tables, desk: ServiceDesk): GroupMembership | undefined {
    const { groups = [], profile, fault } = this.plan;
    const { groups: rules, access } = profile.c1222;
    if (rules === undefined || groups.length === 0 || fault === "closed") return undefined;
    const { crypto } = this.#ports;
    const keys = new Map(groups.map(({ keyId, key }) => [keyId, eaxPrimeKey(crypto, crypto.secretKey(fromHex(key)))]));
    const { config } = tables.form.context;
    const random = seeded(`answers to groups ${this.#seed} ${this.plan.index}`);
    return {
      titles: groups.map(({ title }) => title),
      keyOf: (id) => keys.get(id),
      desk: groupDesk(desk, { config: () => config, imageTable: rules.imageTable }),
      ownKeyId: access.keyId,
      delayMs: () => below(random, rules.answersWithinSeconds * 1000),
    };
  }

  /** Whether its module listens: one on a battery does for a while after each wake, and says what it pushes then. */
  get #listens(): boolean {
    const { sleep } = this.plan.profile.c1222;
    return (
      this.heldAwake || sleep === undefined || this.#ports.now() % (sleep.wakesEvery * 1000) < sleep.listens * 1000
    );
  }

  /**
   * What a module on a battery says at a wake: its tables, written to its host as a notification under its own key, with
   * its device class and without an answer (as the worked examples of EAX' have theirs). Empty: it pushes nothing.
   */
  pushes(): readonly Uint8Array[] {
    const { sleep } = this.plan.profile.c1222;
    const tables = (sleep?.pushes ?? []).filter((tableId) => this.parts.tables.read(tableId) !== undefined);
    return tables.length === 0 || !this.#speaks ? [] : [this.notify({ tables })];
  }

  /** Whether it says something by itself: under its own key, and out of a metrology that lives. */
  get #speaks(): boolean {
    return this.plan.held.unicast !== undefined && this.plan.fault !== "dead-metrology";
  }

  /** What it was told to push and is due since this was last asked. */
  duePushes(): readonly Uint8Array[] {
    if (this.#made === undefined && this.#kept.c1222Pushes === undefined) return []; // nobody has told it anything yet
    const { tables, exceptions } = this.parts.pushes.due();
    if (tables.length + exceptions.length === 0 || !this.#speaks) return [];
    return this.supply.leaving([this.notify({ tables, exceptions })]);
  }

  /** One datagram or APDU in; what it sends for it, each at its own time. */
  datagram(octets: Uint8Array): readonly Delivery[] {
    const { fault } = this.plan;
    if (fault === "silent" || fault === "closed" || !this.#listens || !this.supply.on) return [];
    this.parts.limiter.look();
    this.#port ??= new DatagramPort(this.parts.node, () => this.#ports.now());
    const late = fault === "slow" ? SLOW_MS : 0;
    const deliveries = this.#port.receive(octets);
    if (fault === "drops" && deliveries.length > 1) return deliveries.slice(0, 1); // the rest of a long answer never comes
    return deliveries.map(({ octets: sent, afterMs }) => ({ octets: sent, afterMs: afterMs + late }));
  }

  get #deviceClass(): Uint8Array {
    const { sleep } = this.plan.profile.c1222;
    return sleep === undefined ? ED_CLASS : fromHex(sleep.deviceClass);
  }

  /** Tables that it pushes to its headend, each as it is now, and exceptions by the standard's event codes. */
  notify({
    tables = [],
    exceptions = [],
  }: {
    readonly tables?: readonly number[];
    readonly exceptions?: readonly number[];
  }): Uint8Array {
    const { state, tables: own } = this.parts;
    const { profile, held, apTitle } = this.plan;
    const { security, keyId, callingApTitle } = profile.c1222.access;
    const { crypto } = this.#ports;
    const { config } = own.form.context;
    const writes: Request[] = tables.flatMap((tableId) => {
      const data = own.read(tableId);
      return data === undefined ? [] : [{ service: "fullWrite", tableId, data }];
    });
    for (const code of exceptions) {
      const parameters = config.dataOrder === "little" ? [code & 0xff, code >> 8] : [code >> 8, code & 0xff];
      const report = { number: STANDARD_PROCEDURE.exceptionReport, manufacturer: false, selector: 0, sequence: 0 };
      const data = procedureRequestOctets({ ...report, parameters: Uint8Array.from(parameters) }, config);
      writes.push({ service: "fullWrite", tableId: PROCEDURE_INITIATE_TABLE, data });
    }
    const mode = MODES[security];
    return notify(
      {
        apTitle,
        hostTitle: callingApTitle,
        edClass: this.#deviceClass,
        invocationId: this.counters.nextOwn() & OWN_IDS,
        secured:
          mode === 0 || held.unicast === undefined
            ? undefined
            : {
                key: eaxPrimeKey(crypto, crypto.secretKey(fromHex(held.unicast))),
                keyId,
                iv: Math.floor(state.now() / 1000),
                securityMode: mode as 1 | 2,
              },
        isUrgent: exceptions.length > 0,
      },
      writes,
    );
  }

  /** Its registration with the headend, from power-up on. `address`: where it listens; undefined: it only calls. */
  registrant(address: NativeAddress | undefined, firstDelay = 0): Registrant {
    const { apTitle, profile } = this.plan;
    const { connectionless, acceptConnectionless, connection, acceptConnection } = CONNECTION_TYPE;
    const ways = address === undefined ? connection : connection | acceptConnection;
    return new Registrant(
      {
        register: {
          nodeType: NODE_TYPE.endDevice,
          connectionType: address?.transport === "udp" ? connectionless | acceptConnectionless : ways,
          deviceClass: this.#deviceClass,
          apTitle,
          electronicSerialNumber: `.${this.plan.index + 1}`,
          nativeAddress: address === undefined ? new Uint8Array(0) : nativeAddressOctets(address),
          registrationPeriod: 3_600,
          myDomainPattern: undefined,
        },
        masterTitle: profile.c1222.access.callingApTitle,
        nextInvocationId: () => this.counters.nextOwn() & OWN_IDS,
        random: seeded(`registration ${this.#seed} ${this.plan.index}`),
        firstDelay,
      },
      this.#ports.now(),
    );
  }

  connect(): MeterConnection {
    const { node } = this.parts;
    const splitter = new ApduSplitter();
    const { fault } = this.plan;
    let counted = false;
    return {
      receive: (octets) => {
        if (!this.supply.on) return NOTHING;
        if (!counted) this.#sessions += 1;
        counted = true;
        if (fault === "silent" || this.#ports.now() < this.#deadUntil || !this.#listens) return NOTHING;
        const { count } = this.resets.state;
        const send: Uint8Array[] = [];
        let afterMs = fault === "slow" ? SLOW_MS : 0;
        try {
          for (const apdu of splitter.push(octets)) {
            const answer = node.receive(apdu);
            if (answer === undefined) continue;
            if (fault === "drops" && answer.octets.length > LONG_ANSWER) return { send, afterMs: 0, close: true };
            send.push(answer.octets);
            afterMs = Math.max(afterMs, answer.afterMs);
          }
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          return { send, afterMs: 0, close: true }; // the framing is lost
        }
        const reset = this.resets.state.count > count;
        if (reset && fault === "dies-resetting") {
          this.#deadUntil = this.#ports.now() + DEAD_MS;
          return { send: [], afterMs: 0, close: true };
        }
        return { send, afterMs: reset && fault === "late-reset" ? LATE_RESET_MS : afterMs, close: false };
      },
    };
  }

  /** Interval ends in (from, to]; clock milliseconds. */
  truth(from: number, to: number): MeterTruth {
    const { state, tables } = this.parts;
    const [first] = this.plan.profile.c1222.loadProfiles;
    const held = first && this.#truth.lastProfileOf(first.channelSet);
    const lastEnd = held?.lastEnd ?? state.now();
    const kept = Array.from(trueIntervals(state, from, Math.min(to, lastEnd), (end) => statusAt(state, end)));
    return {
      meterId: this.plan.meterId,
      registers: this.#truth.served,
      intervals: kept.filter(({ end }) => end >= (held?.firstEnd ?? 0)),
      sets: tables.loadProfiles.truth(from, to),
      events: tables.logs.truth(from, to),
    };
  }
}

/** Who may use the meter, and how, as its device profile has it. */
function usersOf({ profile, held }: C1222MeterPlan): Partial<Pick<ServiceDeskOptions, "users" | "sessions">> {
  const { session, userId } = profile.c1222.access;
  const who = session?.userId ?? userId;
  if (who === undefined) return {};
  const password = new Uint8Array(PASSWORD_OCTETS).fill(0x20);
  password.set(held.llsSecret === undefined ? [] : fromHex(held.llsSecret));
  return {
    users: new Map([[who, { name: session?.user ?? "", password, access: "write" }]]),
    sessions: { most: 2, sessionless: session === undefined },
  };
}
