import { type Place, SEGMENT_SLOTS } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";
import { awaitsApproval } from "./approval.ts";
import { cancelJob, cancelSlice } from "./cancel-job.ts";
import { collected, eachOf, piecesOf } from "./concurrency.ts";
import { GROUP_PART, GROUP_SEGMENT, isGroupSlice } from "./group-request.ts";
import type { Job } from "./job.ts";
import { byRule } from "./job-step.ts";
import type { Lanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import { acceptOrders, type Orders, supersedes } from "./orders.ts";
import { hasOpen } from "./outcomes.ts";
import { partitionsOf } from "./partitions.ts";
import { besides, otherWaysOf, partsOf } from "./parts.ts";
import { type People, standingOf } from "./people.ts";
import { awaitedState, mayBeHeld, releaseOf, startOf, windowEnd } from "./release.ts";
import { sendSlices } from "./send-slices.ts";
import type { Slice, SliceKey } from "./slice.ts";
import { SEND_WAIT_MS } from "./slice-machine.ts";
import { noSlots, setSlot, slotState, slotsIn } from "./slots.ts";
import { type SegmentMembers, slotsOfBitmap, type Targets } from "./targets.ts";
import { endedTasks } from "./tasks-of.ts";

export interface PlanPorts {
  readonly ledger: Ledger;
  readonly lanes: Lanes;
  readonly targets: Targets;
  /** Where orders of meters are accepted; absent: only reads are planned. */
  readonly orders?: Orders;
  /** Absent: what had to be approved is not started here. */
  readonly people?: People;
  readonly clock: Clock;
}

const WRITES_MAX = 16;

/** The sets of slots that a job is about now, unless it names its meters. A segment may come more than once. */
export function membersOf(
  ports: Pick<PlanPorts, "ledger" | "targets">,
  { target, filter, groupRoute }: Pick<Job, "target" | "filter" | "groupRoute">,
): AsyncIterable<SegmentMembers> {
  switch (target.kind) {
    case "meters":
      return nobody();
    case "tasksOf":
      return endedTasks(ports.ledger, target);
    case "query":
      return filter === undefined ? nobody() : ports.targets.members({ kind: "filter", filter });
    case "groupRoute":
      return groupRoute === undefined ? nobody() : ports.targets.members(groupRoute.members);
    default:
      return ports.targets.members(target);
  }
}
async function* nobody(): AsyncGenerator<never> {}

/** The segments and slots that a job is about, and the meters that it cannot be about. */
async function freeze(
  ports: PlanPorts,
  job: Job,
): Promise<{ readonly segments: readonly SegmentMembers[]; readonly rejected?: Job["rejected"] }> {
  const { target } = job;
  if (target.kind !== "meters") {
    const segments = new Map<number, Uint8Array>();
    for await (const { segment, bitmap } of membersOf(ports, job)) {
      const there = segments.get(segment);
      segments.set(segment, there === undefined ? bitmap : there.map((octet, at) => octet | (bitmap[at] ?? 0)));
    }
    const some = [...segments].filter(([, bitmap]) => bitmap.some((octet) => octet !== 0));
    return { segments: some.map(([segment, bitmap]) => ({ segment, bitmap })) };
  }
  const meterIds = [...new Set(target.meterIds)];
  const places = await ports.targets.places(meterIds);
  const bySegment = Map.groupBy(places.values(), ({ segment }) => segment);
  const rejected = meterIds
    .filter((meterId) => !places.has(meterId))
    .map((meterId) => ({ meterId, reason: "unknown or not enrolled" }));
  return {
    segments: [...bySegment].map(([segment, placed]) => ({ segment, bitmap: bitmapOf(placed) })),
    ...(rejected.length === 0 ? {} : { rejected }),
  };
}

const bitmapOf = (places: readonly Place[]): Uint8Array => {
  const bitmap = new Uint8Array(SEGMENT_SLOTS / 8);
  for (const { slot } of places) bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7));
  return bitmap;
};

const sliceOf = (job: Job, key: Omit<SliceKey, "jobId">, open: Iterable<number>, now: number): Slice => {
  const { jobId, lane, deadline } = job;
  const slots = noSlots();
  for (const slot of open) setSlot(slots, slot, "open");
  const start = startOf(job, { jobId, ...key });
  const nextAttempt = start > now ? start : now + SEND_WAIT_MS;
  const counts = { generation: 1, version: 1, passes: 0, uncleanEnds: 0 };
  return { jobId, ...key, state: "planned", lane, slots, deadline, ...counts, nextAttempt };
};
const sliceFor = (job: Job, { segment, bitmap }: SegmentMembers, part: number, now: number): Slice =>
  sliceOf(job, { segment, part }, slotsOfBitmap(bitmap), now);
/** The slice of the fan-out points; past the window none of them is worth a message. */
const groupSliceFor = (job: Job, points: number, now: number): Slice => {
  const slice = sliceOf(job, { segment: GROUP_SEGMENT, part: GROUP_PART }, Array(points).keys(), now);
  return { ...slice, deadline: Math.min(job.deadline, windowEnd(job)) };
};

/**
 * Takes a job from wherever it stopped to `running` with every slice sent that starts by now: slices if absent →
 * `planned` → `running` → send; later starts are the sweep's. A job that waits (for its time, or for another job) stays
 * `planned`. Every prefix is harmless, and running it again (twice at once, too) finishes it. Answers the job as it is then.
 */
