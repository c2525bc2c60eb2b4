import type { Lane } from "../jobs/lane.ts";
import { assert } from "../ports/errors.ts";

/** The right to one session, or to one use of a way in; given back once. */
export interface Permit {
  release(): void;
}

/** How many sessions a lane may have at once. The three lower lanes share what the upper two do not own. */
export interface SessionQuotas {
  readonly commands: number;
  readonly interactive: number;
  readonly shared: number;
  /** Most of the shared ones that a lane may hold, so that a lower lane always leaves room for a higher one. */
  readonly most: Readonly<Record<"urgent" | "bulk" | "images", number>>;
}

/** Commands and interactive own an eighth each; bulk leaves a quarter of the rest free, images three quarters. */
export function quotasOf(sessions: number): SessionQuotas {
  assert(Number.isSafeInteger(sessions) && sessions >= 8, "a bridge has at least 8 sessions");
  const own = Math.floor(sessions / 8);
  const shared = sessions - 2 * own;
  const quarter = Math.floor(shared / 4);
  return { commands: own, interactive: own, shared, most: { urgent: shared, bulk: shared - quarter, images: quarter } };
}

/** Most slices that a lane may have open at once. */
export const OPEN_SLICES = 32;
export function openSlices(lane: Lane, quotas: SessionQuotas): number {
  return lane === "commands" || lane === "interactive" ? quotas[lane] : OPEN_SLICES;
}

/** Permits of a way in: how many sessions of this bridge may use it at once. */
export type WayInLimit = (wayIn: string) => number;
/** A collector speaks to a few at a time; the open network has no limit of its own. */
export const defaultWayInLimit: WayInLimit = (wayIn) => (wayIn.startsWith("collector:") ? 8 : Number.POSITIVE_INFINITY);

export interface SessionPool {
  /**
   * The next session of a lane. First come, first served inside a lane: a slice that asks for one session at a time
   * thus takes turns with the other open slices. Rejects with the signal's reason.
   */
  session(lane: Lane, signal: AbortSignal): Promise<Permit>;
  /** Undefined: all permits of the way in are out. */
  wayIn(name: string): Permit | undefined;
  /** Resolves when a permit of any way in comes back, or the signal aborts. */
  wayInFreed(signal: AbortSignal): Promise<void>;
  /** Sessions in use. */
  readonly busy: number;
}

interface Waiter {
  grant(permit: Permit): void;
}

const SHARING = ["urgent", "bulk", "images"] as const;

export function sessionPool(quotas: SessionQuotas, limit: WayInLimit = defaultWayInLimit): SessionPool {
  const used: Record<Lane, number> = { commands: 0, interactive: 0, urgent: 0, bulk: 0, images: 0 };
  const waiting: Record<Lane, Set<Waiter>> = {
    commands: new Set(),
    interactive: new Set(),
    urgent: new Set(),
    bulk: new Set(),
    images: new Set(),
  };
  const usedWayIn = new Map<string, number>();
  const freed = new Set<() => void>();

  const isFree = (lane: Lane): boolean => {
    if (lane === "commands" || lane === "interactive") return used[lane] < quotas[lane];
    return used.urgent + used.bulk + used.images < quotas.shared && used[lane] < quotas.most[lane];
  };
  const once = (release: () => void): Permit => {
    let out = true;
    return {
      release() {
        assert(out, "a permit is given back once");
        out = false;
        release();
      },
    };
  };
  const take = (lane: Lane): Permit => {
    used[lane]++;
    return once(() => {
      used[lane]--;
      grantNext(lane);
    });
  };
  const grantNext = (lane: Lane): void => {
    for (const next of lane === "commands" || lane === "interactive" ? [lane] : SHARING)
      for (const waiter of waiting[next]) {
        if (!isFree(next)) break;
        waiting[next].delete(waiter);
        waiter.grant(take(next));
      }
  };

  return {
    get busy() {
      return Object.values(used).reduce((sum, count) => sum + count, 0);
    },
    session(lane, signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (isFree(lane) && waiting[lane].size === 0) return Promise.resolve(take(lane));
      return new Promise((resolve, reject) => {
        const abandon = () => {
          waiting[lane].delete(waiter);
          reject(signal.reason);
        };
        const waiter: Waiter = {
          grant(permit) {
            signal.removeEventListener("abort", abandon);
            resolve(permit);
          },
        };
        waiting[lane].add(waiter);
        signal.addEventListener("abort", abandon, { once: true });
      });
    },
    wayIn(name) {
      const out = usedWayIn.get(name) ?? 0;
      if (out >= limit(name)) return undefined;
      usedWayIn.set(name, out + 1);
      return once(() => {
        const left = (usedWayIn.get(name) ?? 1) - 1;
        if (left === 0) usedWayIn.delete(name);
        else usedWayIn.set(name, left);
        for (const wake of freed) wake();
        freed.clear();
      });
    },
    wayInFreed(signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake);
          freed.delete(wake);
          resolve();
        };
        freed.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    },
  };
}
