import type { AccessItem } from "../jobs/access.ts";
import type { Cell, Column, Row } from "../ports/columnar.ts";
import type { RegisteredMeter } from "./registered-meter.ts";
import type { Segments } from "./registry.ts";

/** Segments of one fleet file. */
export const FILE_SEGMENTS = 64;
export const fleetFileOf = (segment: number): number => Math.floor(segment / FILE_SEGMENTS);

const column = (name: string, type: Column["type"], of: (meter: RegisteredMeter, access: AccessItem) => Cell) => ({
  name,
  type,
  of,
});

/** The slow facts of an enrolled meter, a column each: what a fleet file holds, and how each is told from meter and access item. */
const FLEET_COLUMNS = [
  column("segment", "integer", ({ place }) => place.segment),
  column("slot", "integer", ({ place }) => place.slot),
  column("meterId", "text", ({ meter }) => meter.meterId),
  column("serial", "text", ({ meter }) => meter.serial),
  column("commodity", "text", ({ meter }) => meter.commodity),
  column("profile", "text", ({ meter }) => meter.profile),
  column("profileVersion", "integer", (_, { profile }) => profile.version),
  column("systemTitle", "text", ({ meter }) => meter.systemTitle),
  column("route", "text", ({ meter }) => meter.routes[0]?.kind),
  /** A blank between names. */
  column("groups", "text", ({ meter }) => meter.memberships.groups.join(" ")),
  column("feeder", "text", ({ meter }) => meter.memberships.feeder),
  column("transformer", "text", ({ meter }) => meter.memberships.transformer),
  column("collector", "text", ({ meter }) => meter.memberships.collector),
  column("cell", "text", ({ meter }) => meter.memberships.cell),
  column("servicePoint", "text", ({ meter }) => meter.servicePoint),
  column("latitude", "double", ({ meter }) => meter.location?.latitude),
  column("longitude", "double", ({ meter }) => meter.location?.longitude),
  column("keyVersion", "integer", (_, { sealedKeys }) => sealedKeys?.version),
  column("firmware", "text", (_, { identity }) => identity?.firmware),
  column("program", "text", (_, { identity }) => identity?.program),
  column("enrolledAt", "instant", ({ enrolledAt }) => enrolledAt),
] as const;

export const FLEET_FILE_COLUMNS: readonly Column[] = FLEET_COLUMNS.map(({ name, type }) => ({ name, type }));
export const fleetRow = (meter: RegisteredMeter, access: AccessItem): Row =>
  FLEET_COLUMNS.map(({ of }) => of(meter, access));

/** That something of a segment's meters has changed. */
export interface FleetMark {
  readonly segment: number;
  /** Rises with every change. */
  readonly changes: number;
  /** When the first and the last change was noted since the segment was indexed, clock ms. */
  readonly since: number;
  readonly at: number;
}

/** Kind (`profile`, …) → value → meters. */
export type FleetMix = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Where the slow facts of 64 segments lie. */
export interface FleetFile {
  readonly file: number;
  /** What readers read; absent: it was never built. */
  readonly current?: {
    /** An immutable object. */
    readonly object: string;
    /** What was stored at this instant is in it, clock ms. */
    readonly asOf: number;
    readonly meters: number;
    readonly mix: FleetMix;
  };
  /** The one before, which somebody may still be reading. */
  readonly previous?: string | undefined;
}

/** Marks and pointers. Keys live in `functions/adapters/dynamo-fleet-files.ts`. */
export interface FleetFiles {
  /** A change of a segment's meters, after it was written. */
  mark(segment: number, at: number): Promise<void>;
  marks(): Promise<readonly FleetMark[]>;
  /** Unless something has changed since. */
  clear(mark: FleetMark): Promise<void>;
  /** Strongly consistent, ascending. */
  files(): Promise<readonly FleetFile[]>;
  /** Takes the file for itself until then; undefined: somebody else has it. */
  lease(file: number, owner: string, now: number, until: number): Promise<FleetFile | undefined>;
  /** Turns the pointer and gives the lease back, if it is still the owner's. */
  publish(file: FleetFile, owner: string): Promise<"written" | "lost">;
}

/** Segments whose changes are marked: what enrols meters or changes their groups goes through here. */
export const marking = (
  segments: Segments,
  files: Pick<FleetFiles, "mark">,
  clock: { readonly now: () => number },
): Segments => ({
  ...segments,
  async changeMembers(set, segment, add, remove) {
    await segments.changeMembers(set, segment, add, remove);
    // Each meter that changes is in the set of all, or changes a group; of the other sets nothing is said twice.
    if (set.kind === "all" || set.kind === "group") await files.mark(segment, clock.now());
  },
});
