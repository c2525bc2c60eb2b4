import type { AccessItem, AccessStore, CounterLease } from "../jobs/access.ts";
import { SessionError } from "../metering/failure.ts";
import type { Clock } from "../ports/clock.ts";
import {
  fitLease,
  LEASE_BLOCK,
  LEASE_BLOCK_MAX,
  type LeasedCounters,
  leasedCounters,
  raiseOffset,
} from "../security/counters.ts";

/** The active epoch; `again`: an earlier answer proved to be out of date. */
export type ActiveEpoch = (again: boolean) => Promise<number>;

/** An access item and the lease that was taken before it was read. */
export interface AccessLook {
  readonly item: AccessItem;
  readonly lease: CounterLease;
}

/** What one meter has of counters while its slice is open. */
export interface MeterCounters {
  readonly look: AccessLook;
  readonly source: LeasedCounters;
  readonly wear: "fine" | "alarm";
}

/** How often a lease may prove too low for one meter before something is wrong. */
const LEASES_MAX = 5;

/**
 * Counters of one slice: one lease for all its meters, and again a lease where one is too low for a meter. The order
 * is always lease, then look at the access item, then dial.
 */
export interface CounterDesk {
  /** The lease of the slice; the first call takes it. */
  lease(): Promise<CounterLease>;
  /**
   * Counters that may be used for the meter of `look`, going on with `had` where its lease still serves.
   * Throws `SessionError`: `unsafe` `counter.worn`, `internal` `counter.unavailable` or `epoch.stale`.
   */
  countersFor(look: AccessLook, had: MeterCounters | undefined): Promise<MeterCounters>;
  /** A new look under a lease that is above this one's: after a refusal, or when it is used up (`larger`). */
  lookAgain(look: AccessLook, larger: boolean): Promise<AccessLook>;
  /** The meter took a fresh lease's counter for too low: stores a higher offset; false: beyond what may be raised. */
  raise(counters: MeterCounters, expected: { readonly counter?: number; readonly proved?: boolean }): Promise<boolean>;
}

/** `block`: counters of an ordinary lease. */
export function counterDesk(
  access: AccessStore,
  activeEpoch: ActiveEpoch,
  clock: Clock,
  segment: number,
  block = LEASE_BLOCK,
): CounterDesk {
  let current: Promise<CounterLease> | undefined;

  const take = async (size: number): Promise<CounterLease> => {
    try {
      return await access.leaseCounters(segment, size, await activeEpoch(false));
    } catch (error) {
      if (!(error instanceof SessionError) || error.code !== "epoch.stale") throw error;
      return access.leaseCounters(segment, size, await activeEpoch(true));
    }
  };
  /** A lease taken from now on, which also serves the meters to come. */
  const fresh = (size = block): Promise<CounterLease> => {
    const lease = take(size);
    current = lease;
    lease.catch(() => {
      if (current === lease) current = undefined;
    });
    return lease;
  };
  const look = async (was: AccessLook, lease: CounterLease): Promise<AccessLook> => {
    const item = await access.read(was.item);
    if (item === undefined || item.meterId !== was.item.meterId)
      throw new SessionError("retired", "access.gone", `expected meter ${was.item.meterId} in its slot, it is gone`);
    return { item, lease };
  };
  /** A lease above `below`: one that another meter has had taken meanwhile serves as well. */
  const above = async (below: CounterLease): Promise<CounterLease> => {
    const lease = await (current ?? fresh());
    return lease.base > below.base ? lease : fresh();
  };

  return {
    lease: () => current ?? fresh(),
    async countersFor(first, had) {
      let seen = first;
      for (let leases = 0; leases < LEASES_MAX; leases++) {
        // A look under an older lease than the meter has drawn from: its counters would begin again.
        if (had !== undefined && seen.lease.base < had.look.lease.base) seen = await look(seen, had.look.lease);
        const fit = fitLease(seen.lease, seen.item);
        switch (fit.kind) {
          case "usable":
            if (had === undefined || had.look.lease !== seen.lease)
              return { look: seen, wear: fit.wear, source: leasedCounters(seen.lease, seen.item.counterOffset) };
            if (had.look.item.counterOffset === seen.item.counterOffset) return { ...had, look: seen };
            seen = await look(seen, await above(seen.lease)); // a lease serves a meter under one offset only
            break;
          case "worn":
            throw new SessionError(
              "unsafe",
              "counter.worn",
              "the key's counters reach 0xf0000000: change the key first",
              {
                detail: { segment, slot: seen.item.slot },
              },
            );
          case "lease-again":
            seen = await look(seen, await above(seen.lease));
            break;
          case "unsettled": {
            const lease = await fresh(); // taken after the raise was seen stored: its base is a floor
            await access.settleOffset(seen.item, seen.item.meterId, seen.item.counterOffset, lease.base);
            seen = await look(seen, lease);
          }
        }
      }
      throw new SessionError("internal", "counter.unavailable", `no usable counters after ${LEASES_MAX} leases`, {
        detail: { segment, slot: seen.item.slot },
      });
    },
    async lookAgain(was, larger) {
      const size = Math.min(LEASE_BLOCK_MAX, was.lease.size * 16);
      return look(was, larger ? await take(size) : await above(was.lease));
    },
    async raise({ look: { item }, source }, { counter, proved }) {
      const refusal = {
        refused: source.last ?? 0,
        ...(counter === undefined ? {} : { expected: counter }),
        ...(proved === undefined ? {} : { proved }),
      };
      const raise = raiseOffset(item, refusal, clock.now());
      if (raise.kind === "beyond-limit") return false;
      // Somebody else raising it at the same time is as good: the next look finds it.
      await access.raiseOffset(item, item.meterId, raise.offset, { was: item.counterOffset, raises: raise.raises });
      return true;
    },
  };
}
