import type { Membership } from "../../shared/events/subscription.ts";
import type { MeterId } from "../../shared/metering/meter.ts";
import type { Registry } from "../../shared/registry/registry.ts";

/** A meter that moves is seen at its new place after so long, ms; so many meters are kept. */
const KEPT_MS = 600_000;
const KEPT_MAX = 50_000;

/** Where meters belong, looked up in one read for those that were not asked for lately. */
export function keptMemberships(registry: Pick<Registry, "meters">, now: () => number) {
  const kept = new Map<MeterId, { readonly at: number; readonly membership: Membership | undefined }>();
  return async (meterIds: readonly MeterId[]): Promise<ReadonlyMap<MeterId, Membership>> => {
    const at = now();
    const unknown = meterIds.filter((meterId) => at - (kept.get(meterId)?.at ?? Number.NEGATIVE_INFINITY) >= KEPT_MS);
    const found: Awaited<ReturnType<Registry["meters"]>> =
      unknown.length === 0 ? new Map() : await registry.meters(unknown);
    for (const meterId of unknown) {
      const registered = found.get(meterId);
      const { groups, feeder } = registered?.meter.memberships ?? { groups: [], feeder: undefined };
      const membership = registered && { segment: registered.place.segment, groups, feeder };
      kept.delete(meterId); // the newest go last
      kept.set(meterId, { at, membership });
    }
    const answer = new Map<MeterId, Membership>();
    for (const meterId of meterIds) {
      const membership = kept.get(meterId)?.membership;
      if (membership !== undefined) answer.set(meterId, membership);
    }
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_MAX) break;
      kept.delete(oldest);
    }
    return answer;
  };
}
