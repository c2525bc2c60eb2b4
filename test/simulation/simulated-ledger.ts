import type { Job } from "../../shared/jobs/job.ts";
import type { Ledger } from "../../shared/jobs/ledger.ts";
import { SLICE_PARTITIONS } from "../../shared/jobs/partitions.ts";
import type { Slice, SliceKey } from "../../shared/jobs/slice.ts";
import { dueAt, dueMinute, dueShard, MINUTE_MS } from "../../shared/jobs/slice-due.ts";
import { below, chance } from "../../shared/ports/random.ts";
import { type EffectPorts, effect } from "./effects.ts";
import { type LedgerInvariants, nameOf } from "./ledger-invariants.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { VirtualTime } from "./virtual-time.ts";

interface Mark {
  readonly key: SliceKey;
  readonly minute: number;
  readonly shard: number;
}
const keyOf = ({ jobId, segment, part }: SliceKey): string => `${jobId}#${segment}.${part}`;

interface Page {
  readonly after: string | undefined;
  /** The slice of that rank is wanted too. */
  readonly including: boolean;
  readonly size: number;
  readonly partitions: readonly number[] | undefined;
}

/** The order in which a query gives the slices of a job. */
const rankOf = ({ segment, part }: Pick<SliceKey, "segment" | "part">): string =>
  [segment % SLICE_PARTITIONS, segment, part].map((number) => String(number).padStart(8, "0")).join("#");

/** The due index as DynamoDB keeps one: eventual, by minutes, and blind to minutes outside of the question. */
class DueIndex {
  readonly #marks = new Map<string, Mark>();
  readonly #byShard = new Map<number, Set<Mark>>();

  put(slice: Slice, now: number): void {
    const key = keyOf(slice);
    const was = this.#marks.get(key);
    if (was !== undefined) this.#byShard.get(was.shard)?.delete(was);
    const at = dueAt(slice);
    if (at === undefined) {
      this.#marks.delete(key);
      return;
    }
    const minute = Math.max(dueMinute(at), Math.floor(now / MINUTE_MS));
    const { jobId, segment, part } = slice;
    const mark = { key: { jobId, segment, part }, minute, shard: was?.shard ?? dueShard(slice) };
    this.#marks.set(key, mark);
    const shard = this.#byShard.get(mark.shard) ?? new Set();
    this.#byShard.set(mark.shard, shard);
    shard.add(mark);
  }

