import type { LoadControlSpan } from "./load-model.ts";

/** What a meter keeps of its load relay over a power cut. */
export interface LoadRelayState {
  /** By their beginning; the last one may have no end yet. */
  readonly spans: readonly LoadControlSpan[];
  /** Turns that schedules have planned, by true time, ms. */
  readonly planned: Readonly<Record<string, readonly { readonly at: number; readonly on: boolean }[]>>;
}
export const FREE_LOAD: LoadRelayState = { spans: [], planned: {} };

/** Spans kept: the oldest goes first, and with it what was not consumed then. */
const SPANS_MAX = 256;
/** The level of a load that does as it likes. */
export const FREE_LEVEL = 100;

export interface LoadRelayOptions {
  /** True time, ms. */
  readonly now: () => number;
  readonly state: LoadRelayState;
  readonly changed: () => void;
}

/** A relay, or a control point, in front of one large load of the house: air conditioning, water heater or vehicle. */
export class LoadRelay {
  #state: LoadRelayState;
  readonly #options: LoadRelayOptions;

  constructor(options: LoadRelayOptions) {
    this.#state = options.state;
    this.#options = options;
  }

  get kept(): LoadRelayState {
    return this.#state;
  }

  /** What was kept from the load until now, by its beginning. */
  get spans(): readonly LoadControlSpan[] {
    this.#settle();
    return this.#state.spans;
  }

  /** What is in force now. */
  get current(): LoadControlSpan | undefined {
    const now = this.#options.now();
    return this.spans.findLast(({ from, to }) => from <= now && (to === undefined || to > now));
  }

  get closed(): boolean {
    const { current } = this;
    return current === undefined || !("level" in current) || current.level > 0;
  }

  turn(on: boolean): void {
    this.#settle();
    this.#turned(this.#options.now(), on);
    this.#options.changed();
  }

  /** A schedule's turns, in place of those that it had. */
  plan(schedule: string, turns: readonly { readonly at: number; readonly on: boolean }[]): void {
    this.#settle();
    this.#state = { ...this.#state, planned: { ...this.#state.planned, [schedule]: turns } };
    this.#options.changed();
  }

  /** A level of the load, 0 to 100; `until` undefined: for good. */
  hold(level: number, until: number | undefined): void {
    this.#settle();
    const now = this.#options.now();
    this.#end(now, () => true);
    if (level < FREE_LEVEL) this.#begin({ from: now, to: until, level });
    this.#options.changed();
  }

  /** The load is shed while the import is above so many watts; a span without length ends it. */
  limit(watts: number, from: number, to: number): void {
    this.#settle();
    this.#end(this.#options.now(), (span) => "watts" in span);
    if (to > from) this.#begin({ from, to, watts });
    this.#options.changed();
  }

  #turned(at: number, on: boolean): void {
    const off = (span: LoadControlSpan): boolean => "level" in span && span.to === undefined;
    if (on) this.#end(at, off);
    else if (!this.#state.spans.some(off)) this.#begin({ from: at, to: undefined, level: 0 });
  }

  #begin(span: LoadControlSpan): void {
    this.#state = { ...this.#state, spans: [...this.#state.spans, span].slice(-SPANS_MAX) };
  }

  #end(at: number, which: (span: LoadControlSpan) => boolean): void {
    const spans = this.#state.spans.map((span) =>
      which(span) && (span.to === undefined || span.to > at) ? { ...span, to: Math.max(at, span.from) } : span,
    );
    this.#state = { ...this.#state, spans };
  }

  /** Turns whose time has come. */
  #settle(): void {
    const now = this.#options.now();
    const all = Object.values(this.#state.planned).flat();
    const due = all.filter(({ at }) => at <= now).sort((left, right) => left.at - right.at);
    if (due.length === 0) return;
    const planned = Object.fromEntries(
      Object.entries(this.#state.planned).map(([name, turns]) => [name, turns.filter(({ at }) => at > now)]),
    );
    this.#state = { ...this.#state, planned };
    for (const { at, on } of due) this.#turned(at, on);
    this.#options.changed();
  }
}
