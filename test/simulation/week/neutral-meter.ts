import { SessionError } from "../../../shared/metering/failure.ts";
import type { Measurement } from "../../../shared/metering/measurement.ts";
import type { DeviceProfile } from "../../../shared/metering/profile.ts";
import type { IntervalSet, MeterEvent } from "../../../shared/metering/result.ts";
import { type Link, LinkError } from "../../../shared/ports/link.ts";
import { seedOf } from "../../../shared/ports/random.ts";
import type { TrueIntervalSet } from "../../../shared/simulator/truth-log.ts";
import type { FieldMeter, GivenRegister } from "./field-meter.ts";

export interface NeutralSet {
  readonly set: string;
  /** Seconds. */
  readonly period: number;
  /** Entries that the meter keeps. */
  readonly depth: number;
  readonly channels: readonly { readonly measurement: Measurement; readonly scaler: number }[];
}

export interface NeutralOptions
  extends Pick<FieldMeter, "meterId" | "place" | "port" | "profile" | "title" | "collector" | "from" | "plan"> {
  readonly sets: readonly NeutralSet[];
  /** No power: nothing is captured that ends in (from, to], and the log says so. */
  readonly outage: { readonly from: number; readonly to: number } | undefined;
  readonly now: () => number;
}

/** Keys of a meter that has no protocol: its session draws counters all the same. */
const KEYS = { unicast: "00".repeat(16), authentication: "00".repeat(16) };
const STEP = 1_000;
/** What a link to a neutral meter is for: which device answers there. */
export interface NeutralLink extends Link {
  readonly device: NeutralMeter;
}

/** A meter without a protocol, with a memory, clock and logs of its own. Its values follow from its name and the instant. */
export class NeutralMeter implements FieldMeter {
  readonly meterId: FieldMeter["meterId"];
  readonly place: FieldMeter["place"];
  readonly port: number;
  readonly profile: DeviceProfile;
  readonly title: string;
  readonly keys = KEYS;
  readonly collector: string | undefined;
  readonly from: number;
  until = Number.POSITIVE_INFINITY;
  plan: FieldMeter["plan"];
  isKnown = false;
  enrolled = false;
  readonly heardAt: number[] = [];
  readonly #sets: readonly NeutralSet[];
  readonly #outage: NeutralOptions["outage"];
  readonly #now: () => number;
  readonly #seed: number;
  readonly #given = new Set<string>();
  #last = -1;

  constructor(options: NeutralOptions) {
    ({
      meterId: this.meterId,
      place: this.place,
      port: this.port,
      profile: this.profile,
      title: this.title,
      collector: this.collector,
      from: this.from,
      plan: this.plan,
    } = options);
    this.#sets = options.sets;
    this.#outage = options.outage;
    this.#now = options.now;
    this.#seed = seedOf(options.meterId);
  }

  /** Cumulative, hence rising: so much a step and a remainder of its own. */
  #value(channel: number, periodMs: number, end: number): bigint {
    const steps = Math.floor((end - this.from) / periodMs);
    const noise = Math.imul(this.#seed ^ (channel + 1), Math.imul(steps, 0x9e3779b1) >>> 7) >>> 0;
    return BigInt(10_000 + steps * STEP + (noise % STEP));
  }

  #isCaptured(end: number, periodMs: number): boolean {
    if (end - periodMs < this.from || end > Math.min(this.#now(), this.until)) return false;
    const outage = this.#outage;
    return outage === undefined || end <= outage.from || end > outage.to;
  }

  captured(from: number, to: number): readonly TrueIntervalSet[] {
    return this.#entries(() => from, to);
  }

  #entries(fromOf: (keepsMs: number) => number, to: number): readonly TrueIntervalSet[] {
    return this.#sets.map(({ set, period, depth, channels }) => {
      const periodMs = period * 1000;
      const entries: { end: number; values: bigint[]; status: number }[] = [];
      const from = fromOf(depth * periodMs);
      for (let end = (Math.floor(from / periodMs) + 1) * periodMs; end <= to; end += periodMs)
        if (this.#isCaptured(end, periodMs))
          entries.push({ end, values: channels.map((_, channel) => this.#value(channel, periodMs, end)), status: 0 });
      return { channelSet: set, period, channels, entries };
    });
  }

  keepsMs(set: string): number {
    const found = this.#sets.find((one) => one.set === set);
    return found === undefined ? 0 : found.depth * found.period * 1000;
  }

  /** What is still in its memory now. */
  #held({ from, to }: { readonly from: number; readonly to: number }): readonly IntervalSet[] {
    return this.#entries((keepsMs) => Math.max(from, this.#now() - keepsMs), to);
  }

  events(from: number, to: number): readonly MeterEvent[] {
    const outage = this.#outage;
    if (outage === undefined) return [];
    const entry = (at: number, event: MeterEvent["event"], sequence: number): MeterEvent => ({
      at,
      event,
      log: "standard",
      code: String(sequence),
      sequence,
    });
    return [entry(outage.from, "power.failed", 1), entry(outage.to, "power.restored", 2)].filter(
      ({ at }) => at > from && at <= to && at <= Math.min(this.#now(), this.until),
    );
  }

  #totals(now: number): readonly GivenRegister[] {
    const [first] = this.#sets;
    if (first === undefined) return [];
    const periodMs = first.period * 1000;
    const at = Math.floor(now / periodMs) * periodMs;
    const registers = first.channels.map(({ measurement, scaler }, channel) => ({
      measurement,
      scaler,
      value: this.#value(channel, periodMs, at),
      at,
    }));
    for (const register of registers) this.#given.add(keyOf(register));
    return registers;
  }

  given(register: GivenRegister): boolean {
    return this.#given.has(keyOf(register));
  }

  async dial(): Promise<NeutralLink> {
    return {
      kind: "stream",
      device: this,
      async send() {},
      receive: () => Promise.reject(new LinkError("link.closed", "this driver receives nothing")),
      async close() {},
    };
  }

  readonly open: FieldMeter["open"] = async ({ link, counters, clock, onFrame }) => {
    // A dial may have found another device in this one's place, which holds other keys.
    const there = (link as Partial<NeutralLink>).device;
    await link.send(Uint8Array.of(1));
    onFrame?.("received", Uint8Array.of(1));
    if (there !== this) throw new SessionError("auth", "neutral.keys", `${this.meterId} is not the one that answers`);
    for (let call = 0; call < 3; call++) this.#hear(counters.next());
    return {
      perform: async (operation) => {
        this.#hear(counters.next());
        await link.send(Uint8Array.of(2));
        this.heardAt.push(this.#now());
        const nothing = { registers: [], intervals: [], refusals: [] };
        switch (operation.kind) {
          case "readIntervals":
            return {
              ...nothing,
              intervals: this.#held(operation.range),
              registers: operation.registers === undefined ? [] : this.#totals(clock.now()),
            };
          case "readEvents":
            return { ...nothing, events: this.events(operation.range.from, operation.range.to) };
          default:
            throw new SessionError("unsupported", "neutral.operation", `${operation.kind} is not of this week`);
        }
      },
      release: async () => {},
    };
  };

  /** Strict: a counter at or below its last is refused. */
  #hear(counter: number): void {
    if (counter <= this.#last)
      throw new SessionError("auth", "neutral.counter", `${counter} is not above ${this.#last}`);
    this.#last = counter;
  }
}

const keyOf = ({ measurement, value, scaler, at }: GivenRegister): string => `${measurement}#${value}#${scaler}#${at}`;
