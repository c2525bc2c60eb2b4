import { eachOf } from "../jobs/concurrency.ts";
import type { Job } from "../jobs/job.ts";
import type { MeterId } from "../metering/meter.ts";
import type { SwitchStory, Timeline } from "./timeline.ts";

export interface StoryPorts {
  readonly timeline: Pick<Timeline, "of">;
  /** The product's time when the machine's clock showed this. */
  readonly productTime: (machine: number) => number;
}

const READS_MAX = 16;
const ENTRIES_MAX = 200;
/** Ends are written by bridges, whose clocks are a little apart from ours, ms. */
const MARGIN_MS = 60_000;

/** What was last seen of the switches of these meters for a job that orders them; `until`: machine clock ms. */
export async function switchStories(
  { timeline, productTime }: StoryPorts,
  { jobId, operation, createdAt }: Pick<Job, "jobId" | "operation" | "createdAt">,
  meterIds: readonly (MeterId | undefined)[],
  until: number,
): Promise<ReadonlyMap<MeterId, SwitchStory>> {
  const stories = new Map<MeterId, SwitchStory>();
  if (operation.kind !== "operateSwitch") return stories;
  const [from, to] = [productTime(createdAt) - MARGIN_MS, productTime(until) + MARGIN_MS];
  const known = meterIds.filter((meterId) => meterId !== undefined);
  await eachOf(known, READS_MAX, async (meterId) => {
    for (const entry of await timeline.of(meterId, from, to, ENTRIES_MAX)) {
      if (entry.kind !== "command" || entry.jobId !== jobId || entry.switch === undefined) continue;
      stories.set(meterId, entry.switch);
      return;
    }
  });
  return stories;
}
