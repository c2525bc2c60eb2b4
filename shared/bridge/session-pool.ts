import type { Lane } from "../jobs/lane.ts";
import { assert } from "../ports/errors.ts";
import type { Yielding } from "./yielding.ts";

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

/** Pings may hold most of the interactive sessions, never all: a read always finds one soon. */
export const pingQuota = ({ interactive }: SessionQuotas): number => interactive - Math.ceil(interactive / 4);

/** Most slices that a lane may have open at once. */
export const OPEN_SLICES = 32;
export function openSlices(lane: Lane, quotas: SessionQuotas): number {
  return lane === "commands" || lane === "interactive" ? quotas[lane] : OPEN_SLICES;
}

/** For whom a session is. */
export interface SessionClaim {
  /** Whose turn it is taken from (see `shared/jobs/fair-share.ts`). */
  readonly share: string;
  readonly ping: boolean;
}
const ANYBODY: SessionClaim = { share: "", ping: false };

export interface SessionPool {
  /**
   * The next session of a lane. Inside a lane it goes to the share that has the fewest, and then to who came first: a
   * slice that asks for one session at a time thus takes turns with the other open slices of its share, and one
   * caller's flood keeps no other caller waiting. Rejects with the signal's reason.
   */
  session(lane: Lane, signal: AbortSignal, claim?: SessionClaim): Promise<Permit>;
  /** Sessions in use. */
  readonly busy: number;
}

interface Waiter {
  readonly claim: SessionClaim;
  grant(permit: Permit): void;
}

const SHARING = ["urgent", "bulk", "images"] as const;
/** How the shared sessions divide while all three want more than there are; what one does not want the others have. */
export const WEIGHTS: Readonly<Record<(typeof SHARING)[number], number>> = { urgent: 4, bulk: 2, images: 1 };

/** `lanes`: what bulk and images have to make way for; absent: nothing. */
export function sessionPool(quotas: SessionQuotas, lanes?: Pick<Yielding, "most">): SessionPool {
  const used: Record<Lane, number> = { commands: 0, interactive: 0, urgent: 0, bulk: 0, images: 0 };
  const waiting: Record<Lane, Set<Waiter>> = {
    commands: new Set(),
    interactive: new Set(),
    urgent: new Set(),
    bulk: new Set(),
    images: new Set(),
  };

  let pings = 0;
  const pingsMax = pingQuota(quotas);
  /** Sessions in use by lane and share; shares with none are left out. */
  const shares = new Map<string, number>();
  const shareOf = (lane: Lane, { share }: SessionClaim): string => `${lane} ${share}`;

  const isFree = (lane: Lane, { ping }: SessionClaim): boolean => {
    if (lane === "interactive" && ping && pings >= pingsMax) return false;
    if (lane === "commands" || lane === "interactive") return used[lane] < quotas[lane];
    if (used.urgent + used.bulk + used.images >= quotas.shared || used[lane] >= quotas.most[lane]) return false;
    const lower = used.bulk + used.images;
    return lane === "urgent" || lanes === undefined || lower < lanes.most(lower);
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
  const take = (lane: Lane, claim: SessionClaim): Permit => {
    const counts = lane === "interactive" && claim.ping ? 1 : 0;
    const share = shareOf(lane, claim);
    used[lane]++;
    pings += counts;
    shares.set(share, (shares.get(share) ?? 0) + 1);
    return once(() => {
      used[lane]--;
      pings -= counts;
      const left = (shares.get(share) ?? 1) - 1;
      if (left === 0) shares.delete(share);
      else shares.set(share, left);
      grantNext(lane);
    });
  };
  /** Of those who may have a session now: the first of the share that has the fewest. */
  const nextOf = (lane: Lane): Waiter | undefined => {
    let found: { readonly waiter: Waiter; readonly has: number } | undefined;
    for (const waiter of waiting[lane]) {
      const has = shares.get(shareOf(lane, waiter.claim)) ?? 0;
      if ((found === undefined || has < found.has) && isFree(lane, waiter.claim)) found = { waiter, has };
    }
    return found?.waiter;
  };
  const grant = (lane: Lane): boolean => {
    const waiter = nextOf(lane);
    if (waiter === undefined) return false;
    waiting[lane].delete(waiter);
    waiter.grant(take(lane, waiter.claim));
    return true;
  };
  const grantNext = (freed: Lane): void => {
    if (freed === "commands" || freed === "interactive") while (grant(freed));
    else {
      const byNeed = () => SHARING.toSorted((left, right) => used[left] / WEIGHTS[left] - used[right] / WEIGHTS[right]);
      while (byNeed().some(grant));
    }
  };

  return {
    get busy() {
      return Object.values(used).reduce((sum, count) => sum + count, 0);
    },
    session(lane, signal, claim = ANYBODY) {
      if (signal.aborted) return Promise.reject(signal.reason);
      // Who waits while a session is free may not have it (pings): nobody is overtaken.
      if (isFree(lane, claim)) return Promise.resolve(take(lane, claim));
      return new Promise((resolve, reject) => {
        const abandon = () => {
          waiting[lane].delete(waiter);
          reject(signal.reason);
        };
        const waiter: Waiter = {
          claim,
          grant(permit) {
            signal.removeEventListener("abort", abandon);
            resolve(permit);
          },
        };
        waiting[lane].add(waiter);
        signal.addEventListener("abort", abandon, { once: true });
      });
    },
  };
}
