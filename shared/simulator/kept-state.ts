import type { C1222PushValues } from "./c1222-pushes.ts";
import type { SwitchState } from "./disconnect-switch.ts";
import type { LoggedEvent } from "./event-memory.ts";
import type { LimiterState } from "./limiter.ts";
import type { LoadRelayState } from "./load-relay.ts";
import type { KeptKeys } from "./meter-keyring.ts";
import type { PrepaymentState } from "./prepayment-account.ts";
import type { PushSettings } from "./push-schedule.ts";

/** What a meter keeps over a power cut besides its counters and demand resets. As JSON. */
export interface KeptState {
  /** Meter clock minus true time, ms. */
  readonly clockOffsetMs?: number;
  readonly relay?: SwitchState;
  readonly events?: readonly LoggedEvent[];
  readonly load?: LoadRelayState;
  readonly keys?: KeptKeys;
  readonly limits?: LimiterState;
  readonly credit?: PrepaymentState;
  /** What a client set of its Push setups, by logical name. */
  readonly pushes?: Readonly<Record<string, PushSettings>>;
  readonly c1222Pushes?: C1222PushValues;
  /** The firmware that runs. */
  readonly firmware?: string;
}
export const NOTHING_KEPT: KeptState = {};
