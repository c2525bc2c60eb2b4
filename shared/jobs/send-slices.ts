import type { Clock } from "../ports/clock.ts";
import { eachOf, piecesOf } from "./concurrency.ts";
import { fairShare } from "./fair-share.ts";
import type { Job, JobId } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import type { WorkItem } from "./messages.ts";
import type { Slice } from "./slice.ts";
import { advance } from "./slice-machine.ts";

const SEND_MAX = 100;
const WRITES_MAX = 16;

export const workItem = ({ jobId, segment, part, generation }: Slice, share?: string): WorkItem => ({
  v: 1,
  job: jobId,
  segment,
  part,
  generation,
  ...(share === undefined ? {} : { share }),
});

/**
 * Sends planned slices into their lanes, then notes that they were sent. A crash in between, or a bridge that was
 * quicker, is harmless: the sweep sends again what stays planned for a minute, and a message is a hint. `job`: of these
 * slices, where the caller has it; others are looked up for the share that their work counts as.
 */
export async function sendSlices(
  ports: { readonly ledger: Ledger; readonly lanes: Lanes; readonly clock: Clock },
  slices: readonly Slice[],
  job?: Job,
): Promise<void> {
  const jobs = new Map<JobId, Job | undefined>(job === undefined ? [] : [[job.jobId, job]]);
  for (const { jobId } of slices) if (!jobs.has(jobId)) jobs.set(jobId, await ports.ledger.job(jobId));
  const itemOf = (slice: Slice): WorkItem => {
    const of = jobs.get(slice.jobId);
    return workItem(slice, of && fairShare(of));
  };
  const byLane = Map.groupBy(slices, ({ lane }): Lane => lane);
  for (const [lane, ofLane] of byLane)
    for (const piece of piecesOf(ofLane, SEND_MAX)) {
      const at = ports.clock.now();
      await ports.lanes.send(lane, piece.map(itemOf));
      await eachOf(piece, WRITES_MAX, async (slice) => {
        const step = advance(slice, { input: "sent", generation: slice.generation, at });
        if (step.kind === "next") await ports.ledger.writeSlice(slice, step.slice); // a conflict: a bridge has it already
      });
    }
}
