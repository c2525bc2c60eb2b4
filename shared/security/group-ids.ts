import { SessionError } from "../metering/failure.ts";
import { GROUP_INVOCATION_ID_MAX, GROUP_INVOCATION_IDS } from "../metering/group.ts";
import { type CounterMark, leaseFrom, staleEpoch } from "./counters.ts";

/**
 * Invocation ids of group requests: one mark for all group keys of a deployment, so that no two requests share an id
 * whatever becomes of routes, titles and keys: a route that is removed and made again with the same key, or two routes
 * with one key, never meet an id twice. Group requests are few: 2^30 ids last.
 */
export interface GroupMark extends CounterMark {
  /** The latest instant that a request was given, clock ms: a clock that is put back does not put them back. */
  readonly at: number;
}

/** The mark after a request, and what the request gets. Throws `SessionError` `epoch.stale` or `group.ids-used-up`. */
export function groupIdFrom(
  was: GroupMark | undefined,
  epoch: number,
  now: number,
): { readonly next: GroupMark; readonly invocationId: number; readonly at: number } {
  const lease = leaseFrom(was, 1, epoch);
  if (lease === "stale") throw staleEpoch(-1, epoch);
  const invocationId = GROUP_INVOCATION_IDS + Number(lease.base);
  if (invocationId > GROUP_INVOCATION_ID_MAX)
    throw new SessionError("unsafe", "group.ids-used-up", "the invocation ids of group requests are used up");
  const at = Math.max(now, was?.at ?? 0);
  return { next: { ...lease.next, at }, invocationId, at };
}
