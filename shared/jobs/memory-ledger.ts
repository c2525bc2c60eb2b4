import type { Job, JobId, JobState } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { JobProgress, Ledger, SliceRange, Written } from "./ledger.ts";
import { partitionOf, SLICE_PARTITIONS } from "./partitions.ts";
import type { Slice, SliceKey } from "./slice.ts";
import { DUE_SHARDS, dueAt, dueMinute, dueShard, MINUTE_MS } from "./slice-due.ts";

/** Of a slice in its job; ascending by segment, then part. A part has four digits. */
const rankOf = ({ segment, part }: Pick<SliceKey, "segment" | "part">): number => segment * 10_000 + part;

/** What is stored never shares octets with what callers hold. */
const copy = (slice: Slice): Slice => ({
  ...slice,
  slots: slice.slots.slice(),
  ...(slice.intent === undefined ? {} : { intent: slice.intent.slice() }),
  ...(slice.effects === undefined ? {} : { effects: new Map(slice.effects) }),
  ...(slice.moved === undefined ? {} : { moved: slice.moved.slice() }),
});

/** Slices of a job, by partition, and in it ascending. */
class StoredSlices {
  readonly #partitions = new Map<number, { readonly slices: Map<number, Slice>; last: number; sorted: boolean }>();

  get(key: SliceKey): Slice | undefined {
    return this.#partitions.get(partitionOf(key.segment))?.slices.get(rankOf(key));
  }

  set(slice: Slice): void {
    const partition = partitionOf(slice.segment);
    const there = this.#partitions.get(partition) ?? { slices: new Map<number, Slice>(), last: -1, sorted: true };
    const rank = rankOf(slice);
    if (!there.slices.has(rank)) {
      there.sorted &&= rank > there.last;
      there.last = Math.max(there.last, rank);
    }
    there.slices.set(rank, slice);
    this.#partitions.set(partition, there);
  }

  *ranged({ from, partitions }: SliceRange): Generator<Slice> {
    const [firstPartition, first] = from === undefined ? [0, 0] : [partitionOf(from.segment), rankOf(from)];
    for (let partition = firstPartition; partition < SLICE_PARTITIONS; partition++) {
      const there = this.#partitions.get(partition);
      if (there === undefined || partitions?.includes(partition) === false) continue;
      if (!there.sorted) {
        const entries = [...there.slices].sort(([left], [right]) => left - right);
        there.slices.clear();
        for (const [rank, slice] of entries) there.slices.set(rank, slice);
        there.sorted = true;
      }
      // As they are now, like a page: what is added meanwhile belongs to the next reading.
      for (const [rank, slice] of [...there.slices]) if (partition > firstPartition || rank >= first) yield slice;
    }
  }
}

/** Which slices are due from which minute, by shard. */
class DueIndex {
  readonly #shards = Array.from({ length: DUE_SHARDS }, () => new Map<string, { key: SliceKey; minute: number }>());

  set(slice: Slice): void {
    const { jobId, segment, part } = slice;
    const shard = this.#shards[dueShard(slice)];
    const name = `${jobId}#${segment}#${part}`;
    const at = dueAt(slice);
    if (at === undefined) shard?.delete(name);
    else shard?.set(name, { key: { jobId, segment, part }, minute: dueMinute(at) });
  }

  until(minute: number, shard: number): SliceKey[] {
    const found: SliceKey[] = [];
    for (const entry of this.#shards[shard]?.values() ?? []) if (entry.minute <= minute) found.push(entry.key);
    return found;
  }
}

/** A ledger in memory, with the same conditions as the real one: for simulation and for tests. */
export function memoryLedger(): Ledger {
  const jobs = new Map<JobId, Job>();
  const stored = new Map<JobId, StoredSlices>();
  const due = new DueIndex();
  const progresses = new Map<JobId, JobProgress>();
  const watermarks = new Map<string, number>();
  const watermarkKey = (lane: Lane, share?: string): string => (share === undefined ? lane : `${lane} ${share}`);
  let swept: number | undefined;
  const slicesIn = (jobId: JobId): StoredSlices => {
    const there = stored.get(jobId) ?? new StoredSlices();
    stored.set(jobId, there);
    return there;
  };
  const put = (slice: Slice): void => {
    slicesIn(slice.jobId).set(slice);
    due.set(slice);
  };

  return {
    async createJob(job) {
      if (jobs.has(job.jobId)) return "exists";
      jobs.set(job.jobId, structuredClone(job));
      return "created";
    },
    async job(jobId) {
      return structuredClone(jobs.get(jobId));
    },
    async moveJob(jobId: JobId, from: JobState, change): Promise<Written> {
      const job = jobs.get(jobId);
      if (job?.state !== from) return "conflict";
      jobs.set(jobId, { ...job, ...structuredClone(change) });
      return "written";
    },
    async jobs({ limit, cursor, callerId }) {
      const rank = (job: Job): string => `${String(job.createdAt).padStart(15, "0")}#${job.jobId}`;
      const listed = [...jobs.values()].filter((job) => callerId === undefined || job.caller.id === callerId);
      const sorted = listed.sort((left, right) => (rank(left) < rank(right) ? 1 : -1));
      const rest = sorted.filter((job) => cursor === undefined || rank(job) < cursor);
      const page = rest.slice(0, limit);
      const last = page.at(-1);
      return {
        jobs: structuredClone(page),
        ...(rest.length > limit && last !== undefined ? { cursor: rank(last) } : {}),
      };
    },
    async liveJobs() {
      return structuredClone([...jobs.values()].filter((job) => job.state !== "closed"));
    },
    async createSlice(slice) {
      if (slicesIn(slice.jobId).get(slice) !== undefined) return "exists";
      put(copy(slice));
      return "created";
    },
    async slice(key) {
      const slice = stored.get(key.jobId)?.get(key);
      return slice === undefined ? undefined : copy(slice);
    },
    async *slicesOf(jobId, range = {}) {
      for (const slice of stored.get(jobId)?.ranged(range) ?? []) yield copy(slice);
    },
    async writeSlice(was, next) {
      if (stored.get(was.jobId)?.get(was)?.version !== was.version) return "conflict";
      put(copy({ ...next, version: was.version + 1 }));
      return "written";
    },
    async *dueSlices(now, shard) {
      // `since` only spares an index its empty minutes
      yield* due.until(Math.floor(now / MINUTE_MS), shard);
    },
    async sweptUntil() {
      return swept;
    },
    async raiseSweptUntil(at) {
      swept = Math.max(swept ?? 0, at);
    },
    async watermark(lane, share) {
      return watermarks.get(watermarkKey(lane, share));
    },
    async raiseWatermark(lane, sentAt, share) {
      const key = watermarkKey(lane, share);
      watermarks.set(key, Math.max(watermarks.get(key) ?? 0, sentAt));
    },
    async writeProgress(jobId, progress) {
      progresses.set(jobId, structuredClone(progress));
    },
    async progress(jobId) {
      return structuredClone(progresses.get(jobId));
    },
  };
}
