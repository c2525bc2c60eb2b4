import { awaitsApproval } from "./approval.ts";
import { cancelSlice } from "./cancel-job.ts";
import { closeJobIfDone } from "./close-job.ts";
import { eachOf, piecesOf } from "./concurrency.ts";
import { fairShare } from "./fair-share.ts";
import { hasIntent, intendedIn, intentOf } from "./intents.ts";
import type { Job, JobId } from "./job.ts";
import type { Lane } from "./lane.ts";
import { partitionsIn } from "./partitions.ts";
import { type PlanPorts, planJob } from "./plan-job.ts";
import { EXACT_SLICES, partitionTallies, SPLIT_PART, tallyOf } from "./progress.ts";
import { mayBeHeld } from "./release.ts";
import { afterTurn, nextToCount } from "./rotation.ts";
import { sendSlices } from "./send-slices.ts";
import type { Slice, SliceKey } from "./slice.ts";
import { DUE_SHARDS, dueAt, MINUTE_MS } from "./slice-due.ts";
import { advance, SEND_WAIT_MS } from "./slice-machine.ts";
import { noSlots, setSlot, slotReason, slotState, slotsIn } from "./slots.ts";

export interface SweepFacts {
  /** Jobs that were not closed when the sweep began. */
  live: number;
  /** Slices that were looked at because they are due. */
  due: number;
  /** Slices that were read for the progress of their jobs. */
  counted: number;
  sent: number;
  split: number;
  /** Slices whose last open tasks the sweep ended. */
  ended: number;
  /** Somebody else wrote first. */
  conflicts: number;
  /** Effects of which nobody could tell in time whether they happened. An alarm. */
  unverified: number;
  planned: number;
  closedJobs: number;
}

const QUERIES_MAX = 16;
const SLICES_MAX = 32;
const JOBS_MAX = 8;
/** Looked at again each time: the index is eventual, and clocks differ by seconds. */
const LOOK_BACK_MS = 2 * MINUTE_MS;
/** A planner that was invoked is given so long before the sweep plans itself. */
const PLANNER_WAIT_MS = 2 * MINUTE_MS;

export interface SweepPorts extends PlanPorts {
  /** Told of orders that nobody looks for any more, after that is written; absent: nobody wants to know. */
  readonly givenUp?: (job: Job, segment: number, slots: readonly number[]) => Promise<void>;
}

/**
 * Once a minute: resends what is provably lost or due, never what merely waits; ends what is past its deadline; finishes
 * what stopped half-way; derives each live job's progress and closes the jobs whose slices are all closed. Running twice
 * at once is harmless: every decision is one conditional write.
 */
export async function sweepLedger(ports: SweepPorts): Promise<SweepFacts> {
  const facts: SweepFacts = {
    live: 0,
    due: 0,
    counted: 0,
    sent: 0,
    split: 0,
    ended: 0,
    conflicts: 0,
    unverified: 0,
    planned: 0,
    closedJobs: 0,
  };
  const now = ports.clock.now();
  const live = await ports.ledger.liveJobs();
  facts.live = live.length;
  if (live.length > 0) {
    const sweep = new Sweep(ports, facts, now, new Map(live.map((job) => [job.jobId, job])));
    // What is wrong with one job must not hold up the others; it is told at the end.
    const faults: unknown[] = [];
    const noted = (step: Promise<void>): Promise<void> => step.catch((error: unknown) => void faults.push(error));
    await noted(sweep.dueIndex());
    const indexed = faults.length === 0;
    await eachOf(live, JOBS_MAX, (job) => noted(sweep.job(job)));
    if (indexed) await ports.ledger.raiseSweptUntil(now);
    if (faults.length > 0) throw faults[0];
  } else await ports.ledger.raiseSweptUntil(now);
  return facts;
}

class Sweep {
  readonly #ports: SweepPorts;
  readonly #facts: SweepFacts;
  readonly #now: number;
  readonly #jobs: Map<JobId, Job | undefined>;
  readonly #watermarks = new Map<string, Promise<number>>();

