import type { MeterId } from "../metering/meter.ts";
import type { Caller, JobId } from "./job.ts";
import type { JobRequest, SubmitOutcome } from "./submit-job.ts";

/**
 * Hints that a meter has something to say: a push came in its name that nobody has proved to be its own. Nothing of it is
 * kept but that the meter is to be read, so whoever can send in a meter's name can have it read, and nothing else.
 */
export interface Hints {
  /** Notes a hint, unless one of that meter was noted less than `HINT_EVERY_MS` before; false: it was. */
  note(meterId: MeterId, now: number): Promise<boolean>;
  /** At most so many of those that wait, in no order. */
  waiting(limit: number): Promise<readonly MeterId[]>;
  taken(meterIds: readonly MeterId[]): Promise<void>;
}

/** A meter is read for hints so often at the most, whichever bridge tasks get them. */
export const HINT_EVERY_MS = 15 * 60_000;
/** Meters that are read for hints in a minute: the others wait. */
export const HINTED_READS_MAX = 100;
/** How far back is read: what came before is for the completeness passes. */
export const HINTED_DEPTH_MS = 6 * 3_600_000;
const DEADLINE_MS = 30 * 60_000;

const HINTS: Caller = { id: "headrace", name: "hints", roles: ["analyst"] };

export interface HintedReadPorts {
  readonly hints: Hints;
  readonly clock: { now(): number };
  readonly submit: (caller: Caller, request: JobRequest) => Promise<SubmitOutcome>;
}

/**
 * Once a minute: one job reads the intervals of the meters that hints wait for, one try each, in the lane of bulk reads.
 * `now`: product time, of the range. A crash before they are marked as taken reads them once more.
 */
export async function readHinted(
  { hints, clock, submit }: HintedReadPorts,
  now: number,
): Promise<{ readonly meters: number; readonly jobId?: JobId } | undefined> {
  const meterIds = await hints.waiting(HINTED_READS_MAX);
  if (meterIds.length === 0) return undefined;
  const to = Math.floor(now / 1000) * 1000;
  const outcome = await submit(HINTS, {
    operation: { kind: "readIntervals", range: { from: to - HINTED_DEPTH_MS, to } },
    target: { kind: "meters", meterIds: [...meterIds] },
    lane: "bulk",
    deadline: clock.now() + DEADLINE_MS,
    retry: { passes: 1 },
    reason: "A push came that was not proved",
  });
  await hints.taken(meterIds); // refused too: a meter that is enrolled no more waits for nothing
  return { meters: meterIds.length, ...(outcome.kind === "accepted" ? { jobId: outcome.jobId } : {}) };
}

export function memoryHints(): Hints {
  const noted = new Map<MeterId, number>();
  const waiting = new Set<MeterId>();
  return {
    async note(meterId, now) {
      const last = noted.get(meterId);
      if (last !== undefined && now - last < HINT_EVERY_MS) return false;
      noted.set(meterId, now);
      waiting.add(meterId);
      return true;
    },
    waiting: async (limit) => [...waiting].slice(0, limit),
    async taken(meterIds) {
      for (const meterId of meterIds) waiting.delete(meterId);
    },
  };
}
