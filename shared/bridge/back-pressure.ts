import type { Lane } from "../jobs/lane.ts";
import type { Clock } from "../ports/clock.ts";

/** Messages waiting for ingest up to which bridges work at full strength: a batch has up to a hundred tasks. */
export const RESULTS_CALM = 500;
/** From here on the lower lanes receive nothing. */
export const RESULTS_FULL = 5_000;
/** How often the results queue is asked, ms. */
export const LOOK_MS = 5_000;

/**
 * Back-pressure is not receiving. When ingest lags, the lower lanes keep fewer slices open, down to none, so that
 * results wait in meters rather than in a queue; what people wait for (commands, interactive) goes on.
 */
export function openWhile(lane: Lane, most: number, resultsWaiting: number): number {
  if (lane === "commands" || lane === "interactive" || resultsWaiting <= RESULTS_CALM) return most;
  const share = (RESULTS_FULL - resultsWaiting) / (RESULTS_FULL - RESULTS_CALM);
  return share <= 0 ? 0 : Math.max(1, Math.floor(most * share));
}

export interface IngestLag {
  /** Messages that waited for ingest when the queue was last asked. */
  readonly waiting: number;
}

/** Asks until the signal aborts; an answer that fails leaves what was known. */
export function watchIngest(ask: () => Promise<number>, clock: Clock, stop: AbortSignal): IngestLag {
  const lag = { waiting: 0 };
  const watch = async (): Promise<void> => {
    while (!stop.aborted) {
      const waiting = await ask().catch(() => undefined);
      if (waiting !== undefined) lag.waiting = waiting;
      await clock.sleep(LOOK_MS, stop).catch(() => undefined);
    }
  };
  void watch();
  return lag;
}
