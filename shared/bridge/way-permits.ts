import type { Lane } from "../jobs/lane.ts";
import type { Written } from "../jobs/ledger.ts";
import { LEASE_MS } from "../jobs/slice-machine.ts";

/**
 * Permits of a way in (`collector:<name>`, `cell:<name>`, …): how many sessions may use it at once, over all bridges.
 * A slice leases some for itself in one conditional write, renews them with its own lease and gives them back.
 */
export interface PermitLease {
  readonly lane: Lane;
  /** Sessions that the slice may have open by this way in. */
  readonly permits: number;
  /** Sessions that it could use. */
  readonly wants: number;
  /** Machine clock milliseconds. */
  readonly until: number;
}

/** One way in, as it is stored: one item. */
export interface WayIn {
  /** Set by the utility; absent: the default of its kind. */
  readonly limit?: number;
  /** Rises with every write; 0: nothing is stored. */
  readonly version: number;
  /** By the run of a slice. */
  readonly leases: Readonly<Record<string, PermitLease>>;
}

/** Ways in, in memory or in the Access table. */
export interface WayPermits {
  /** Strongly consistent; a way in of which nothing is stored has version 0 and no leases. */
  read(name: string): Promise<WayIn>;
  /** Conditional on the version; leaves the limit as it is. */
  writeLeases(name: string, version: number, leases: WayIn["leases"]): Promise<Written>;
  /** Undefined: back to the default. */
  setLimit(name: string, limit: number | undefined): Promise<void>;
}

/** Sessions at once where the utility has set no limit. */
export type WayInLimit = (name: string) => number;
/** A collector speaks to a few at a time, a radio cell or a relay to some more; the open network has no limit of its own. */
const DEFAULTS: Readonly<Record<string, number>> = { collector: 8, cell: 32, relay: 32 };
export const defaultWayInLimit: WayInLimit = (name) =>
  DEFAULTS[name.slice(0, Math.max(0, name.indexOf(":")))] ?? Number.POSITIVE_INFINITY;

const isUpper = (lane: Lane): boolean => lane === "commands" || lane === "interactive";
/** The lower lanes leave a quarter of a way in to commands and single reads; images take a quarter at most. */
const roomOf = (lane: Lane, limit: number): number => {
  const quarter = Math.floor(limit / 4);
  return isUpper(lane) ? limit : lane === "images" ? Math.max(1, quarter) : limit - quarter;
};

export interface PermitClaim {
  readonly owner: string;
  readonly lane: Lane;
  readonly wants: number;
  /** Sessions that are open now: these are not taken away. */
  readonly inUse: number;
}

/**
 * The leases after a claim. Who finds nothing free leaves the wish; who renews gives up what is above its fair share
 * while others wish. `permits` is what the claim has then, which may be none.
 */
export function leasePermits(
  way: Pick<WayIn, "leases">,
  limit: number,
  { owner, lane, wants, inUse }: PermitClaim,
  now: number,
): { readonly permits: number; readonly leases: WayIn["leases"] } {
  const others = Object.entries(way.leases).filter(([name, { until }]) => name !== owner && until > now);
  const sum = (leases: typeof others): number => leases.reduce((total, [, { permits }]) => total + permits, 0);
  const lower = others.filter(([, one]) => !isUpper(one.lane));
  const room = Math.min(limit - sum(others), isUpper(lane) ? limit : roomOf(lane, limit) - sum(lower));
  const fair = Math.max(1, Math.floor(roomOf(lane, limit) / (others.length + 1)));
  const starving = others.some(([, one]) => one.wants > one.permits && one.permits < fair);
  const granted = Math.max(0, Math.min(wants, room, starving ? fair : Number.POSITIVE_INFINITY));
  const had = way.leases[owner]?.permits ?? 0;
  const permits = Math.max(granted, Math.min(inUse, had));
  return {
    permits,
    leases: { ...Object.fromEntries(others), [owner]: { lane, permits, wants, until: now + LEASE_MS } },
  };
}
