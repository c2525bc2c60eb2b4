import type { Lane } from "../jobs/lane.ts";
import { LEASE_MS } from "../jobs/slice-machine.ts";
import type { Clock } from "../ports/clock.ts";
import { assert } from "../ports/errors.ts";
import type { Permit } from "./session-pool.ts";
import { defaultWayInLimit, leasePermits, type WayIn, type WayInLimit, type WayPermits } from "./way-permits.ts";

/** No session is begun on permits that have less than this left, ms: renewal fails, or our time stood still. */
const MARGIN_MS = 5_000;
/** A slice that got none asks again so often, ms. */
const ASK_AGAIN_MS = 1_000;
/** Others write the same item a few times a minute. */
const WRITES_MAX = 20;

/** The ways in that the slices of one bridge use; what was seen of an item last spares the next write a look. */
export interface WayDesk {
  readonly limitOf: WayInLimit;
  /** Permits that the owner has after this. Throws what the port throws. */
  lease(
    name: string,
    claim: { readonly owner: string; readonly lane: Lane; wants: number; inUse: number },
  ): Promise<number>;
  giveBack(name: string, owner: string): Promise<void>;
}

export function wayDesk(permits: WayPermits, clock: Clock, byDefault: WayInLimit = defaultWayInLimit): WayDesk {
  const seen = new Map<string, WayIn>();
  const change = async <T>(name: string, next: (way: WayIn) => { leases: WayIn["leases"]; answer: T }): Promise<T> => {
    for (let write = 1; ; write++) {
      const way = seen.get(name) ?? (await permits.read(name));
      const { leases, answer } = next(way);
      if ((await permits.writeLeases(name, way.version, leases)) === "written") {
        seen.set(name, { ...way, version: way.version + 1, leases });
        return answer;
      }
      seen.delete(name);
      assert(write < WRITES_MAX, `expected to write the permits of ${name} within ${WRITES_MAX} tries`);
      await clock.sleep(5 * write);
    }
  };
  return {
    limitOf: byDefault,
    lease: (name, claim) =>
      change(name, (way) => {
        const { permits, leases } = leasePermits(way, way.limit ?? byDefault(name), claim, clock.now());
        return { leases, answer: permits };
      }),
    giveBack: (name, owner) =>
      change(name, (way) => {
        const { [owner]: _ours, ...leases } = way.leases;
        return { leases, answer: undefined };
      }),
  };
}

/** The permits of one slice. */
export interface SliceWays {
  /**
   * The right to one session by the way in; undefined: none is free, and where that helps more are asked for. `wants`:
   * how many sessions the slice could use.
   */
  take(name: string, wants: number): Permit | undefined;
  /** Whether `take` would give one. */
  hasRoom(name: string): boolean;
  /** Resolves when there may be room again, or the signal aborts. */
  freed(signal: AbortSignal): Promise<void>;
  /** With the slice's own lease. */
  renew(): Promise<void>;
  /** Ends all leases; what cannot be given back runs out. */
  giveBack(): Promise<void>;
}

interface Held {
  permits: number;
  inUse: number;
  wants: number;
  until: number;
  /** Asked for, no answer yet. */
  asking?: Promise<void>;
  askedAt: number;
}

export function sliceWays(desk: WayDesk, clock: Clock, owner: string, lane: Lane): SliceWays {
  const ways = new Map<string, Held>();
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const one of [...waiting]) one();
  };
  const isLimited = (name: string): boolean => name.includes(":") && Number.isFinite(desk.limitOf(name));
  const isFree = ({ permits, inUse, until }: Held): boolean => inUse < permits && clock.now() < until - MARGIN_MS;
  const lease = async (name: string, held: Held): Promise<void> => {
    const now = clock.now();
    held.permits = await desk.lease(name, { owner, lane, wants: held.wants, inUse: held.inUse });
    held.until = now + LEASE_MS;
  };
  /** In the background: other meters of the slice go on meanwhile. A way in that cannot be asked for has no room. */
  const ask = (name: string, held: Held): void => {
    if (held.asking !== undefined || clock.now() - held.askedAt < ASK_AGAIN_MS) return;
    held.askedAt = clock.now();
    held.asking = lease(name, held)
      .catch(() => undefined)
      .finally(() => {
        delete held.asking;
        wake();
      });
  };

  return {
    hasRoom(name) {
      const held = ways.get(name);
      return held === undefined || isFree(held) || clock.now() - held.askedAt >= ASK_AGAIN_MS;
    },
    take(name, wants) {
      if (!isLimited(name)) return { release: () => undefined };
      const held = ways.get(name) ?? { permits: 0, inUse: 0, wants, until: 0, askedAt: Number.NEGATIVE_INFINITY };
      ways.set(name, held);
      held.wants = Math.max(wants, held.inUse);
      if (!isFree(held)) {
        if (held.permits === 0 || clock.now() >= held.until - MARGIN_MS) ask(name, held);
        return undefined;
      }
      held.inUse++;
      let out = true;
      return {
        release() {
          assert(out, "a permit is given back once");
          out = false;
          held.inUse--;
          wake();
        },
      };
    },
    freed(signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          signal.removeEventListener("abort", done);
          waiting.delete(done);
          resolve();
        };
        waiting.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    },
    async renew() {
      for (const [name, held] of ways) {
        await held.asking;
        if (held.permits > 0 || held.wants > 0) await lease(name, held);
      }
      wake();
    },
    async giveBack() {
      for (const [name, held] of ways) {
        await held.asking;
        await desk.giveBack(name, owner).catch(() => undefined); // the lease runs out within a minute
      }
      ways.clear();
    },
  };
}
