import type { EffectSession } from "../../shared/metering/effect.ts";
import type { OnceOperation } from "../../shared/metering/operation.ts";
import type { MeterEvent, OperationResult, RegisterValue, SwitchPosition } from "../../shared/metering/result.ts";
import { switchVerdict } from "../../shared/metering/switch-verdict.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { below, chance, type Random } from "../../shared/ports/random.ts";
import type { SwitchTarget } from "../../shared/switching/authority.ts";
import type { FaultPlan } from "./fault-plan.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** What a switch does wrong when it is told to move. */
const LIES = ["hollow", "welded", "bypassed", "late", "dies"] as const;
/** A late one moves so long after the order at most, one that dies is away for so long, ms. */
const LATE_MS = 20_000;
const DEAD_MS = 90_000;
/** Somebody at the meter closes it again so soon at most, ms: before or after a bridge has looked. */
const CUSTOMER_MS = 90_000;
const CUSTOMERS = 0.2;

/** The switch of a simple meter: what it says, and what is true. */
export interface SimpleSwitch {
  /** What its control says. */
  control: Exclude<SwitchPosition, "unknown">;
  /** Whether current can flow. */
  closed: boolean;
  /** The load side is live though the contact is open: a bypass, or a generator. */
  bypassed: boolean;
  /** Whether it measures its load side, and whether it shows its contact apart from its control. */
  readonly sensor: boolean;
  readonly showsContact: boolean;
  /** When it moved, true time: the meter's log of it does not lie. */
  readonly log: { readonly at: number; readonly event: MeterEvent["event"] }[];
  /** Nobody reaches the meter until then, true time. */
  deadUntil: number;
}

export function simpleSwitch(random: Random): SimpleSwitch {
  const closed = chance(random, 0.7);
  const sensor = chance(random, 0.7);
  return {
    control: closed ? "closed" : chance(random, 0.2) ? "armed" : "open",
    closed,
    bypassed: !closed && chance(random, 0.1),
    sensor,
    // Of one that shows neither nobody could tell that it lies about its position.
    showsContact: chance(random, 0.6),
    log: [],
    deadUntil: 0,
  };
}

export const loadIsLive = ({ closed, bypassed }: SimpleSwitch): boolean => closed || bypassed;

/** Who sees what really happens. */
export interface SwitchWitness {
  /** The frames of an order go out. */
  sent(process: SimulatedProcess, to: SwitchTarget): Promise<void>;
  /** The meter takes them, and its switch is going to move. */
  moves(process: SimulatedProcess): Promise<void>;
  /** What the switch was when it was read; `value`: of the line voltage, which no other reading has. */
  shown(value: bigint): void;
}

export interface SwitchPorts {
  readonly random: Random;
  readonly faults: FaultPlan;
  /** True time. */
  readonly now: () => number;
  readonly after: (ms: number, run: () => void) => unknown;
}

export interface SwitchTalk {
  /** One request and its answer. */
  readonly exchange: () => Promise<void>;
  /** A value that the meter has not shown yet, and when it shows it. */
  readonly reading: () => { readonly value: bigint; readonly at: number };
  readonly responseTimeoutMs: number;
}

const EVENTS = { open: "switch.opened", closed: "switch.closed", armed: "switch.armed" } as const;

/** What the log tells of a range, on the meter's own clock, which is right. */
export const switchEvents = ({ log }: SimpleSwitch, from: number, to: number): MeterEvent[] =>
  log
    .filter(({ at }) => at > from && at <= to)
    .map(({ at, event }) => ({ at, event, log: "switch", code: event === "switch.opened" ? "1" : "2" }));

/** Orders to the switch in one session. */
export class SimpleSwitching {
  readonly #relay: SimpleSwitch;
  readonly #ports: SwitchPorts;

  constructor(relay: SimpleSwitch, ports: SwitchPorts) {
    this.#relay = relay;
    this.#ports = ports;
  }

  effects(process: SimulatedProcess, talk: SwitchTalk, witness: SwitchWitness): EffectSession {
    const shown = async (): Promise<OperationResult> => {
      await talk.exchange();
      return this.#shown(talk, witness);
    };
    const targetOf = (operation: OnceOperation): SwitchTarget => {
      if (operation.kind !== "operateSwitch") throw new RangeError("expected an order to a switch");
      return operation.to;
    };
    return {
      baseline: async () => {
        const before = await shown();
        return { before, baseline: { position: before.switch?.position ?? "unknown" } };
      },
      operate: async (operation) => {
        const to = targetOf(operation);
        await witness.sent(process, to);
        await this.#operate(process, to, talk, witness);
        return { kind: "accepted" };
      },
      prove: async (operation, baseline) => switchVerdict(targetOf(operation), baseline, await shown()),
    };
  }

  #shown({ reading }: SwitchTalk, witness: SwitchWitness): OperationResult {
    const relay = this.#relay;
    const volts = (side: "line" | "load", live: boolean): RegisterValue => {
      const { value, at } = reading();
      const micro = (live ? 230_000_000n : 0n) + value;
      if (side === "line") witness.shown(micro);
      return { measurement: `voltage.l1.${side}`, value: micro, scaler: -6, at };
    };
    return {
      registers: [volts("line", true), ...(relay.sensor ? [volts("load", loadIsLive(relay))] : [])],
      intervals: [],
      refusals: [],
      switch: { position: relay.control, ...(relay.showsContact ? { contactClosed: relay.closed } : {}) },
    };
  }

  async #operate(process: SimulatedProcess, to: SwitchTarget, talk: SwitchTalk, witness: SwitchWitness): Promise<void> {
    const relay = this.#relay;
    const { random, faults, now, after } = this.#ports;
    const lies = faults.strikes("lies");
    if (lies) faults.note("lies", "all");
    const kind = lies ? LIES[below(random, LIES.length)] : undefined;
    const feasible = relay.control !== to && !(to === "armed" && relay.control === "closed");
    if (kind !== "hollow" && feasible) {
      await witness.moves(process);
      if (kind === "late") after(below(random, LATE_MS), () => this.#move(to));
      else if (kind === "welded" && (relay.sensor || relay.showsContact)) relay.control = to;
      else {
        this.#move(to);
        relay.bypassed = kind === "bypassed" && to === "open";
      }
      if (chance(random, CUSTOMERS)) after(LATE_MS + below(random, CUSTOMER_MS), () => this.#customer());
    }
    if (kind === "late") {
      await process.later(talk.responseTimeoutMs);
      throw new LinkError("link.timeout", "no answer");
    }
    if (kind === "dies") {
      relay.deadUntil = now() + below(random, DEAD_MS);
      throw new LinkError("link.closed", "the meter is gone");
    }
    await talk.exchange(); // its answer may be lost
  }

  #move(to: SwitchTarget): void {
    const relay = this.#relay;
    if (relay.control === to) return;
    relay.control = to;
    relay.closed = to === "closed";
    relay.log.push({ at: this.#ports.now(), event: EVENTS[to] });
  }

  /** By hand, at the meter. */
  #customer(): void {
    if (this.#ports.faults.active) this.#move("closed");
  }
}
