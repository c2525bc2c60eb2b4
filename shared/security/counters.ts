import type { AccessItem, CounterLease, OffsetRaises } from "../jobs/access.ts";
import type { CounterSource } from "../metering/driver.ts";
import { SessionError } from "../metering/failure.ts";
import { assert } from "../ports/errors.ts";

/**
 * Invocation counters: counter = segment mark + offset(meter, key). A lease is one atomic add on the segment's mark and
 * gives [base, base + size) to every meter of the segment; the mark never restarts, so no two leases overlap.
 *
 * Raising an offset shifts a meter's counters upwards while leases are out: an older lease under the new offset could
 * meet a newer lease under the old one. So a raise is stored first (`unsettled`: nobody uses it), then a lease is taken
 * and its base stored as the floor of the new offset. Whoever used the old offset read it before the raise was stored,
 * hence leased before, hence lies below the floor; whoever uses the new one lies at or above it.
 */

/** Counters that one slice leases for each of its meters: a session draws some 20, three tries included. */
export const LEASE_BLOCK = 4096;
/** Of a slice of one meter, of which there may be many a day: it must not wear the whole segment's mark. */
export const LEASE_BLOCK_ONE = 256;
/** The first block of a slice of so many meters. */
export const leaseBlock = (meters: number): number => (meters === 1 ? LEASE_BLOCK_ONE : LEASE_BLOCK);
/** Largest block: a session that found its lease too small asks for sixteen times more. */
export const LEASE_BLOCK_MAX = 65_536;
/** What a new epoch (failover, restore) adds to each mark before the first lease. */
export const EPOCH_JUMP = 1n << 22n;
/** How far refusals without proof may raise an offset in one UTC day. */
export const OFFSET_RAISE_A_DAY = 1n << 20n;
/** The step of a raise when the meter does not say which counter it expects. */
export const OFFSET_RAISE_STEP = 1n << 18n;
/**
 * How the code of a `SessionError` ends with which a driver says that the meter took our invocation counter for too low.
 * Detail: `expectedCounter`, the least counter that the meter says it takes, where it says so; `proved: true` where that
 * was authenticated.
 */
export const COUNTER_REFUSED = ".counter-refused";
/** From here on the key should be changed: an alarm. */
export const COUNTER_ALARM = 2 ** 31;
/** From here on the key must be changed: no session any more. */
export const COUNTER_LIMIT = 0xf000_0000;

const DAY_MS = 86_400_000;

/** A segment's mark. `epoch`: 1 for a new deployment; each failover or restore begins a higher one. */
export interface CounterMark {
  readonly mark: bigint;
  readonly epoch: number;
}

/**
 * The mark after a lease, and the lease's base. A mark of an earlier epoch (or none: the copy may be older than the
 * segment) first rises by `EPOCH_JUMP` for each epoch in between. `stale`: the mark is of a later epoch.
 */
export function leaseFrom(
  was: CounterMark | undefined,
  size: number,
  epoch: number,
): { readonly next: CounterMark; readonly base: bigint } | "stale" {
  assert(Number.isSafeInteger(size) && size > 0 && size <= LEASE_BLOCK_MAX, "a lease has 1 to 65,536 counters");
  assert(Number.isSafeInteger(epoch) && epoch >= 1, "epochs count from 1");
  const from = was ?? { mark: 0n, epoch: 1 };
  if (from.epoch > epoch) return "stale";
  const base = from.mark + EPOCH_JUMP * BigInt(epoch - from.epoch);
  return { base, next: { mark: base + BigInt(size), epoch } };
}

/** Thrown by every `leaseCounters` that meets a later epoch: this process belongs to the past. */
export const staleEpoch = (segment: number, epoch: number): SessionError =>
  new SessionError(
    "internal",
    "epoch.stale",
    `expected the mark of segment ${segment} in epoch ${epoch}, found a later one`,
    {
      retry: "later",
      detail: { segment, epoch },
    },
  );

