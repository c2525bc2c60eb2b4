import type {
  AccessEnrolment,
  AccessItem,
  AccessStore,
  MeterFlags,
  MeterIdentities,
  SlotOwners,
} from "../jobs/access.ts";
import { planUntil } from "../metering/channel-plan.ts";
import type { Place } from "../metering/meter.ts";
import { type CounterMark, leaseFrom, staleEpoch } from "../security/counters.ts";

const keyOf = ({ segment, slot }: Place): string => `${segment}/${slot}`;

export interface MemoryAccess extends AccessStore, AccessEnrolment, MeterFlags, MeterIdentities, SlotOwners {
  /** A copy that lives on by itself: what a restore of the table would bring back. */
  copy(): MemoryAccess;
  mark(segment: number): CounterMark | undefined;
}

/** The access store in memory, for simulation and tests; each call is one atomic step. */
export function memoryAccess(
  items: ReadonlyMap<string, AccessItem> = new Map(),
  marks: ReadonlyMap<number, CounterMark> = new Map(),
): MemoryAccess {
  const itemAt = new Map(items);
  const markOf = new Map(marks);
  /** Replaces an item when the condition holds. */
  const change = (place: Place, next: (item: AccessItem) => AccessItem | undefined): boolean => {
    const item = itemAt.get(keyOf(place));
    const changed = item === undefined ? undefined : next(item);
    if (changed !== undefined) itemAt.set(keyOf(place), changed);
    return changed !== undefined;
  };
  const inUse = (place: Place): AccessItem | undefined => {
    const item = itemAt.get(keyOf(place));
    return item?.retiredAt === undefined ? item : undefined;
  };
  return {
    async createAccessItem(item) {
      const there = itemAt.get(keyOf(item));
      if (there !== undefined) return there.meterId === item.meterId ? "own" : "taken";
      itemAt.set(keyOf(item), item);
      return "created";
    },
    retire: async (place, meterId, at) =>
      change(place, (item) => {
        if (item.meterId !== meterId) return undefined;
        const { sealedKeys: _keys, attached: _connection, ...left } = item;
        return { ...left, retiredAt: at, ...(item.plan === undefined ? {} : { plan: planUntil(item.plan, at) }) };
      }),
    read: async (place) => inUse(place),
    readMany: async (segment, slots) => slots.flatMap((slot) => inUse({ segment, slot }) ?? []),
    async ownersOf(segment, slots) {
      const items = slots.flatMap((slot) => itemAt.get(keyOf({ segment, slot })) ?? []);
      return new Map(items.map(({ slot, meterId }) => [slot, meterId]));
    },
    async leaseCounters(segment, size, epoch) {
      const lease = leaseFrom(markOf.get(segment), size, epoch);
      if (lease === "stale") throw staleEpoch(segment, epoch);
      markOf.set(segment, lease.next);
      return { segment, size, epoch, base: lease.base };
    },
    raiseOffset: async (place, meterId, offset, raise) =>
      change(place, (item) =>
        item.meterId === meterId &&
        item.counterOffset < offset &&
        (raise?.was ?? item.counterOffset) === item.counterOffset
          ? {
              ...item,
              counterOffset: offset,
              offsetFloor: "unsettled",
              ...(raise === undefined ? {} : { offsetRaises: raise.raises }),
            }
          : undefined,
      ),
    settleOffset: async (place, meterId, offset, floor) =>
      change(place, (item) =>
        item.meterId === meterId && item.counterOffset === offset && item.offsetFloor === "unsettled"
          ? { ...item, offsetFloor: floor }
          : undefined,
      ),
    takeHold: async (place, owner, until, base, now) =>
      change(place, (item) =>
        item.hold === undefined || item.hold.owner === owner || item.hold.until <= now
          ? { ...item, hold: { owner, until, base } }
          : undefined,
      ),
    acceptOrder: async (place, order) =>
      change(place, (item) => (item.lastOrder <= order ? { ...item, lastOrder: order } : undefined)),
    claimCredit: async (place, by, until, now) =>
      change(place, (item) =>
        item.creditClaim === undefined || item.creditClaim.by === by || item.creditClaim.until <= now
          ? { ...item, creditClaim: { by, until } }
          : undefined,
      ),
    releaseCredit: async (place, by) =>
      change(place, (item) => {
        if (item.creditClaim?.by !== by) return undefined;
        const { creditClaim: _over, ...free } = item;
        return free;
      }),
    releaseHold: async (place, owner, base) =>
      change(place, (item) => {
        if (item.hold?.owner !== owner) return undefined;
        const { hold: _released, ...free } = item;
        return { ...free, releasedBase: base > item.releasedBase ? base : item.releasedBase };
      }),
    attach: async (place, meterId, attached, base) =>
      change(place, (item) =>
        item.meterId === meterId && (item.attachedSeq ?? 0) < attached.seq && item.releasedBase <= base
          ? { ...item, attached, attachedSeq: attached.seq, releasedBase: base }
          : undefined,
      ),
    identify: async (place, meterId, identity) =>
      change(place, (item) =>
        item.meterId === meterId && (item.identity?.at ?? -1) < identity.at ? { ...item, identity } : undefined,
      ),
    setFlags: async (place, meterId, flags) =>
      change(place, (item) => (item.meterId === meterId ? { ...item, flags } : undefined)),
    detach: async (place, connection) =>
      change(place, (item) => {
        if (item.attached?.connection !== connection) return undefined;
        const { attached: _closed, ...left } = item;
        return left;
      }),
    copy: () => memoryAccess(itemAt, markOf),
    mark: (segment) => markOf.get(segment),
  };
}
