/** Control state of a Disconnect control (class 70), by its number. `ready`: open, and the customer may close it. */
export const CONTROL_STATE = { disconnected: 0, connected: 1, ready: 2 } as const;
export type ControlState = keyof typeof CONTROL_STATE;

/** What may move the switch: the transitions of class 70, control_mode 0 to 6, as the table of public implementations. */
export type ControlMode = 0 | 1 | 2 | 3 | 4 | 5 | 6;
interface ModeRules {
  readonly remoteDisconnect: boolean;
  /** To which state a remote reconnection brings an open switch. */
  readonly remoteReconnect: "connected" | "ready" | "none";
  readonly manualDisconnect: boolean;
  readonly manualReconnect: boolean;
  readonly localDisconnect: boolean;
  readonly localReconnect: boolean;
}
const mode = (
  remoteReconnect: "connected" | "ready",
  manualDisconnect: boolean,
  localReconnect: boolean,
): ModeRules => ({
  remoteDisconnect: true,
  remoteReconnect,
  manualDisconnect,
  manualReconnect: true,
  localDisconnect: true,
  localReconnect,
});
export const CONTROL_MODES: Readonly<Record<ControlMode, ModeRules>> = {
  0: {
    remoteDisconnect: false,
    remoteReconnect: "none",
    manualDisconnect: false,
    manualReconnect: false,
    localDisconnect: false,
    localReconnect: false,
  },
  1: mode("ready", true, false),
  2: mode("connected", true, false),
  3: mode("ready", false, false),
  4: mode("connected", false, false),
  5: mode("ready", true, true),
  6: mode("ready", false, true),
};

export type SwitchCause =
  | "remote-disconnect"
  | "remote-reconnect"
  | "manual-disconnect"
  | "manual-reconnect"
  | "local-disconnect"
  | "local-reconnect";

/** A time without supply, by true time, ms; `to` undefined: until now. */
export interface OpenSpan {
  readonly from: number;
  readonly to: number | undefined;
}

/** What a meter keeps of its switch over a power cut. */
export interface SwitchState {
  readonly state: ControlState;
  readonly mode: ControlMode;
  /** When the relay was last told to move, true time, ms. */
  readonly movedAt: number;
  /** Whether the contact was closed before that. */
  readonly wasClosed: boolean;
  /** Rising and apart; the last one may be open. */
  readonly openSpans: readonly OpenSpan[];
}
export const closedSwitch = (mode: ControlMode): SwitchState => ({
  state: "connected",
  mode,
  movedAt: 0,
  wasClosed: true,
  openSpans: [],
});

/** Spans kept: the oldest goes first, and with it what the registers did not count then. */
const SPANS_MAX = 256;
/** From the relay's order to its contact, ms. */
export const RELAY_REACTION_MS = 150;

export interface SwitchOptions {
  /** True time, ms. */
  readonly now: () => number;
  readonly state: SwitchState;
  /** The contact never opens, whatever the control says. */
  readonly welded?: boolean;
  readonly onMoved?: (cause: SwitchCause, to: ControlState) => void;
  readonly onModeSet?: () => void;
}

/** The supply switch of a meter: control state by the rules of its mode, and a contact that follows after a moment. */
export class DisconnectSwitch {
  #state: SwitchState;
  readonly #options: SwitchOptions;

  constructor(options: SwitchOptions) {
    this.#options = options;
    this.#state = options.state;
  }

  /** To be kept. */
  get kept(): SwitchState {
    return this.#state;
  }
  get state(): ControlState {
    return this.#state.state;
  }
  get mode(): ControlMode {
    return this.#state.mode;
  }
  get openSpans(): readonly OpenSpan[] {
    return this.#state.openSpans;
  }

  /** The contact itself. */
  get closed(): boolean {
    const { movedAt, wasClosed, state } = this.#state;
    if (this.#options.welded === true) return true;
    return this.#options.now() < movedAt + RELAY_REACTION_MS ? wasClosed : state === "connected";
  }

  /** False: the mode does not allow it, and nothing happened. Where it already is so, nothing happens either. */
  remoteDisconnect(): boolean {
    if (!CONTROL_MODES[this.mode].remoteDisconnect) return false;
    if (this.state !== "disconnected") this.#move("remote-disconnect", "disconnected");
    return true;
  }

  remoteReconnect(): boolean {
    const { remoteReconnect } = CONTROL_MODES[this.mode];
    if (remoteReconnect === "none") return false;
    if (this.state === "disconnected") this.#move("remote-reconnect", remoteReconnect);
    return true;
  }

  /** The limiter, or a fault that the meter found. */
  localDisconnect(): boolean {
    if (!CONTROL_MODES[this.mode].localDisconnect || this.state !== "connected") return false;
    this.#move("local-disconnect", "ready");
    return true;
  }

  localReconnect(): boolean {
    if (!CONTROL_MODES[this.mode].localReconnect || this.state !== "ready") return false;
    this.#move("local-reconnect", "connected");
    return true;
  }

  /** The customer's button. False: it does nothing now. */
  press(): boolean {
    const rules = CONTROL_MODES[this.mode];
    if (this.state === "ready" && rules.manualReconnect) {
      this.#move("manual-reconnect", "connected");
      return true;
    }
    if (this.state === "connected" && rules.manualDisconnect) {
      this.#move("manual-disconnect", "ready");
      return true;
    }
    return false;
  }

  /** Mode 0 stands for a switch that is always closed: false while it is not. */
  setMode(to: ControlMode): boolean {
    if (to === 0 && this.state !== "connected") return false;
    if (to === this.mode) return true;
    this.#state = { ...this.#state, mode: to };
    this.#options.onModeSet?.();
    return true;
  }

  #move(cause: SwitchCause, to: ControlState): void {
    const now = this.#options.now();
    const wasClosed = this.closed;
    const moves = (this.state === "connected") !== (to === "connected");
    this.#state = {
      ...this.#state,
      state: to,
      ...(moves && { movedAt: now, wasClosed, openSpans: this.#spans(now + RELAY_REACTION_MS, to === "connected") }),
    };
    this.#options.onMoved?.(cause, to);
  }

  #spans(at: number, closes: boolean): readonly OpenSpan[] {
    const { openSpans } = this.#state;
    if (this.#options.welded === true) return openSpans;
    if (!closes) return [...openSpans, { from: at, to: undefined }].slice(-SPANS_MAX);
    return openSpans.map((span) => (span.to === undefined ? { from: span.from, to: at } : span));
  }
}
