import type { ChannelPlan } from "../metering/channel-plan.ts";
import type { MeterIdentity } from "../metering/identity.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { DialRoute, RelayRoute, Route } from "../metering/route.ts";

/**
 * The access item: one a meter, read consistently before every session. Who writes what: enrolment (identity, routes,
 * sealed keys), the bridge (offsets, hold, attached), orders (lastOrder).
 */
export interface AccessItem extends Place {
  readonly meterId: MeterId;
  readonly routes: readonly Route[];
  /** Name and version of the device profile. */
  readonly profile: { readonly name: string; readonly version: number };
  /** Absent: nothing is expected of it. */
  readonly plan?: ChannelPlan;
  /** It took another meter's place then, clock ms of meters: what it counted before, it counted elsewhere. */
  readonly installedAt?: number;
  /** Taken away then: no session is begun with it, and its keys are gone. */
  readonly retiredAt?: number;
  /** 16 lower-case hex digits. */
  readonly systemTitle?: string;
  /** What it said of itself, and when, clock ms of meters; absent: it was never asked. */
  readonly identity?: MeterIdentity & { readonly at: number };
  readonly collector?: string;
  readonly cell?: string;
  /** What stops and guards know of its place. */
  readonly feeder?: string;
  readonly transformer?: string;
  /** Load that its switch usually carries; absent: not known. */
  readonly loadWatts?: number;
  /** The sealed blob (`MeterKeys`), and its version, which its encryption context binds. Absent: an open meter. */
  readonly sealedKeys?: { readonly blob: Uint8Array; readonly version: number };
  /** Signed; counter = segment mark + offset. For one key it only rises. */
  readonly counterOffset: bigint;
  /**
   * Which leases may be used with the offset, once it was raised: those at or above the floor. `unsettled`: the raise is
   * stored, but no lease taken after it is known yet (see `shared/security/counters.ts`). Absent: any lease.
   */
  readonly offsetFloor?: bigint | "unsettled";
  /** What unproved refusals have raised the offset by on one UTC day (days since 1970-01-01). */
  readonly offsetRaises?: OffsetRaises;
  readonly hold?: { readonly owner: string; readonly until: number; readonly base: bigint };
  /** Base used by the last holder: a reader below it leases again. */
  readonly releasedBase: bigint;
  readonly lastOrder: number;
  /**
   * The order that may have put credit into the meter, as long as nobody knows whether it has; until then (machine clock ms) no
   * other puts any in, for what the meter shows would be of both. Absent: there is none.
   */
  readonly creditClaim?: { readonly by: string; readonly until: number };
  readonly attached?: Attached;
  /** `seq` of the newest connection that there ever was; absent: none. */
  readonly attachedSeq?: number;
  readonly flags: { readonly medical: boolean; readonly priority: boolean; readonly moratorium: boolean };
}

/** Where a meter is that comes by itself: written when it was authenticated there, removed when it closes. */
export type Attached = Where & {
  /** 32 hex digits, drawn when it was authenticated. */
  readonly connection: string;
  /** Rises with every connection or new address of the meter: the newest wins. */
  readonly seq: number;
};

/** By the connection that the meter itself holds, or at the address that it registered (C12.22). */
export type Where =
  | {
      /** The bridge task that has the socket: unique to one run of it. */
      readonly task: string;
      /** Where other tasks ask that one for a byte pipe: `host:port`. */
      readonly address: string;
    }
  | {
      readonly route: DialRoute | RelayRoute;
      /** The registration ends then, meter time. */
      readonly until: number;
    };

export interface OffsetRaises {
  readonly day: number;
  readonly sum: bigint;
}

/** One atomic add on the segment's mark: [base, base + size) belongs to the holder, for every meter of the segment. */
export interface CounterLease {
  readonly segment: number;
  readonly base: bigint;
  readonly size: number;
  readonly epoch: number;
}

/** What a bridge does to access items; the adapter holds keys and conditions in one file. */
export interface AccessStore {
  /** Strongly consistent; undefined: no such slot, or its meter is retired. */
  read(place: Place): Promise<AccessItem | undefined>;
  /** Strongly consistent, in batches; slots that do not exist, and those of retired meters, are left out. */
  readMany(segment: number, slots: readonly number[]): Promise<readonly AccessItem[]>;
  /** Throws `SessionError("internal", "epoch.stale", …)` when `epoch` is not the active one. */
  leaseCounters(segment: number, size: number, epoch: number): Promise<CounterLease>;
  /**
   * Stored before use, and unsettled until `settleOffset`; refuses (false) to lower the offset, or when it is not `was`
   * any more. `raises` is stored beside it.
   */
  raiseOffset(
    place: Place,
    meterId: MeterId,
    offset: bigint,
    change?: { readonly was: bigint; readonly raises: OffsetRaises },
  ): Promise<boolean>;
  /** Ends the unsettled state of this offset. `floor`: base of a lease taken after the raise was seen stored. */
  settleOffset(place: Place, meterId: MeterId, offset: bigint, floor: bigint): Promise<boolean>;
  /** Takes or renews a hold; false: another owner's hold is live at `now`. */
  takeHold(place: Place, owner: string, until: number, base: bigint, now: number): Promise<boolean>;
  /**
   * An order of this number was accepted for the meter; false: a newer one was, or there is no such slot. The same again
   * is harmless.
   */
  acceptOrder(place: Place, order: number): Promise<boolean>;
  /** Claims the credit of the meter for an order, before its intent is written; false: another's claim is live at `now`. */
  claimCredit(place: Place, by: string, until: number, now: number): Promise<boolean>;
  /** Ends this order's own claim; false: it has none. */
  releaseCredit(place: Place, by: string): Promise<boolean>;
  /** Writes the base used. Only the owner's own hold; false: it was no longer held. */
  releaseHold(place: Place, owner: string, base: bigint): Promise<boolean>;
  /**
   * Says that the meter is here now. `base`: of the lease under which it was proved; it is written as the
   * released base, so that a reader below it leases again. False: another connection is as new or newer, a higher base
   * was released meanwhile, or the slot is another's.
   */
  attach(place: Place, meterId: MeterId, attached: Attached, base: bigint): Promise<boolean>;
  /** Removes the entry of this connection, by its owner or by who found it stale; false: it is not there any more. */
  detach(place: Place, connection: string): Promise<boolean>;
}

/** What meters say of themselves. */
export interface MeterIdentities {
  /** False: the slot is another's, or the meter has said something since. */
  identify(place: Place, meterId: MeterId, identity: MeterIdentity & { readonly at: number }): Promise<boolean>;
}

/** What people say of who lives behind a meter. */
export interface MeterFlags {
  /** False: the slot is another's. */
  setFlags(place: Place, meterId: MeterId, flags: AccessItem["flags"]): Promise<boolean>;
}

/** Whose slots were given; a slot is for life, and outlives its meter. */
export interface SlotOwners {
  /** Retired meters too; slots that were never given are left out. */
  ownersOf(segment: number, slots: readonly number[]): Promise<ReadonlyMap<number, MeterId>>;
}

/** What enrolment does to access items. */
export interface AccessEnrolment {
  /** If absent: this is the slot allocation. `own`: the slot is this meter's already; `taken`: another's, try the next. */
  createAccessItem(item: AccessItem): Promise<"created" | "own" | "taken">;
  /**
   * Ends the meter's plan at `at` (clock ms of meters), takes its keys and connection away, and says that it is retired.
   * The same again is harmless. False: the slot is another's.
   */
  retire(place: Place, meterId: MeterId, at: number): Promise<boolean>;
}