  constructor(ports: SweepPorts, facts: SweepFacts, now: number, jobs: Map<JobId, Job | undefined>) {
    this.#ports = ports;
    this.#facts = facts;
    this.#now = now;
    this.#jobs = jobs;
  }

  /** What the due index names. */
  async dueIndex(): Promise<void> {
    const { ledger } = this.#ports;
    const since = ((await ledger.sweptUntil()) ?? this.#now - 15 * MINUTE_MS) - LOOK_BACK_MS;
    const keys: SliceKey[] = [];
    await eachOf(
      Array.from({ length: DUE_SHARDS }, (_, shard) => shard),
      QUERIES_MAX,
      async (shard) => {
        for await (const key of ledger.dueSlices(this.#now, shard, since)) keys.push(key);
      },
    );
    const slices: Slice[] = [];
    await eachOf(keys, SLICES_MAX, async (key) => {
      const slice = await ledger.slice(key);
      if (slice !== undefined) slices.push(slice);
    });
    await this.#look(slices);
  }

  /** One live job: planned where that stopped, its slices counted, itself closed where nothing is left. */
  async job(seen: Job): Promise<void> {
    const { ledger } = this.#ports;
    const held = seen.state === "planned" && mayBeHeld(seen);
    const early = (seen.notBefore ?? 0) > this.#now && this.#now < seen.deadline;
    if (held && early && !awaitsApproval(seen)) return; // spares a read of what it awaits
    if (
      held ||
      ((seen.state === "planning" || seen.state === "planned") && seen.createdAt + PLANNER_WAIT_MS <= this.#now)
    ) {
      if ((await planJob(this.#ports, seen)).state !== "planned") this.#facts.planned++;
      return;
    }
    if (seen.state === "planning" || seen.state === "planned") return;
    if ((seen.slices ?? 0) > EXACT_SLICES) return this.#turn(seen);
    const overlooked: Slice[] = [];
    const tally = await tallyOf(this.#watched(seen, ledger.slicesOf(seen.jobId), overlooked), this.#now);
    await this.#look(overlooked);
    if (tally.closed || overlooked.length > 0) await this.#closeIfDone(seen.jobId);
    else await ledger.writeProgress(seen.jobId, tally.progress);
  }

  /** Of a large job the partitions whose turn it is: what they read each minute would grow with the fleet. */
  async #turn(seen: Job): Promise<void> {
    const { ledger } = this.#ports;
    const known = (await ledger.progress(seen.jobId))?.partitions ?? [];
    const final = new Set(known.flatMap(({ partition, closed }) => (closed ? [partition] : [])));
    const turn =
      seen.state === "cancelling"
        ? partitionsIn(seen.partitions).filter((partition) => !final.has(partition))
        : nextToCount(seen, known);
    const overlooked: Slice[] = [];
    const slices = this.#watched(seen, ledger.slicesOf(seen.jobId, { partitions: turn }), overlooked);
    const progress = afterTurn(known, turn, await partitionTallies(slices, this.#now), this.#now);
    await this.#look(overlooked);
    // The last word has a count of all slices at once.
    if (progress.partitions.every(({ closed }) => closed)) await this.#closeIfDone(seen.jobId);
    else await ledger.writeProgress(seen.jobId, progress);
  }

  async #closeIfDone(jobId: JobId): Promise<void> {
    if ((await closeJobIfDone(this.#ports, jobId))?.closed === true) this.#facts.closedJobs++;
  }

  /** Keeps what the due index should have named: it is eventual, a mark may be lost, and the ledger is read here anyway. */
  async *#watched(job: Job, slices: AsyncIterable<Slice>, overlooked: Slice[]): AsyncGenerator<Slice> {
    for await (const slice of slices) {
      this.#facts.counted++;
      const at = dueAt(slice);
      if (at !== undefined && (at <= this.#now - MINUTE_MS || job.state === "cancelling")) overlooked.push(slice);
      yield slice;
    }
  }

  async #jobOf(jobId: JobId): Promise<Job | undefined> {
    if (!this.#jobs.has(jobId)) this.#jobs.set(jobId, await this.#ports.ledger.job(jobId));
    return this.#jobs.get(jobId);
  }

  async #look(slices: readonly Slice[]): Promise<void> {
    for (const piece of piecesOf(slices, 512)) {
      const toSend: Slice[] = [];
      await eachOf(piece, SLICES_MAX, async (slice) => {
        toSend.push(...(await this.#lookAt(slice)));
      });
      await sendSlices(this.#ports, toSend);
      this.#facts.sent += toSend.length;
    }
  }

  /** Of the lane as a whole, or of the job's share in it: whichever is further. */
  async #watermarkOf(lane: Lane, job: Job | undefined): Promise<number | undefined> {
    const of = (share?: string): Promise<number> => {
      const key = `${lane} ${share ?? ""}`;
      const asked = this.#watermarks.get(key) ?? this.#ports.ledger.watermark(lane, share).then((at) => at ?? 0);
      this.#watermarks.set(key, asked);
      return asked;
    };
    const newest = Math.max(await of(), job === undefined ? 0 : await of(fairShare(job)));
    return newest === 0 ? undefined : newest;
  }

  /** Answers the slices to send. */
  async #lookAt(seen: Slice): Promise<readonly Slice[]> {
    const { ledger } = this.#ports;
    let slice = seen;
    this.#facts.due++;
    const job = await this.#jobOf(slice.jobId);
    if (job === undefined || job.state === "cancelling" || job.state === "closed") {
      const left = await cancelSlice(ledger, slice);
      if (left.state === "closed") this.#facts.ended++;
      if (slice.moved === undefined && !hasIntent(left)) return [];
      slice = (await ledger.slice(slice)) ?? left; // what may have begun is proved first
    }
    if (job !== undefined && this.#now < slice.deadline && isKeptBack(job)) return [];
    const watermark = await this.#watermarkOf(slice.lane, job);
    const step = advance(slice, { input: "swept", now: this.#now, watermark });
    if (step.kind === "ignored") return [];
    if ((await ledger.writeSlice(slice, step.slice)) === "conflict") {
      this.#facts.conflicts++;
      return [];
    }
    const written = { ...step.slice, version: slice.version + 1 };
    const unproved = intendedIn(slice).filter((slot) => slotState(written.slots, slot) === "failed");
    this.#facts.unverified += unproved.length;
    if (job !== undefined && unproved.length > 0) await this.#ports.givenUp?.(job, slice.segment, unproved);
    if (written.state === "closed") this.#facts.ended++;
    if (step.effect === "split") return this.#split(written);
    return step.effect === "send" ? [written] : [];
  }

  /** Slices of one for every slot that moved; then the slice that they left closes. Every prefix can be resumed. */
  async #split(parent: Slice): Promise<readonly Slice[]> {
    const { ledger } = this.#ports;
    const ones: Slice[] = [];
    const moved = parent.moved ?? noSlots();
    await eachOf(slotsIn(moved, "open"), SLICES_MAX, async (slot) => {
      const one = sliceOfOne(parent, slot, slotReason(moved, slot), this.#now);
      if ((await ledger.createSlice(one)) === "created") ones.push(one);
    });
    const step = advance(parent, { input: "split" });
    if (step.kind === "next") await ledger.writeSlice(parent, step.slice);
    this.#facts.split++;
    return ones;
  }
}

/** Nothing of the job is sent, however due: it is paused, or waits for its time or for another job. */
const isKeptBack = (job: Job): boolean =>
  job.state === "paused" || ((job.state === "planning" || job.state === "planned") && mayBeHeld(job));

function sliceOfOne(parent: Slice, slot: number, reason: ReturnType<typeof slotReason>, now: number): Slice {
  const slots = noSlots();
  setSlot(slots, slot, "open", reason);
  const { moved: _moved, lease: _lease, intent: _intent, effects: _effects, sentAt: _sentAt, ...rest } = parent;
  return {
    ...rest,
    part: SPLIT_PART + slot,
    state: "planned",
    generation: 1,
    version: 1,
    slots,
    uncleanEnds: 0,
    nextAttempt: now + SEND_WAIT_MS,
    ...intentOf(parent, slot),
  };
}
