import type { Job, JobId, JobState } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { JobProgress, Ledger, Written } from "./ledger.ts";
import type { Slice, SliceKey } from "./slice.ts";
import { dueAt, dueMinute, dueShard, MINUTE_MS } from "./slice-due.ts";

const keyOf = ({ jobId, segment, part }: SliceKey): string =>
  `${jobId}#${String(segment).padStart(8, "0")}#${String(part).padStart(4, "0")}`;

/** What is stored never shares octets with what callers hold. */
const copy = (slice: Slice): Slice => ({
  ...slice,
  slots: slice.slots.slice(),
  ...(slice.intent === undefined ? {} : { intent: slice.intent.slice() }),
  ...(slice.effects === undefined ? {} : { effects: new Map(slice.effects) }),
  ...(slice.moved === undefined ? {} : { moved: slice.moved.slice() }),
});

/** A ledger in memory, with the same conditions as the real one: for simulation and for tests. */
export function memoryLedger(): Ledger {
  const jobs = new Map<JobId, Job>();
  const slices = new Map<string, Slice>();
  const progresses = new Map<JobId, JobProgress>();
  const watermarks = new Map<Lane, number>();
  let swept: number | undefined;

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
      if (slices.has(keyOf(slice))) return "exists";
      slices.set(keyOf(slice), copy(slice));
      return "created";
    },
    async slice(key) {
      const slice = slices.get(keyOf(key));
      return slice === undefined ? undefined : copy(slice);
    },
    async *slicesOf(jobId) {
      for (const slice of [...slices.values()]) if (slice.jobId === jobId) yield copy(slice);
    },
    async writeSlice(was, next) {
      if (slices.get(keyOf(was))?.version !== was.version) return "conflict";
      slices.set(keyOf(was), copy({ ...next, version: was.version + 1 }));
      return "written";
    },
    async *dueSlices(now, shard) {
      const last = Math.floor(now / MINUTE_MS); // `since` only spares an index its empty minutes
      for (const slice of [...slices.values()]) {
        const at = dueAt(slice);
        if (at === undefined || dueShard(slice) !== shard) continue;
        if (dueMinute(at) <= last) yield { jobId: slice.jobId, segment: slice.segment, part: slice.part };
      }
    },
    async sweptUntil() {
      return swept;
    },
    async raiseSweptUntil(at) {
      swept = Math.max(swept ?? 0, at);
    },
    async watermark(lane) {
      return watermarks.get(lane);
    },
    async raiseWatermark(lane, sentAt) {
      watermarks.set(lane, Math.max(watermarks.get(lane) ?? 0, sentAt));
    },
    async writeProgress(jobId, progress) {
      progresses.set(jobId, structuredClone(progress));
    },
    async progress(jobId) {
      return structuredClone(progresses.get(jobId));
    },
  };
}
