import type { AccessStore } from "../jobs/access.ts";
import type { Place } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";
import { RENEW_MS } from "./slice-lease.ts";

export interface HoldPorts {
  readonly clock: Clock;
  readonly access: Pick<AccessStore, "takeHold" | "releaseHold">;
}

/** A meter that is ours alone: readers see it and stay away. */
export interface MeterHold {
  /** The base of the lease whose counters are used: readers that leased below it lease again. */
  used(base: bigint): void;
}

/**
 * Holds a meter while `work` runs; `busy`: somebody else does. Counters are leased after the hold is taken, never before.
 * `until`: how long the hold may last now, machine clock ms: as long as the slice's lease, so that whoever takes the slice
 * over never finds a live hold of a holder who is gone.
 */
export async function withHold<T>(
  { clock, access }: HoldPorts,
  place: Place,
  owner: string,
  until: () => number,
  work: (hold: MeterHold) => Promise<T>,
): Promise<T | "busy"> {
  let base = 0n;
  if (!(await access.takeHold(place, owner, until(), base, clock.now()))) return "busy";
  const ended = new AbortController();
  const renewing = (async () => {
    while (!ended.signal.aborted) {
      await clock.sleep(RENEW_MS, ended.signal).catch(() => undefined);
      if (ended.signal.aborted) return;
      // A renewal that fails shows in the last look before the effect, and else harms nobody.
      await access.takeHold(place, owner, until(), base, clock.now()).catch(() => false);
    }
  })();
  try {
    return await work({
      used(leased) {
        if (leased > base) base = leased;
      },
    });
  } finally {
    ended.abort();
    await renewing;
    // What became of the meter is known by now, whether or not this is written: the hold runs out by itself.
    await access.releaseHold(place, owner, base).catch(() => false);
  }
}
