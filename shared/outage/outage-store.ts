import type { ElectricalNode } from "./electrical-tree.ts";
import type { FeederRecord, Outage, OutageId, OutageState } from "./outage.ts";

/** Meters of a segment of which news of their supply came, until a pass has looked at them. */
export interface PowerNews {
  readonly segment: number;
  readonly slots: readonly number[];
  /** As it was read: what comes later keeps it. */
  readonly version: number;
}

/** What was told of an outage, in the order in which it was told; the same state is the same event, told once or again. */
export interface OutageEvent {
  /** Where the rest begins. Rises as text. */
  readonly cursor: string;
  readonly eventId: string;
  readonly state: OutageState;
  /** As it then was. */
  readonly outage: Outage;
}

/** The electrical tree. */
export interface ElectricalNodes {
  nodesOf(feeder: string): Promise<readonly ElectricalNode[]>;
  /** Each in the place of what there is of its name at the feeder. */
  putNodes(nodes: readonly ElectricalNode[]): Promise<void>;
  dropNode(feeder: string, node: string): Promise<boolean>;
}

/** Outages as stored. Keys live in `functions/adapters/dynamo-outages.ts`. */
export interface OutageStore {
  /** The same slots again are the same news. */
  noteNews(segment: number, slots: readonly number[]): Promise<void>;
  news(): Promise<readonly PowerNews[]>;
  /** Unless more has come since. */
  dropNews(news: PowerNews): Promise<void>;
  /** Strongly consistent. */
  record(feeder: string): Promise<FeederRecord>;
  /** Conditional on the version that it has; written as the next one. */
  writeRecord(record: FeederRecord): Promise<"written" | "conflict">;
  /** Feeders that are looked at in each pass. */
  waiting(): Promise<readonly string[]>;
  setWaiting(feeder: string, waits: boolean): Promise<void>;
  /** May be repeated; an older version changes nothing. Answers whether this version tells its state, now or at an earlier try. */
  publish(outage: Outage, at: number): Promise<boolean>;
  outage(outageId: OutageId): Promise<Outage | undefined>;
  /** Those that began within [from, to], newest first. */
  within(from: number, to: number, limit: number): Promise<readonly Outage[]>;
  /** What was told after the cursor, oldest first. */
  events(after: string, limit: number, now: number): Promise<readonly OutageEvent[]>;
}

/** States that are told to others; `suspected` never is. */
export const TOLD_STATES: ReadonlySet<OutageState> = new Set([
  "confirmed",
  "restoring",
  "restored",
  "withdrawn",
  "merged",
]);

/** Whether this state is to be told, after those that were: what became of an outage that was never told is no news. */
export const isTold = (state: OutageState, before: readonly OutageState[]): boolean =>
  TOLD_STATES.has(state) && !before.includes(state) && (state === "confirmed" || before.length > 0);
/** Whether a version tells its state: for the first time, or as the last one that was published, once more. */
export const tellsAgain = (
  { state, version }: Outage,
  there: { readonly version: number; readonly told: readonly OutageState[] } | undefined,
): boolean =>
  isTold(state, there?.told ?? []) || (there !== undefined && there.version === version && there.told.includes(state));
export const eventIdOf = ({ outageId, state }: Outage): string => `${outageId}-${state}`;
/** Text that rises with the instant. */
export const cursorOf = (at: number, eventId: string): string => `${String(at).padStart(14, "0")}#${eventId}`;
