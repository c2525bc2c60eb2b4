import type { Job, JobId, JobState } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { Slice, SliceKey } from "./slice.ts";

/** Every write is one conditional write of one item; `conflict` means that somebody else was first: read again. */
export type Written = "written" | "conflict";

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
  slicesOf(jobId: JobId): AsyncIterable<Slice>;
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
  watermark(lane: Lane): Promise<number | undefined>;
  raiseWatermark(lane: Lane, sentAt: number): Promise<void>;
  /** Derived counts and histogram of a running job, overwritten by the sweep, never incremented. */
  writeProgress(jobId: JobId, progress: JobProgress): Promise<void>;
  progress(jobId: JobId): Promise<JobProgress | undefined>;
}

export interface JobProgress {
  /** Clock ms: the counts are of this instant. */
  readonly asOf: number;
  readonly open: number;
  readonly done: number;
  readonly failed: number;
  readonly expired: number;
  readonly cancelled: number;
  /** Reason → tasks, over failed and expired (and open ones under `open:<reason>`). */
  readonly reasons: Readonly<Record<string, number>>;
}
