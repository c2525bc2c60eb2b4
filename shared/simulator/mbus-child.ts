import { noise } from "./noise.ts";

/** M-Bus device types (EN 13757): what hangs on a channel. */
export const DEVICE_TYPE = { gas: 3, water: 7 } as const;
export type MbusMedium = keyof typeof DEVICE_TYPE;

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** 2015-01-01: where its history begins. */
const FIRST_DAY = 16_436;
const YEAR_DAYS = 365.25;
const SALT = { start: 71, day: 72, mean: 73 } as const;
/** How far a day may be from its expectation, in mean days: below the least of a year, so that volumes only rise. */
const DAY_NOISE = 0.15;
const SEASONALITY: Readonly<Record<MbusMedium, number>> = { gas: 0.8, water: 0.1 };
/** Litres a day, least and most. */
const MEAN: Readonly<Record<MbusMedium, readonly [number, number]>> = { gas: [1_500, 6_000], water: [80, 600] };
/** Share of the day's use in each hour, from midnight of UTC. */
const HOURS = [1, 1, 1, 1, 2, 4, 7, 8, 6, 5, 4, 5, 5, 4, 4, 4, 5, 7, 8, 7, 5, 3, 2, 1] as const;
const HOURS_BEFORE = HOURS.map((_, hour) => HOURS.slice(0, hour).reduce<number>((sum, share) => sum + share, 0));
const HOURS_TOTAL = HOURS.reduce<number>((sum, share) => sum + share, 0);

/** A gas or water meter on the M-Bus of an electricity meter: its volume, read once an hour. */
export class MbusChild {
  readonly channel: number;
  readonly medium: MbusMedium;
  /** 8 BCD digits. */
  readonly identification: number;
  readonly #seed: number;

  constructor(seed: number, channel: number, medium: MbusMedium) {
    this.#seed = (seed ^ (channel * 0x9e37)) >>> 0;
    this.channel = channel;
    this.medium = medium;
    let digits = 0;
    for (let place = 0; place < 8; place++) digits = digits * 16 + (Math.floor(noise(this.#seed, 80, place) * 10) % 10);
    this.identification = digits >>> 0;
  }

  get serial(): string {
    return this.identification.toString(16).padStart(8, "0");
  }

  /** Litres before a day, in closed form. */
  #before(day: number): number {
    const [least, most] = MEAN[this.medium];
    const mean = least + (most - least) * noise(this.#seed, SALT.mean, 0);
    const phase = (2 * Math.PI * (day - 15)) / YEAR_DAYS;
    const expected =
      day -
      FIRST_DAY +
      ((SEASONALITY[this.medium] * YEAR_DAYS) / (2 * Math.PI)) * Math.sin(phase) +
      DAY_NOISE * noise(this.#seed, SALT.day, day);
    return Math.max(0, Math.round(100_000 * noise(this.#seed, SALT.start, 0) + mean * expected));
  }

  /** Litres at the last full hour before an instant (clock milliseconds). */
  litresAt(instant: number): number {
    const day = Math.floor(instant / DAY_MS);
    const hour = Math.floor((instant - day * DAY_MS) / HOUR_MS);
    const [start, end] = [this.#before(day), this.#before(day + 1)];
    return start + Math.floor(((end - start) * (HOURS_BEFORE[hour] ?? 0)) / HOURS_TOTAL);
  }
}

/** The last full hour: when an electricity meter asked its bus last. */
export const lastHour = (instant: number): number => Math.floor(instant / HOUR_MS) * HOUR_MS;
