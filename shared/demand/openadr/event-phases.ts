import { PHASE_MAX_MS, PHASES_MAX, type Phase, type PhaseControl } from "../dr-event.ts";
import { durationMs, FOREVER, instantMs } from "./iso-time.ts";
import type { EventRequest, Interval, IntervalPeriod } from "./objects.ts";

/** Why an event cannot be carried out: the field, dotted, and what was expected there. */
export interface PhaseProblem {
  readonly field: string;
  readonly expected: string;
}
export type PhasesOutcome =
  | { readonly kind: "phases"; readonly phases: readonly Phase[]; readonly randomSeconds: number }
  | ({ readonly kind: "refused" } & PhaseProblem);

const RANDOM_MAX_S = 7_200;
const KILO = 1000;
/** What the levels of SIMPLE ask of a load: a third of the time off, half of it, all of it (our own reading). */
const LEVELS: Readonly<Record<number, PhaseControl>> = {
  1: { mode: "cycle", periodSeconds: 1_800, offSeconds: 600 },
  2: { mode: "cycle", periodSeconds: 1_800, offSeconds: 900 },
  3: { mode: "off" },
};

/** What an interval asks of loads; undefined: nothing (a price, a word, an ordinary level). */
export function controlOf({ payloads }: Pick<Interval, "payloads">): PhaseControl | undefined {
  for (const { type, values } of payloads) {
    const [value] = values;
    if (typeof value !== "number") continue;
    if (type === "SIMPLE") return LEVELS[value];
    if (type === "IMPORT_CAPACITY_LIMIT")
      return value * KILO < 1
        ? { mode: "off" }
        : { mode: "limit", watts: Math.min(10_000_000, Math.round(value * KILO)) };
  }
  return undefined;
}

/**
 * The phases of an event: intervals have times of their own, or follow each other from the event's start; adjacent ones
 * that ask the same are one.
 */
export function phasesOf({ intervalPeriod, intervals }: EventRequest, now: number): PhasesOutcome {
  const refused = (field: string, expected: string): PhasesOutcome => ({ kind: "refused", field, expected });
  const whole: IntervalPeriod = intervalPeriod ?? {};
  const phases: Phase[] = [];
  let at = instantMs(whole.start ?? "0001-01-01", now);
  if (at === undefined) return refused("intervalPeriod.start", "an instant of RFC 3339");
  const parts: readonly Interval[] = intervals ?? (typeof whole.duration === "string" ? [{ id: 0, payloads: [] }] : []);
  for (const [index, interval] of parts.entries()) {
    const field = `intervals.${index}.intervalPeriod`;
    const own: IntervalPeriod = interval.intervalPeriod ?? {};
    const from = typeof own.start === "string" ? instantMs(own.start, now) : at;
    if (from === undefined) return refused(`${field}.start`, "an instant of RFC 3339");
    const ms = durationMs(own.duration ?? whole.duration ?? "PT0S");
    if (ms === undefined || ms < 0) return refused(`${field}.duration`, "a duration of ISO 8601 that is not negative");
    const to = Math.min(FOREVER - (FOREVER % 1000), from + Math.floor(ms / 1000) * 1000);
    at = to;
    if (to === from) continue;
    const last = phases.at(-1);
    if (last !== undefined && from < last.to) return refused(field, "intervals in order, apart from each other");
    const control = controlOf(interval);
    if (last !== undefined && last.to === from && JSON.stringify(last.control) === JSON.stringify(control))
      phases[phases.length - 1] = { ...last, to };
    else phases.push({ from, to, ...(control === undefined ? {} : { control }) });
  }
  const long = phases.find(({ from, to, control }) => control !== undefined && to - from > PHASE_MAX_MS);
  if (long !== undefined) return refused("intervals", "controls of at most 24 hours");
  if (phases.length > PHASES_MAX) return refused("intervals", `at most ${PHASES_MAX} different controls`);
  const random = durationMs(whole.randomizeStart ?? "PT0S") ?? 0;
  return { kind: "phases", phases, randomSeconds: Math.min(RANDOM_MAX_S, Math.max(0, Math.floor(random / 1000))) };
}
