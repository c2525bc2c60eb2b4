import type { Dial } from "../../shared/bridge/dial.ts";
import type { Driver, SessionContext } from "../../shared/metering/driver.ts";
import type { EffectSession } from "../../shared/metering/effect.ts";
import { SessionError } from "../../shared/metering/failure.ts";
import type { Measurement } from "../../shared/metering/measurement.ts";
import type { OnceOperation, Operation } from "../../shared/metering/operation.ts";
import type { OperationResult } from "../../shared/metering/result.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { below, type Random } from "../../shared/ports/random.ts";
import { COUNTER_REFUSED } from "../../shared/security/counters.ts";
import type { CounterInvariants } from "./counter-invariants.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { creditEffects, type SimpleCredit } from "./simple-credit.ts";
import { type SimpleSwitch, SimpleSwitching, switchEvents } from "./simple-switch.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { SwitchInvariants } from "./switch-invariants.ts";

/** A meter without a protocol: strict about counters, and it remembers every one. */
export interface SimpleMeter extends SimpleCredit {
  readonly meterId: string;
  readonly segment: number;
  readonly slot: number;
  readonly systemTitle: string;
  readonly port: number;
  /** Highest counter that it accepted. */
  last: number;
  reads: number;
  lastReadAt: number;
  /** How often its maximum demand was set back. */
  resets: number;
  readonly relay?: SimpleSwitch | undefined;
}

interface MeterLink extends Link {
  readonly meter: SimpleMeter;
  readonly dialledAt: number;
}

export interface SimpleMeterPorts {
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly counters: CounterInvariants;
  /** True time. */
  readonly now: () => number;
  /** The meter does what an order asks. */
  readonly happens: (process: SimulatedProcess, meter: SimpleMeter) => Promise<void>;
  readonly after: (ms: number, run: () => void) => unknown;
  /** Sees orders to switches; absent: there are none. */
  readonly switches?: () => Pick<SwitchInvariants, "sent" | "shown"> | undefined;
  /** A session asks for this; `dialledAt` true time. */
  readonly asked: (process: SimulatedProcess, meter: SimpleMeter, operation: Operation, dialledAt: number) => void;
}

/** What an order clears is read before. */
const BEFORE: Measurement = "current.l1";
/** Of one exchange at most, ms: by the network of the seed. */
const LATENCY_MS = [300, 900, 4_000] as const;
/** Clocks that are further off are wrong. */
const SKEW_MS = 5_000;

export class SimpleMeters {
  readonly byPort: ReadonlyMap<number, SimpleMeter>;
  readonly #byTitle: ReadonlyMap<string, SimpleMeter>;
  readonly #ports: SimpleMeterPorts;
  readonly #latencyMs: number;

  constructor(meters: readonly SimpleMeter[], ports: SimpleMeterPorts) {
    this.byPort = new Map(meters.map((meter) => [meter.port, meter]));
    this.#byTitle = new Map(meters.map((meter) => [meter.systemTitle, meter]));
    this.#ports = ports;
    this.#latencyMs = LATENCY_MS[below(ports.random, LATENCY_MS.length)] ?? 900;
  }

  dial(process: SimulatedProcess): Dial {
    const { random, faults, now } = this.#ports;
    return async ({ port }, deadline) => {
      const meter = this.byPort.get(port);
      if (meter === undefined) throw new Error(`no meter listens on ${port}`);
      await process.later(1 + below(random, 80));
      if (now() < (meter.relay?.deadUntil ?? 0)) throw new LinkError("link.unreachable", "nobody there");
      if (faults.strikes("unreachable")) {
        faults.note("unreachable", "all");
        await process.later(Math.min(below(random, 5_000), Math.max(0, deadline - process.clock.now())));
        throw new LinkError("link.unreachable", "refused");
      }
      const link: MeterLink = {
        kind: "stream",
        meter,
        dialledAt: now(),
        async send() {},
        receive: () => Promise.reject(new LinkError("link.closed", "this driver receives nothing")),
        async close() {},
      };
      return link;
    };
  }

  /** One frame under a counter: a lower one than the last is refused. */
  hears(meter: SimpleMeter, counter: number, by: SimulatedProcess): boolean {
    this.#ports.counters.used(meter.meterId, counter, by.name, Math.abs(by.offset) > SKEW_MS);
    if (counter <= meter.last) return false;
    meter.last = counter;
    return true;
  }

