import type { Lane } from "./lane.ts";
import type { WorkItem } from "./messages.ts";

/** The sending side of the lanes. A message is a hint: sending one twice is harmless. */
export interface Lanes {
  /** Throws when one of the messages was not accepted; the others may have been sent. */
  send(lane: Lane, items: readonly WorkItem[]): Promise<void>;
}

/** Starts the planner without waiting for it. The sweep finishes what was started and never planned. */
export interface Planner {
  start(jobId: string): Promise<void>;
}
