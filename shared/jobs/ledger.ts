import type { Job, JobId, JobState } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { Slice, SliceKey } from "./slice.ts";

/** Every write is one conditional write of one item; `conflict` means that somebody else was first: read again. */
export type Written = "written" | "conflict";

/** Which slices of a job are read. */
export interface SliceRange {
  /** From this one on, in the order of `slicesOf`, whether it exists or not. */
  readonly from?: Pick<SliceKey, "segment" | "part">;
  /** Those of these partitions; default all. */
  readonly partitions?: readonly number[];
}

/** Jobs and slices. Keys and access patterns of the items live in `functions/adapters/dynamo-ledger.ts`. */
export interface Ledger {
  /** If absent; `exists` when a job of that id is there already (a repeated request meets itself). */
  createJob(job: Job): Promise<"created" | "exists">;
  /** Strongly consistent. */
  job(jobId: JobId): Promise<Job | undefined>;
  /** Moves a job on, conditional on the state it is in. */
  moveJob(jobId: JobId, from: JobState, change: Partial<Job> & { readonly state: JobState }): Promise<Written>;
  /** Newest first. `callerId`: those that this caller asked for. */
  jobs(page: {
    readonly limit: number;
    readonly cursor?: string;
    readonly callerId?: string;
  }): Promise<{ readonly jobs: readonly Job[]; readonly cursor?: string }>;
  /** Jobs that are not closed, for the sweep. */
  liveJobs(): Promise<readonly Job[]>;

  /** If absent. */
  createSlice(slice: Slice): Promise<"created" | "exists">;
  /** Strongly consistent. */
  slice(key: SliceKey): Promise<Slice | undefined>;
  /** By partition (segment mod 64), segment, part; each slice strongly consistent, all of them no snapshot. */
  slicesOf(jobId: JobId, range?: SliceRange): AsyncIterable<Slice>;
  /** Conditional on `was.version`; the adapter writes `next` with `was.version + 1`. */
  writeSlice(was: Slice, next: Slice): Promise<Written>;
  /**
   * Keys of slices whose due minute lies in the minutes of (since, now], from the sparse due index (eventual). Default
   * of `since`: a quarter of an hour before.
   */
  dueSlices(now: number, shard: number, since?: number): AsyncIterable<SliceKey>;
  /** Until when sweeps have gone through the due index, clock ms. */
  sweptUntil(): Promise<number | undefined>;
  raiseSweptUntil(at: number): Promise<void>;
  /** When bridges lately received from the lane (newest send time seen), clock ms. */
  watermark(lane: Lane, share?: string): Promise<number | undefined>;
  /** `share`: of this share's messages only, since a lane overtakes between shares; absent: of all. */
  raiseWatermark(lane: Lane, sentAt: number, share?: string): Promise<void>;
  /** Derived counts and histogram of a running job, overwritten by the sweep, never incremented. */
  writeProgress(jobId: JobId, progress: JobProgress): Promise<void>;
  progress(jobId: JobId): Promise<JobProgress | undefined>;
}

/** Reason → tasks, over failed and expired (and open ones under `open:<reason>`). */
export type ReasonCounts = Readonly<Record<string, number>>;

export interface TaskCounts {
  readonly open: number;
  readonly done: number;
  readonly failed: number;
  readonly expired: number;
  readonly cancelled: number;
  readonly reasons: ReasonCounts;
}

export interface JobProgress extends TaskCounts {
  /** Clock ms: no count is older. */
  readonly asOf: number;
  /** Of a job that is too large to be counted at every sweep: the partitions that the counts are the sums of. */
  readonly partitions?: readonly PartitionTally[];
}

/** The slices of one partition of a job, counted at one instant. */
export interface PartitionTally extends TaskCounts {
  readonly partition: number;
  /** Clock ms. */
  readonly asOf: number;
  readonly slices: number;
  /** Every one of them is closed: the counts are final. */
  readonly closed: boolean;
}
