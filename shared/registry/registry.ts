import type { OtherWay } from "../jobs/parts.ts";
import type { SegmentMembers } from "../jobs/targets.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { MemberSet } from "./member-sets.ts";
import type { RegisteredMeter } from "./registered-meter.ts";

/** A name that only one meter may have; of a service point: the one that hangs there now. */
export interface ClaimName {
  readonly kind: "title" | "serial" | "service-point";
  readonly value: string;
}

export interface Claim {
  readonly meterId: MeterId;
  /** Clock ms. */
  readonly at: number;
}

/** Meters and their claims. Keys of the items live in `functions/adapters/dynamo-registry.ts`. */
export interface Registry {
  /** Strongly consistent; unknown ones are left out. */
  meters(meterIds: readonly MeterId[]): Promise<ReadonlyMap<MeterId, RegisteredMeter>>;
  /** If absent. */
  createMeter(meter: RegisteredMeter): Promise<"created" | "exists">;
  /** Conditional on `was.version`; the adapter writes `next` with `was.version + 1`. */
  writeMeter(was: RegisteredMeter, next: RegisteredMeter): Promise<"written" | "conflict">;
  /** Strongly consistent, in the order asked; undefined: nobody's. */
  claims(names: readonly ClaimName[]): Promise<readonly (Claim | undefined)[]>;
  /** If absent, or if it still is `over`. */
  claim(name: ClaimName, claim: Claim, over?: Claim): Promise<"claimed" | "taken">;
}

/** Segments, slots and sets. */
export interface Segments {
  /**
   * Slots that nobody else is given, in segments of this way in, each segment filled up to `fillTo` of its 1,024. What
   * is reserved and not used is a gap, which is harmless.
   */
  reserve(wayIn: string, count: number, fillTo: number): Promise<readonly Place[]>;
  changeMembers(set: MemberSet, segment: number, add: readonly number[], remove?: readonly number[]): Promise<void>;
  /** Ascending by segment, strongly consistent. */
  members(set: MemberSet, from?: number): AsyncIterable<SegmentMembers>;
  /** Says by which way in a meter is reached; kept only where its segment is not one of that way in. */
  noteWayIn(wayIn: string, place: Place): Promise<void>;
  /** What was kept of that: planning makes parts of it. */
  otherWays(): AsyncIterable<OtherWay>;
}

/** Device profiles of the deployment. A version never changes. */
export interface Profiles {
  /** The newest version; undefined: there is none of that name. */
  latest(name: string): Promise<DeviceProfile | undefined>;
  version(name: string, version: number): Promise<DeviceProfile | undefined>;
  list(): Promise<readonly DeviceProfile[]>;
  /** If absent. */
  add(profile: DeviceProfile): Promise<"added" | "exists">;
}
