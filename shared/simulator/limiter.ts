import type { EventName } from "../metering/event-catalogue.ts";
import type { DisconnectSwitch } from "./disconnect-switch.ts";

/** Limits of a meter, W and seconds. */
export interface LimiterState {
  readonly thresholdNormal: number;
  readonly thresholdEmergency: number;
  readonly minOver: number;
  readonly minUnder: number;
  /** Emergency: group and until when (true time, ms); absent: none. */
  readonly emergency?: { readonly group: number; readonly from: number; readonly until: number };
  readonly emergencyGroups: readonly number[];
}
const UNLIMITED = 0xffff_ffff;
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
  /** Import now, W. */
  readonly power: () => number;
  readonly relay: DisconnectSwitch;
  readonly record: (event: EventName) => void;
}

/** A Limiter (class 71): opens the switch when the demand has been above its threshold for long enough. */
export class Limiter {
  #state: LimiterState;
  #overSince: number | undefined;
  #underSince: number | undefined;
  #tripped = false;
  readonly #options: LimiterOptions;

  constructor(state: LimiterState, options: LimiterOptions) {
    this.#state = state;
    this.#options = options;
  }

  get state(): LimiterState {
    return this.#state;
  }

  change(part: Partial<LimiterState>): void {
    this.#state = { ...this.#state, ...part };
    this.#options.record("limit.threshold-changed");
  }

  get emergencyActive(): boolean {
    const { emergency, emergencyGroups } = this.#state;
    const now = this.#options.now();
    return (
      emergency !== undefined &&
      emergencyGroups.includes(emergency.group) &&
      now >= emergency.from &&
      now < emergency.until
    );
  }

  get thresholdActive(): number {
    return this.emergencyActive ? this.#state.thresholdEmergency : this.#state.thresholdNormal;
  }

  /** Looks at the demand. A meter does so all the time; a simulated one when it is asked something, or by its schedule. */
  look(): void {
    const { now, power, relay, record } = this.#options;
    if (this.thresholdActive === UNLIMITED && !this.#tripped) return;
    const over = power() > this.thresholdActive;
    const at = now();
    this.#overSince = over ? (this.#overSince ?? at) : undefined;
    this.#underSince = over ? undefined : (this.#underSince ?? at);
    if (this.#overSince !== undefined && !this.#tripped && at - this.#overSince >= this.#state.minOver * 1000) {
      this.#tripped = true;
      record("limit.exceeded");
      relay.localDisconnect();
    }
    if (this.#tripped && this.#underSince !== undefined && at - this.#underSince >= this.#state.minUnder * 1000) {
      this.#tripped = false;
      record("limit.cleared");
      relay.localReconnect();
    }
  }
}
