import type { EventName } from "../metering/event-catalogue.ts";
import type { DisconnectSwitch } from "./disconnect-switch.ts";
import { STEP_MS } from "./load-model.ts";

/** Limits of a meter, W and seconds. */
export interface LimiterState {
  readonly thresholdNormal: number;
  readonly thresholdEmergency: number;
  readonly minOver: number;
  readonly minUnder: number;
  /** Emergency: group and until when (true time, ms); absent: none. */
  readonly emergency?: { readonly group: number; readonly from: number; readonly until: number };
  readonly emergencyGroups: readonly number[];
  /** Whether the switch opens above the threshold, and closes again below it. @default both */
  readonly acts?: { readonly over: boolean; readonly under: boolean };
}
const UNLIMITED = 0xffff_ffff;
/** What happened before is not looked at any more, ms. */
const LOOK_BACK_MS = 86_400_000;
export const NO_LIMIT: LimiterState = {
  thresholdNormal: UNLIMITED,
  thresholdEmergency: UNLIMITED,
  minOver: 60,
  minUnder: 300,
  emergencyGroups: [],
};

export interface LimiterOptions {
  /** True time, ms. */
  readonly now: () => number;
  /** Import at a true time, W. */
  readonly power: (at: number) => number;
  readonly relay: DisconnectSwitch;
  readonly record: (event: EventName) => void;
}

/** A Limiter (class 71): opens the switch when the demand has been above its threshold for long enough. */
export class Limiter {
  #state: LimiterState;
  #overSince: number | undefined;
  #underSince: number | undefined;
  #tripped = false;
  #lookedAt: number | undefined;
  readonly #options: LimiterOptions;

  constructor(state: LimiterState, options: LimiterOptions) {
    this.#state = state;
    this.#options = options;
  }

  get state(): LimiterState {
    return this.#state;
  }

  change(part: Partial<LimiterState>): void {
    this.look(); // what was in force until now
    this.#state = { ...this.#state, ...part };
    this.#options.record("limit.threshold-changed");
  }

  #emergencyAt(now: number): boolean {
    const { emergency, emergencyGroups } = this.#state;
    return (
      emergency !== undefined &&
      emergencyGroups.includes(emergency.group) &&
      now >= emergency.from &&
      now < emergency.until
    );
  }
  get emergencyActive(): boolean {
    return this.#emergencyAt(this.#options.now());
  }

  #thresholdAt(now: number): number {
    return this.#emergencyAt(now) ? this.#state.thresholdEmergency : this.#state.thresholdNormal;
  }
  get thresholdActive(): number {
    return this.#thresholdAt(this.#options.now());
  }

  /** Looks at the demand since the last look. A meter does so all the time; a simulated one when it is asked something. */
  look(): void {
    const now = this.#options.now();
    const from = Math.max(this.#lookedAt ?? now, now - LOOK_BACK_MS);
    this.#lookedAt = now;
    const { emergency } = this.#state;
    // The load changes by the quarter of an hour, so that between two of these instants nothing does.
    const edges = [emergency?.from, emergency?.until].filter((at) => at !== undefined && at > from && at < now);
    const steps: number[] = [from, ...(edges as number[])];
    for (let at = Math.floor(from / STEP_MS) * STEP_MS + STEP_MS; at < now; at += STEP_MS) steps.push(at);
    for (const [index, at] of steps.sort((left, right) => left - right).entries())
      this.#span(at, steps[index + 1] ?? now);
  }

  /** The demand of a time in which neither it nor the threshold changes, true time, ms. */
  #span(from: number, to: number): void {
    const threshold = this.#thresholdAt(from);
    if (threshold === UNLIMITED && !this.#tripped) return;
    const { power, relay, record } = this.#options;
    const { minOver, minUnder, acts = { over: true, under: true } } = this.#state;
    const over = power(from) > threshold;
    this.#overSince = over ? (this.#overSince ?? from) : undefined;
    this.#underSince = over ? undefined : (this.#underSince ?? from);
    if (this.#overSince !== undefined && !this.#tripped && to - this.#overSince >= minOver * 1000) {
      this.#tripped = true;
      record("limit.exceeded");
      if (acts.over) relay.localDisconnect();
      this.#overSince = undefined;
      this.#underSince = to; // nothing flows any more
    }
    if (this.#tripped && this.#underSince !== undefined && to - this.#underSince >= minUnder * 1000) {
      this.#tripped = false;
      record("limit.cleared");
      if (acts.under) relay.localReconnect();
    }
  }
}
