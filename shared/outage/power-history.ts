import type { TimelineEntry } from "../events/timeline.ts";

/** A time without supply, by the meter's own account; instants are clock ms. */
export interface Interruption {
  readonly from: number;
  /** Absent: it has not said that it is back. */
  readonly to?: number;
  /** Over within the hold time. */
  readonly momentary: boolean;
}

const LOST = new Set(["power.last-gasp", "power.failed"]);
const BACK = new Set(["power.restored-notice", "power.restored"]);
/** A meter that logs what it also sends says each edge twice, some seconds apart. */
const SAME_MS = 5_000;

/**
 * Interruptions by what a meter said and logged, oldest first. In whichever order it came and however often, the result is
 * the same: entries are taken by the meter's own time.
 */
export function interruptionsOf(entries: readonly TimelineEntry[], holdMs: number): readonly Interruption[] {
  const edges = entries
    .flatMap((entry) => {
      if (entry.kind !== "event") return [];
      const is = LOST.has(entry.event) ? "lost" : BACK.has(entry.event) ? "back" : undefined;
      return is === undefined ? [] : [{ at: entry.at, is }];
    })
    .sort((left, right) => left.at - right.at || (left.is === right.is ? 0 : left.is === "lost" ? -1 : 1));
  const found: Interruption[] = [];
  let from: number | undefined;
  for (const { at, is } of edges) {
    if (is === "lost") {
      const last = found.at(-1);
      if (from === undefined && (last?.to === undefined || at - last.from > SAME_MS)) from = at;
      continue;
    }
    if (from === undefined) continue; // the other account of an edge that was taken
    found.push({ from, to: at, momentary: at - from <= holdMs });
    from = undefined;
  }
  return from === undefined ? found : [...found, { from, momentary: false }];
}