  find(shard: number, now: number, since: number): SliceKey[] {
    const found: SliceKey[] = [];
    const [first, last] = [Math.floor(since / MINUTE_MS) + 1, Math.floor(now / MINUTE_MS)];
    for (const { key, minute } of this.#byShard.get(shard) ?? [])
      if (minute >= first && minute <= last) found.push(key);
    return found;
  }

  hasAny(shard: number): boolean {
    return (this.#byShard.get(shard)?.size ?? 0) > 0;
  }
}

/** The one ledger table, and how each process sees it. */
export class SimulatedLedger {
  readonly stored: Ledger;
  readonly #index = new DueIndex();
  readonly #ports: EffectPorts;
  readonly #time: VirtualTime;
  readonly #invariants: LedgerInvariants;

  constructor(stored: Ledger, ports: EffectPorts, time: VirtualTime, invariants: LedgerInvariants) {
    this.stored = stored;
    this.#ports = ports;
    this.#time = time;
    this.#invariants = invariants;
  }

  #indexed(slice: Slice): void {
    const { faults, random } = this.#ports;
    const put = (): void => this.#index.put(slice, this.#time.now);
    if (!faults.strikes("stale-read")) {
      put();
      return;
    }
    faults.note("stale-read", slice);
    const minute = this.#time.now;
    this.#time.after(below(random, 90_000), () => {
      const now = this.#invariants.slices.get(keyOf(slice));
      if (now?.version === slice.version) this.#index.put(slice, minute);
    });
  }

  async #written(was: Slice, next: Slice, by: SimulatedProcess): Promise<"written" | "conflict"> {
    const answer = await this.stored.writeSlice(was, next);
    if (answer === "conflict") {
      this.#ports.faults.note("conflict", was, false);
      return answer;
    }
    const slice = { ...next, version: was.version + 1 };
    this.#invariants.wrote(slice, by);
    this.#indexed(slice);
    const { generation, state, lease } = slice;
    this.#ports.trace?.(
      () => `  ${nameOf(slice)} ${was.state} → ${state}, generation ${generation}${lease ? `, ${lease.owner}` : ""}`,
    );
    return answer;
  }

  /** Somebody else writes the slice as it is: whoever read it before has a conflict. */
  async #interlope(key: SliceKey, by: SimulatedProcess): Promise<void> {
    const slice = await this.stored.slice(key);
    if (slice === undefined || slice.state === "closed") return;
    this.#ports.faults.note("conflict", key);
    await this.#written(slice, slice, by);
  }

  #page(jobId: Job["jobId"], { after, including, size, partitions }: Page): Slice[] {
    const rest = [...this.#invariants.slicesOf(jobId)].filter((slice) => {
      if (partitions !== undefined && !partitions.includes(slice.segment % SLICE_PARTITIONS)) return false;
      return after === undefined || rankOf(slice) > after || (including && rankOf(slice) === after);
    });
    return rest.sort((left, right) => (rankOf(left) < rankOf(right) ? -1 : 1)).slice(0, size);
  }

  async #moved(jobId: Job["jobId"]): Promise<void> {
    const job = await this.stored.job(jobId);
    if (job !== undefined) this.#invariants.movedJob(job);
  }

  /** The ledger through the eyes of one process. */
  of(process: SimulatedProcess): Ledger {
    const ports = this.#ports;
    const { stored } = this;
    const call = <T>(what: string, run: () => Promise<T>, options: Parameters<typeof effect<T>>[4] = {}): Promise<T> =>
      effect(ports, process, what, run, options);
    const self = this;
    const reads = true;
    return {
      ...stored,
      createJob: (job) =>
        call(
          "createJob",
          async () => {
            const answer = await stored.createJob(job);
            if (answer === "created") await self.#moved(job.jobId);
            return answer;
          },
          { lost: () => "exists" },
        ),
      job: (jobId) => call("job", () => stored.job(jobId), { reads }),
      moveJob: (jobId, from, change) =>
        call(
          `moveJob ${jobId.slice(0, 4)} ${from} → ${change.state}`,
          async () => {
            const answer = await stored.moveJob(jobId, from, change);
            if (answer === "written") await self.#moved(jobId);
            return answer;
          },
          { lost: () => "conflict" },
        ),
      jobs: (page) => call("jobs", () => stored.jobs(page), { reads }),
      liveJobs: () => call("liveJobs", () => stored.liveJobs(), { reads }),
      createSlice: (slice) =>
        call(
          "createSlice",
          async () => {
            const answer = await stored.createSlice(slice);
            if (answer === "created") {
              self.#invariants.created(slice);
              self.#indexed(slice);
            }
            return answer;
          },
          { about: slice, lost: () => "exists" },
        ),
      slice: (key) => call("slice", () => stored.slice(key), { about: key, reads }),
      async *slicesOf(jobId, { from, partitions } = {}) {
        // Page by page, in the order of keys: what is created meanwhile beyond the last key is seen, what lies before is not.
        let after = from === undefined ? undefined : rankOf(from);
        let including = true;
        for (let page = 0; ; page++) {
          const size = page === 0 && !chance(ports.random, 0.2) ? Number.POSITIVE_INFINITY : 2;
          const found = await call("slicesOf", async () => self.#page(jobId, { after, including, size, partitions }), {
            reads,
          });
          for (const slice of found) yield slice;
          const last = found.at(-1);
          if (last === undefined || found.length < size) return;
          after = rankOf(last);
          including = false;
        }
      },
      writeSlice: (was, next) =>
        call(
          "writeSlice",
          async () => {
            if (ports.faults.strikes("conflict")) await self.#interlope(was, process);
            return self.#written(was, next, process);
          },
          { about: was, lost: () => "conflict" },
        ),
      async *dueSlices(now, shard, since = now - 15 * MINUTE_MS) {
        if (!self.#index.hasAny(shard)) return;
        yield* await call("dueSlices", async () => self.#index.find(shard, now, since), { reads });
      },
      sweptUntil: () => call("sweptUntil", () => stored.sweptUntil(), { reads }),
      raiseSweptUntil: (at) => call("raiseSweptUntil", () => stored.raiseSweptUntil(at)),
      watermark: (lane, share) => call("watermark", () => stored.watermark(lane, share), { reads }),
      raiseWatermark: (lane, at, share) =>
        call(`raiseWatermark ${lane} ${at}`, () => stored.raiseWatermark(lane, at, share)),
      writeProgress: (jobId, progress) => call("writeProgress", () => stored.writeProgress(jobId, progress)),
      progress: (jobId) => call("progress", () => stored.progress(jobId), { reads }),
    };
  }
}
