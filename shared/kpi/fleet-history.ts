import { DAY_MS, dayOf } from "../readings/day-block.ts";
import type { FleetCounts } from "./count-fleet.ts";
import { countFleet, type FleetPorts } from "./walk-fleet.ts";

/** The fleet as it was counted at one instant, product clock ms. */
export interface CountedFleet {
  readonly asOf: number;
  /** Segments with active meters. */
  readonly segments: number;
  readonly counts: FleetCounts;
}

/** Counts of the fleet as stored. Keys live in `functions/adapters/dynamo-fleet-history.ts`. */
export interface FleetHistory {
  latest(): Promise<CountedFleet | undefined>;
  /** Overwrites: derived, never added to. */
  writeLatest(counted: CountedFleet): Promise<void>;
  /** Of the UTC days in [from, to], ascending. */
  days(from: number, to: number): Promise<readonly (CountedFleet & { readonly day: number })[]>;
  /** If absent: the first count after the end of a day is the day's. */
  addDay(day: number, counted: CountedFleet): Promise<void>;
}

/** So old the kept counts may be before they are taken anew. */
const KEPT_MS = 5 * 60_000;
/** So long after its end a day is still counted as it was: of a meter only the last exchange is known. */
const DAY_END_MS = 3_600_000;
/** A fleet of so many segments is counted at each request; a larger one is as the last tick counted it. */
export const COUNTED_AT_ONCE = 64;

export interface KpiPorts extends FleetPorts {
  readonly history: FleetHistory;
}

const counted = async (ports: FleetPorts, asOf: number): Promise<CountedFleet> => ({
  asOf,
  ...(await countFleet(ports, asOf)),
});

/** Counts the fleet where that is due at `nowMs` (product clock), and keeps it; for each day the first count after its end. */
export async function keepCounts(ports: KpiPorts, nowMs: number): Promise<"counted" | "fresh"> {
  const { history } = ports;
  const today = dayOf(nowMs);
  const [latest, [yesterday]] = await Promise.all([history.latest(), history.days(today - DAY_MS, today - DAY_MS)]);
  const dayDue = yesterday === undefined && latest !== undefined && latest.asOf < today && nowMs < today + DAY_END_MS;
  if (latest !== undefined && nowMs - latest.asOf < KEPT_MS && !dayDue) return "fresh";
  const now = await counted(ports, nowMs);
  // The day before the note that it was counted since: a crash in between counts the day again, and finds it.
  if (dayDue) await history.addDay(today - DAY_MS, now);
  await history.writeLatest(now);
  return "counted";
}

/** The fleet now, or as it was counted last where it is large. */
export async function currentCounts(ports: KpiPorts, nowMs: number): Promise<CountedFleet> {
  const latest = await ports.history.latest();
  return latest !== undefined && latest.segments > COUNTED_AT_ONCE ? latest : counted(ports, nowMs);
}
