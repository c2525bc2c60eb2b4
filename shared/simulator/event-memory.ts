import type { EventName } from "../metering/event-catalogue.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { type LoadCurve, STEP_MS } from "./load-model.ts";
import { noise } from "./noise.ts";

/** Something that happened to a meter, by its own clock. */
export interface LoggedEvent {
  /** Clock milliseconds, a whole second. */
  readonly at: number;
  readonly event: EventName;
  /** Which of several codes for the same: the phase from 0; of a switch: by hand, remotely, by itself. */
  readonly variant?: number;
}

const DAY_MS = 86_400_000;
/** How far back the world is asked what happened: the longest that a log holds. */
const PAST_DAYS = 90;
const STEPS_A_DAY = DAY_MS / STEP_MS;
/** Events recorded by the meter itself that are kept. */
const RECORDED_MAX = 256;

const SALT = { outage: 51, outageLength: 52, under: 53, over: 54, cover: 55, at: 56, phase: 57 } as const;
/** Chances of a day. */
const OUTAGE = 1 / 40;
const UNDER = 1 / 25;
const OVER = 1 / 60;
const COVER = 1 / 500;

interface Outage {
  readonly from: number;
  readonly to: number;
}

/** What happens to a meter without anybody asking: outages, bad voltage, an opened cover. By the seed and day alone. */
class World {
  readonly #seed: number;
  readonly #load: LoadCurve;
  readonly #phases: number;

  constructor(seed: number, load: LoadCurve, phases: number) {
    this.#seed = seed;
    this.#load = load;
    this.#phases = phases;
  }

  #chance(salt: number, day: number): number {
    return noise(this.#seed, salt, day);
  }

  /** A whole second of the day, with time for what follows it. */
  #second(salt: number, day: number): number {
    return day * DAY_MS + Math.floor(this.#chance(salt + 100, day) * 80_000) * 1000;
  }

  outage(day: number): Outage | undefined {
    if (this.#chance(SALT.outage, day) >= OUTAGE) return undefined;
    const from = this.#second(SALT.outage, day);
    return { from, to: from + (60 + Math.floor(this.#chance(SALT.outageLength, day) * 3_000)) * 1000 };
  }

  /** Without what the clock does. */
  *happenings(day: number): Generator<LoggedEvent> {
    const outage = this.outage(day);
    if (outage !== undefined) {
      yield { at: outage.from, event: "power.failed" };
      yield { at: outage.to, event: "power.restored" };
    }
    const variant = Math.floor(this.#chance(SALT.phase, day) * this.#phases);
    if (this.#chance(SALT.under, day) < UNDER) {
      const at = this.#second(SALT.under, day);
      yield { at, event: "voltage.under", variant };
      yield { at: at + 300_000, event: "voltage.under-cleared", variant };
    }
    if (this.#chance(SALT.over, day) < OVER) {
      const at = this.#second(SALT.over, day);
      yield { at, event: "voltage.over", variant };
      yield { at: at + 120_000, event: "voltage.over-cleared", variant };
    }
    if (this.#chance(SALT.cover, day) < COVER) {
      const at = this.#second(SALT.cover, day);
      yield { at, event: "tamper.cover-opened" };
      yield { at: at + 600_000, event: "tamper.cover-closed" };
    }
  }

  *events(day: number): Generator<LoggedEvent> {
    yield* this.happenings(day);
    for (let step = 0; step < STEPS_A_DAY; step++) {
      const end = day * DAY_MS + (step + 1) * STEP_MS;
      if (this.#load.clockAdjustedBefore(end)) yield { at: end - STEP_MS / 2, event: "clock.set" };
    }
  }
}

/** All that a meter can log: what happened in the world up to now, and what it recorded itself. */
export class EventMemory {
  readonly #world: World;
  readonly #now: () => number;
  #recorded: readonly LoggedEvent[];
  #untold: LoggedEvent[] = [];
  readonly #changed: () => void;

  constructor(options: {
    readonly seed: number;
    readonly load: LoadCurve;
    readonly phases: number;
    /** By the meter's clock. */
    readonly now: () => number;
    readonly recorded?: readonly LoggedEvent[];
    readonly changed?: () => void;
  }) {
    this.#world = new World(options.seed, options.load, options.phases);
    this.#now = options.now;
    this.#recorded = options.recorded ?? [];
    this.#changed = options.changed ?? (() => undefined);
  }

  /** To be kept. */
  get recorded(): readonly LoggedEvent[] {
    return this.#recorded;
  }

  record(event: EventName, at = this.#now(), variant?: number): void {
    const second = Math.floor(at / 1000) * 1000;
    const recorded = { at: second, event, ...(variant === undefined ? {} : { variant }) };
    this.#recorded = [...this.#recorded, recorded].slice(-RECORDED_MAX);
    if (this.#untold.length < RECORDED_MAX) this.#untold.push(recorded);
    this.#changed();
  }

  /** By time. What was recorded under a clock that is ahead of now stays where it is. */
  all(): readonly LoggedEvent[] {
    const today = Math.floor(this.#now() / DAY_MS);
    const found: LoggedEvent[] = [...this.#recorded];
    for (let day = today - PAST_DAYS; day <= today; day++)
      for (const event of this.#world.events(day)) if (event.at <= this.#now()) found.push(event);
    return found.sort((left, right) => left.at - right.at);
  }

  /** What has happened after an instant of at most a day ago, up to now, and what was recorded since this was last asked. */
  since(from: number): readonly LoggedEvent[] {
    const now = this.#now();
    const found = this.#untold;
    this.#untold = [];
    for (let day = Math.floor(from / DAY_MS) - 1; day <= Math.floor(now / DAY_MS); day++)
      for (const event of this.#world.happenings(day)) if (event.at > from && event.at <= now) found.push(event);
    return found;
  }

  /** Times without supply that were recorded; the last may not be over. */
  #cuts(): readonly Outage[] {
    return this.#recorded.flatMap(({ event, at: from }, index) => {
      if (event !== "power.failed") return [];
      const back = this.#recorded.slice(index + 1).find((later) => later.event === "power.restored");
      return [{ from, to: back?.at ?? Number.POSITIVE_INFINITY }];
    });
  }

  /** `INTERVAL_STATUS` bits of what happened in the interval (from, to]. */
  statusOf(from: number, to: number): number {
    let status = 0;
    for (let day = Math.floor(from / DAY_MS) - 1; day <= Math.floor(to / DAY_MS); day++) {
      const outage = this.#world.outage(day);
      if (outage !== undefined && outage.from < to && outage.to > from) status |= INTERVAL_STATUS.powerDown;
    }
    for (const cut of this.#cuts()) if (cut.from < to && cut.to > from) status |= INTERVAL_STATUS.powerDown;
    if (this.#recorded.some(({ event, at }) => event === "clock.set" && at > from && at <= to))
      status |= INTERVAL_STATUS.clockAdjusted;
    return status;
  }
}