export type LeaseFit =
  | { readonly kind: "usable"; readonly wear: "fine" | "alarm" }
  /** Too low for this meter: lease again, then read again. */
  | { readonly kind: "lease-again" }
  /** A raise is stored but not settled: lease again, settle with that base, read again. */
  | { readonly kind: "unsettled" }
  /** The key's counters are used up to the limit: it must change. */
  | { readonly kind: "worn" };

/** Whether a lease that was taken *before* `item` was read may be used for it. */
export function fitLease(
  lease: CounterLease,
  item: Pick<AccessItem, "segment" | "counterOffset" | "offsetFloor" | "releasedBase">,
): LeaseFit {
  assert(lease.segment === item.segment, "a lease serves its own segment");
  if (item.offsetFloor === "unsettled") return { kind: "unsettled" };
  if (item.offsetFloor !== undefined && lease.base < item.offsetFloor) return { kind: "lease-again" };
  if (lease.base < item.releasedBase) return { kind: "lease-again" };
  const first = lease.base + item.counterOffset;
  if (first < 0n) return { kind: "lease-again" };
  const end = first + BigInt(lease.size);
  if (end > BigInt(COUNTER_LIMIT)) return { kind: "worn" };
  return { kind: "usable", wear: end > BigInt(COUNTER_ALARM) ? "alarm" : "fine" };
}

/** Counters of one meter out of one lease; later tries of the meter go on where earlier ones stopped. */
export interface LeasedCounters extends CounterSource {
  /** Counters drawn so far. */
  readonly drawn: number;
  /** The last one drawn. */
  readonly last: number | undefined;
}

/** The caller has found `fitLease` usable. One source serves one (lease, meter): it is never made twice. */
export function leasedCounters(lease: CounterLease, counterOffset: bigint): LeasedCounters {
  const first = lease.base + counterOffset;
  assert(first >= 0n && first + BigInt(lease.size) <= BigInt(COUNTER_LIMIT), "counters are 0 to 0xf0000000");
  const start = Number(first);
  let drawn = 0;
  return {
    get drawn() {
      return drawn;
    },
    get last() {
      return drawn === 0 ? undefined : start + drawn - 1;
    },
    next() {
      if (drawn === lease.size)
        throw new SessionError("internal", "counter.exhausted", `all ${lease.size} counters of the lease are drawn`, {
          retry: "later",
          detail: { segment: lease.segment, size: lease.size },
        });
      return start + drawn++;
    },
  };
}

export type OffsetRaise =
  | { readonly kind: "raise"; readonly offset: bigint; readonly raises: OffsetRaises }
  /** More than a day's unproved raise: an operator approves it, or a proof is brought. */
  | { readonly kind: "beyond-limit"; readonly needed: bigint; readonly left: bigint };

/**
 * The offset after a meter has refused `refused` as too low under a fresh lease. `expected`: the least counter that the
 * meter says it takes, if it says so. Such an answer is not authenticated, so what it can cost is bounded a day unless
 * `proved`. `now`: clock milliseconds.
 */
export function raiseOffset(
  item: Pick<AccessItem, "counterOffset" | "offsetRaises">,
  refusal: { readonly refused: number; readonly expected?: number; readonly proved?: boolean },
  now: number,
): OffsetRaise {
  const day = Math.floor(now / DAY_MS);
  const spent = item.offsetRaises?.day === day ? item.offsetRaises.sum : 0n;
  const told = refusal.expected === undefined ? undefined : BigInt(refusal.expected) - BigInt(refusal.refused);
  const needed = told !== undefined && told > 0n ? told : OFFSET_RAISE_STEP;
  if (refusal.proved === true)
    return { kind: "raise", offset: item.counterOffset + needed, raises: { day, sum: spent } };
  const left = OFFSET_RAISE_A_DAY - spent;
  if (needed > left) return { kind: "beyond-limit", needed, left };
  return { kind: "raise", offset: item.counterOffset + needed, raises: { day, sum: spent + needed } };
}
