/** A meter's own clock: true time, an offset, which whoever may sets, and a crystal that runs fast or slow. */
export class MeterClock {
  readonly #trueNow: () => number;
  readonly #changed: (before: number, after: number) => void;
  readonly #ppm: number;
  /** Meter clock minus true time at `#since`, from when on the crystal adds to it. */
  #offsetMs: number;
  #since: number;
  #preset: { readonly to: number; readonly from: number; readonly until: number } | undefined;

  /** `changed`: told of the meter's time before and after. `ppm`: how fast it runs, parts in a million. */
  constructor(
    trueNow: () => number,
    offsetMs: number,
    changed: (before: number, after: number) => void = () => undefined,
    ppm = 0,
  ) {
    this.#trueNow = trueNow;
    this.#offsetMs = offsetMs;
    this.#changed = changed;
    this.#ppm = ppm;
    this.#since = ppm === 0 ? 0 : trueNow();
  }

  /** Meter clock minus true time, ms. */
  get offsetMs(): number {
    if (this.#ppm === 0) return this.#offsetMs;
    return this.#offsetMs + Math.round(((this.#trueNow() - this.#since) * this.#ppm) / 1_000_000);
  }

  now(): number {
    return this.#trueNow() + this.offsetMs;
  }

  set(time: number): void {
    const before = this.now();
    this.#offsetMs = this.offsetMs + time - before;
    this.#since = this.#ppm === 0 ? 0 : this.#trueNow();
    this.#changed(before, time);
  }

  shift(seconds: number): void {
    this.set(this.now() + seconds * 1000);
  }

  /** To the nearest whole multiple of a period. */
  adjustTo(periodMs: number): void {
    this.set(Math.round(this.now() / periodMs) * periodMs);
  }

  /** Keeps a time that `adoptPreset` sets, between two instants of the meter's clock. */
  preset(to: number, from: number, until: number): void {
    this.#preset = { to, from, until };
  }

  /** False: nothing was preset, or its validity is over or not yet begun. */
  adoptPreset(): boolean {
    const preset = this.#preset;
    if (preset === undefined || this.now() < preset.from || this.now() > preset.until) return false;
    this.#preset = undefined;
    this.set(preset.to);
    return true;
  }
}
