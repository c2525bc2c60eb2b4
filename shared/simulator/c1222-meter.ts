import { genConfigOf } from "../c1219/gen-config.ts";
import { ApduSplitter } from "../c1222/apdu-splitter.ts";
import { eaxPrimeKey } from "../c1222/security/eax-prime.ts";
import { DatagramPort } from "../c1222/server/datagram-port.ts";
import { groupDesk } from "../c1222/server/group-desk.ts";
import { type Delivery, type GroupMembership, ServerNode } from "../c1222/server/server-node.ts";
import { type ServerTables, type ServiceDesk, serviceDesk } from "../c1222/server/service-desk.ts";
import { assert } from "../ports/errors.ts";
import { fromHex } from "../ports/octets.ts";
import { below, seeded } from "../ports/random.ts";
import { WireError } from "../wire/wire-error.ts";
import { c1222Tables } from "./c1222-tables.ts";
import { type CounterState, CounterWitness, noCounters } from "./counter-witness.ts";
import { DemandResets, type ResetState } from "./demand-resets.ts";
import { household } from "./household.ts";
import { type MeterConnection, type MeterPorts, type MeterReaction, type MeterTruth, SLOW_MS } from "./meter.ts";
import { type MeterState, meterState } from "./meter-state.ts";
import type { C1222MeterPlan } from "./population.ts";
import { TruthLog, trueIntervals } from "./truth-log.ts";
import { UTC } from "./zone.ts";

const NOTHING: MeterReaction = { send: [], afterMs: 0, close: false };
const MODES = { clear: 0, authenticated: 1, ciphered: 2 } as const;
const OWN_IDS = 0x7fff_ffff;
/** A meter with the fault `drops` closes when it is asked for a part of a table. */
const LONG_ANSWER = 1_000;

/** One simulated C12.22 meter over the same load model, truth log and witness as the DLMS ones. */
export class C1222Meter {
  readonly plan: C1222MeterPlan;
  readonly counters: CounterWitness;
  readonly resets: DemandResets;
  readonly #ports: MeterPorts;
  readonly #seed: number;
  readonly #truth = new TruthLog();
  #state: MeterState | undefined;
  #node: ServerNode | undefined;
  #port: DatagramPort | undefined;
  #sessions = 0;

  /** `remembered`: what it kept of an earlier life; `changed` is called when it would have to be kept again. */
  constructor(
    plan: C1222MeterPlan,
    seed: number,
    ports: MeterPorts,
    remembered?: CounterState,
    changed?: () => void,
    resets?: ResetState,
  ) {
    this.plan = plan;
    this.#ports = ports;
    this.#seed = seed;
    this.counters = new CounterWitness(remembered ?? noCounters(plan.index * 16 + 1), changed);
    this.resets = new DemandResets(resets, changed);
  }

  /** Connections that sent at least one octet. */
  get sessions(): number {
    return this.#sessions;
  }

  #stateOf(): MeterState {
    this.#state ??= meterState(household(this.#seed, this.plan.index), {
      zone: UTC,
      trueNow: this.#ports.now,
      clockOffsetMs: this.plan.clockOffsetMs,
      truth: this.#truth,
      resets: this.resets,
    });
    return this.#state;
  }

  #nodeOf(): ServerNode {
    if (this.#node !== undefined) return this.#node;
    const { access } = this.plan.profile.c1222;
    const { unicast } = this.plan.held;
    const { crypto } = this.#ports;
    assert(unicast !== undefined || access.security === "clear", "a secured meter has a key");
    const key = unicast === undefined ? undefined : eaxPrimeKey(crypto, crypto.secretKey(fromHex(unicast)));
    const tables = c1222Tables(this.#stateOf(), this.plan.serial);
    const desk = serviceDesk({ tables });
    const groups = this.#groups(tables, desk);
    this.#node = new ServerNode({
      apTitle: this.plan.apTitle,
      securityMode: MODES[access.security],
      keyOf: (id) => (id === access.keyId ? key : undefined),
      now: () => this.#stateOf().now(),
      nextInvocationId: () => this.counters.nextOwn() & OWN_IDS,
      desk,
      witness: this.counters,
      ...(groups === undefined ? {} : { groups }),
    });
    return this.#node;
  }

  #groups(tables: ServerTables, desk: ServiceDesk): GroupMembership | undefined {
    const { groups = [], profile, fault } = this.plan;
    const { groups: rules, access } = profile.c1222;
    if (rules === undefined || groups.length === 0 || fault === "closed") return undefined;
    const { crypto } = this.#ports;
    const keys = new Map(groups.map(({ keyId, key }) => [keyId, eaxPrimeKey(crypto, crypto.secretKey(fromHex(key)))]));
    const config = genConfigOf(tables.read(0) ?? new Uint8Array(0));
    assert(config !== undefined, "a meter has a table 0");
    const random = seeded(`answers to groups ${this.#seed} ${this.plan.index}`);
    return {
      titles: groups.map(({ title }) => title),
      keyOf: (id) => keys.get(id),
      desk: groupDesk(desk, { config: () => config, imageTable: rules.imageTable }),
      ownKeyId: access.keyId,
      delayMs: () => below(random, rules.answersWithinSeconds * 1000),
    };
  }

  /** One datagram or APDU in; what it sends for it, each at its own time. */
  datagram(octets: Uint8Array): readonly Delivery[] {
    const { fault } = this.plan;
    if (fault === "silent" || fault === "closed") return [];
    this.#port ??= new DatagramPort(this.#nodeOf(), () => this.#ports.now());
    const late = fault === "slow" ? SLOW_MS : 0;
    const deliveries = this.#port.receive(octets);
    if (fault === "drops" && deliveries.length > 1) return deliveries.slice(0, 1); // the rest of a long answer never comes
    return deliveries.map(({ octets: sent, afterMs }) => ({ octets: sent, afterMs: afterMs + late }));
  }

  connect(): MeterConnection {
    const node = this.#nodeOf();
    const splitter = new ApduSplitter();
    const { fault } = this.plan;
    let counted = false;
    return {
      receive: (octets) => {
        if (!counted) this.#sessions += 1;
        counted = true;
        if (fault === "silent") return NOTHING;
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
        return { send, afterMs, close: false };
      },
    };
  }

  /** Interval ends in (from, to]; clock milliseconds. */
  truth(from: number, to: number): MeterTruth {
    const state = this.#stateOf();
    const held = this.#truth.lastProfile;
    const lastEnd = held?.lastEnd ?? state.now();
    const kept = Array.from(trueIntervals(state, from, Math.min(to, lastEnd)));
    return {
      meterId: this.plan.meterId,
      registers: this.#truth.served,
      intervals: kept.filter(({ end }) => end >= (held?.firstEnd ?? 0)),
    };
  }
}
