import type { Clock } from "../ports/clock.ts";
import { cancelSlice } from "./cancel-job.ts";
import { collected, eachOf, piecesOf } from "./concurrency.ts";
import type { Job } from "./job.ts";
import type { Lanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import { partitionsOf } from "./partitions.ts";
import { sendSlices } from "./send-slices.ts";
import type { Slice } from "./slice.ts";
import { SEND_WAIT_MS } from "./slice-machine.ts";
import { noSlots, setSlot, slotState } from "./slots.ts";
import { slotsOfBitmap, type Targets } from "./targets.ts";

export interface PlanPorts {
  readonly ledger: Ledger;
  readonly lanes: Lanes;
  readonly targets: Targets;
  readonly clock: Clock;
}

const WRITES_MAX = 16;

interface SegmentTarget {
  readonly segment: number;
  readonly slots: readonly number[];
}

/** The segments and slots that a job is about, and the meters that it cannot be about. */
async function freeze(
  ports: PlanPorts,
  { target }: Job,
): Promise<{ readonly segments: readonly SegmentTarget[]; readonly rejected?: Job["rejected"] }> {
  if (target.kind !== "meters") {
    const segments: SegmentTarget[] = [];
    for await (const { segment, bitmap } of ports.targets.members(target))
      segments.push({ segment, slots: slotsOfBitmap(bitmap) });
    return { segments: segments.filter(({ slots }) => slots.length > 0) };
  }
  const meterIds = [...new Set(target.meterIds)];
  const places = await ports.targets.places(meterIds);
  const bySegment = Map.groupBy(places.values(), ({ segment }) => segment);
  const rejected = meterIds
    .filter((meterId) => !places.has(meterId))
    .map((meterId) => ({ meterId, reason: "unknown or not enrolled" }));
  return {
    segments: [...bySegment].map(([segment, placed]) => ({ segment, slots: placed.map(({ slot }) => slot) })),
    ...(rejected.length === 0 ? {} : { rejected }),
  };
}

const sliceFor = (job: Job, { segment, slots: targeted }: SegmentTarget, now: number): Slice => {
  const slots = noSlots();
  for (const slot of targeted) setSlot(slots, slot, "open");
  const key = { jobId: job.jobId, segment, part: 0 };
  const start = { generation: 1, version: 1, passes: 0, uncleanEnds: 0, nextAttempt: now + SEND_WAIT_MS };
  return { ...key, state: "planned", lane: job.lane, slots, deadline: job.deadline, ...start };
};

/**
 * Takes a job from wherever it stopped to `running` with every slice sent: slices if absent → `planned` → `running` →
 * send. Every prefix is harmless, and running it again (twice at once, too) finishes it. Answers the job as it is then.
 */
export async function planJob(ports: PlanPorts, given: Job): Promise<Job> {
  let job = given;
  const move = async (change: Partial<Job> & { readonly state: Job["state"] }): Promise<boolean> => {
    const written = (await ports.ledger.moveJob(job.jobId, job.state, change)) === "written";
    job = written ? { ...job, ...change } : ((await ports.ledger.job(job.jobId)) ?? job);
    return written;
  };
  const waiting: Slice[] = [];
  if (job.state === "planning") {
    const { segments, rejected } = await freeze(ports, job);
    let resumed = false;
    await eachOf(segments, WRITES_MAX, async (target) => {
      const slice = sliceFor(job, target, ports.clock.now());
      if ((await ports.ledger.createSlice(slice)) === "created") waiting.push(slice);
      else resumed = true;
    });
    // What lies there counts, not what the target would be today: an interrupted planner may have frozen more.
    if (resumed) waiting.length = 0;
    const stored = resumed ? await collected(ports.ledger.slicesOf(job.jobId)) : waiting;
    const tasks = stored.reduce((sum, slice) => sum + targetedIn(slice), 0);
    if (resumed) waiting.push(...stored.filter(({ state }) => state === "planned"));
    const planned = {
      slices: stored.length,
      tasks,
      partitions: partitionsOf(stored.map(({ segment }) => segment)),
      ...(rejected === undefined ? {} : { rejected }),
    };
    // A job of one slice goes on at once; nothing is between the two states for it.
    await move({ state: stored.length === 1 ? "running" : "planned", ...planned });
  } else if (job.state === "planned")
    for await (const slice of ports.ledger.slicesOf(job.jobId)) if (slice.state === "planned") waiting.push(slice);
  if (job.state === "planned") {
    const empty = waiting.length === 0 && job.slices === 0;
    await move(empty ? { state: "closed", closedAt: ports.clock.now() } : { state: "running" });
  }
  if (job.state !== "running") {
    // Cancelled meanwhile: the sweep may have gone by before these slices were there.
    await eachOf(waiting, WRITES_MAX, async (slice) => void (await cancelSlice(ports.ledger, slice)));
    return job;
  }
  for (const piece of piecesOf(waiting, 1000)) await sendSlices(ports, piece);
  return job;
}

const targetedIn = (slice: Slice): number => {
  let targeted = 0;
  for (let slot = 0; slot < slice.slots.length; slot++) if (slotState(slice.slots, slot) !== "untargeted") targeted++;
  return targeted;
};