export async function planJob(ports: PlanPorts, given: Job): Promise<Job> {
  let job = given;
  /** Whoever accepted the job may have a clock that is ahead of ours: it was not accepted in the future. */
  const clockNow = (): number => Math.max(ports.clock.now(), given.createdAt);
  const move = async (change: Partial<Job> & { readonly state: Job["state"] }): Promise<boolean> => {
    const written = (await ports.ledger.moveJob(job.jobId, job.state, change)) === "written";
    job = written ? { ...job, ...change } : ((await ports.ledger.job(job.jobId)) ?? job);
    return written;
  };
  const waiting: Slice[] = [];
  if (job.state === "planning") {
    const { segments, rejected } = await freeze(ports, job);
    const single = job.target.kind === "meters" && job.target.meterIds.length === 1;
    // An answer to a group names its meter, not its part: of a group job a segment has one slice.
    const whole = single || job.groupRoute !== undefined;
    const others = whole ? undefined : await otherWaysOf(ports.targets.otherWays?.() ?? nobody());
    let resumed = false;
    if (job.groupRoute !== undefined && segments.length > 0) {
      const slice = groupSliceFor(job, job.groupRoute.points, clockNow());
      if ((await ports.ledger.createSlice(slice)) === "created") waiting.push(slice);
      else resumed = true;
    }
    await eachOf(segments, WRITES_MAX, async (target) => {
      const there: Slice[] = [];
      for (const part of partsOf(target, others?.get(target.segment))) {
        const { bitmap } = there.reduce(besides, part);
        const slice = sliceFor(job, { segment: part.segment, bitmap }, part.part, clockNow());
        if (!hasOpen(slice.slots)) continue;
        // What lies there was accepted before it was written: a planner that goes on does not begin from the start.
        if (supersedes(job) && !awaitsApproval(job) && (await ports.ledger.slice(slice)) === undefined)
          await acceptOrders(ports.orders, job, { segment: part.segment, bitmap });
        if ((await ports.ledger.createSlice(slice)) === "created") waiting.push(slice);
        else {
          resumed = true;
          const stored = await ports.ledger.slice(slice);
          if (stored !== undefined) there.push(stored);
        }
      }
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
    await move({ state: stored.length === 1 && !mayBeHeld(job) ? "running" : "planned", ...planned });
  }
  const kept = await keptBack(ports, job); // asked before the slices of a planned job are read: it may wait for long
  if (kept !== undefined) return kept;
  if (given.state === "planned")
    for await (const slice of ports.ledger.slicesOf(job.jobId)) if (slice.state === "planned") waiting.push(slice);
  // What nobody had approved must not have superseded anything.
  if (job.state === "planned" && job.approval !== undefined && supersedes(job))
    await eachOf(waiting, WRITES_MAX, async ({ segment, slots }) => {
      const bitmap = bitmapOf(slotsIn(slots, "open").map((slot) => ({ segment, slot })));
      await acceptOrders(ports.orders, job, { segment, bitmap });
    });
  if (job.state === "planned") {
    const empty = waiting.length === 0 && job.slices === 0;
    await move(empty ? { state: "closed", closedAt: ports.clock.now() } : { state: "running" });
  }
  if (job.state !== "running") {
    if (job.state === "paused") return job; // its slices lie there, planned, until it is resumed
    // Cancelled meanwhile: the sweep may have gone by before these slices were there.
    await eachOf(waiting, WRITES_MAX, async (slice) => void (await cancelSlice(ports.ledger, slice)));
    return job;
  }
  const now = clockNow();
  if (now >= job.deadline) return job; // nothing of it is worth a message: the sweep lets it expire
  const starting = waiting.filter((slice) => startOf(job, slice) <= now);
  for (const piece of piecesOf(starting, 1000)) await sendSlices(ports, piece, job);
  return job;
}

/** The job as it is then, where it waits on or was dropped for what it waited for; undefined: it may be sent. */
async function keptBack(ports: PlanPorts, job: Job): Promise<Job | undefined> {
  if (job.state !== "planned") return undefined;
  const dropped = async (because: string): Promise<Job> => {
    await cancelJob(ports, job.jobId, byRule(because), "dropped");
    return (await ports.ledger.job(job.jobId)) ?? job;
  };
  if (mayBeHeld(job)) {
    const awaited = job.after === undefined ? undefined : await awaitedState(ports.ledger, job.after.jobId);
    const release = releaseOf(job, ports.clock.now(), awaited);
    if (release.kind === "wait") return job;
    if (release.kind === "drop") return dropped(release.because);
  }
  // Roles are checked when it is approved and when it starts: somebody may have left in between.
  if (job.approval === undefined || job.test === true || ports.clock.now() >= job.deadline) return undefined;
  const standing = await standingOf(ports.people, job);
  if (standing.kind === "gone") return dropped(standing.because);
  return standing.kind === "doubt" ? job : undefined;
}

/** Tasks of meters: that a fan-out point was served is none. */
const targetedIn = (slice: Slice): number => {
  if (isGroupSlice(slice)) return 0;
  let targeted = 0;
  for (let slot = 0; slot < slice.slots.length; slot++) if (slotState(slice.slots, slot) !== "untargeted") targeted++;
  return targeted;
};