  driver(process: SimulatedProcess): Driver {
    const { random, faults } = this.#ports;
    const open: Driver["open"] = async (context) => {
      const meter = this.#byTitle.get(context.systemTitle ?? "");
      if (meter === undefined) throw new Error(`no meter has the title ${context.systemTitle}`);
      const speak = (): void => {
        const counter = context.counters.next();
        if (this.hears(meter, counter, process)) return;
        throw new SessionError("auth", `test${COUNTER_REFUSED}`, "too low", {
          detail: { expectedCounter: meter.last + 1 },
        });
      };
      const behave = async (): Promise<void> => {
        await process.later(1 + below(random, this.#latencyMs));
        if (faults.strikes("silent")) {
          faults.note("silent", "all");
          await process.later(context.responseTimeoutMs);
          throw new LinkError("link.timeout", "no answer");
        }
        context.onFrame?.("received", Uint8Array.of(1));
        if (!faults.strikes("reboots")) return;
        faults.note("reboots", "all");
        throw new LinkError("link.closed", "the meter is gone");
      };
      await process.later(1 + below(random, this.#latencyMs));
      for (let frame = 0; frame < 3; frame++) speak();
      await behave();
      return {
        perform: async (operation) => {
          if (operation.kind === "readEvents") return this.#events(meter, operation, speak, behave);
          this.#ports.asked(process, meter, operation, (context.link as MeterLink).dialledAt);
          speak();
          await behave();
          const lies = faults.strikes("lies");
          if (lies) faults.note("lies", "all");
          const at = Math.max(meter.lastReadAt + 1, context.clock.now());
          meter.lastReadAt = at;
          const value = lies
            ? ([Number.NaN as unknown as bigint, 2n ** 70n][below(random, 2)] ?? 0n)
            : BigInt(++meter.reads);
          const measurements = (operation.kind === "readRegisters" && operation.measurements) || [];
          return {
            registers: measurements.map((measurement) => ({ measurement, value, scaler: 0, at })),
            intervals: [],
            refusals: [],
          };
        },
        effects: this.#allEffects(process, meter, context, async () => {
          speak();
          await behave();
        }),
        release: async () => {},
      };
    };
    return { protocol: "dlms", open };
  }

  /** The log of the switch, for the proof of an order. */
  async #events(
    { relay }: SimpleMeter,
    { range }: Extract<Operation, { readonly kind: "readEvents" }>,
    speak: () => void,
    behave: () => Promise<void>,
  ): Promise<OperationResult> {
    speak();
    await behave();
    const events = relay === undefined ? [] : switchEvents(relay, range.from, range.to);
    return { registers: [], intervals: [], refusals: [], events };
  }

  #reading(meter: SimpleMeter, clock: Clock): { readonly value: bigint; readonly at: number } {
    const at = Math.max(meter.lastReadAt + 1, clock.now());
    meter.lastReadAt = at;
    return { value: BigInt(++meter.reads), at };
  }

  #allEffects(
    process: SimulatedProcess,
    meter: SimpleMeter,
    { clock, responseTimeoutMs }: Pick<SessionContext, "clock" | "responseTimeoutMs">,
    exchange: () => Promise<void>,
  ): EffectSession {
    const { relay } = meter;
    const resets = this.#effects(process, meter, clock, exchange);
    const witness = this.#ports.switches?.();
    if (relay === undefined || witness === undefined) return resets;
    const place = { ...meter, relay };
    const switching = new SimpleSwitching(relay, this.#ports).effects(
      process,
      { exchange, reading: () => this.#reading(meter, clock), responseTimeoutMs },
      {
        sent: (by, to) => witness.sent(by, place, to),
        moves: (by) => this.#ports.happens(by, meter),
        shown: (value) => witness.shown(place, value),
      },
    );
    const credit = creditEffects(meter, this.#ports.faults, exchange, () => this.#ports.happens(process, meter));
    const of = ({ kind }: OnceOperation): EffectSession =>
      kind === "operateSwitch" ? switching : kind === "resetDemand" ? resets : credit;
    return {
      baseline: (operation) => of(operation).baseline(operation),
      operate: (operation) => of(operation).operate(operation),
      prove: (operation, baseline) => of(operation).prove(operation, baseline),
    };
  }

  /** Demand reset: the meter counts its resets, which is the proof. `talk`: one request and its answer. */
  #effects(process: SimulatedProcess, meter: SimpleMeter, clock: Clock, talk: () => Promise<void>): EffectSession {
    const { faults } = this.#ports;
    return {
      baseline: async () => {
        await talk();
        const registers = [{ measurement: BEFORE, scaler: 0, ...this.#reading(meter, clock) }];
        return { before: { registers, intervals: [], refusals: [] }, baseline: { resets: String(meter.resets) } };
      },
      operate: async () => {
        if (faults.strikes("lies")) faults.note("lies", "all");
        else {
          meter.resets++;
          await this.#ports.happens(process, meter);
        }
        await talk(); // its answer may be lost
        return { kind: "accepted" };
      },
      prove: async (_operation, { resets }) => {
        await talk();
        const since = meter.resets - Number(resets);
        if (since === 0) return { kind: "did-not-happen" };
        return since === 1 ? { kind: "happened" } : { kind: "cannot-tell", code: "simulated.several" };
      },
    };
  }
}
