import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sliceItem } from "../../functions/adapters/slice-item.ts";
import { eachOf } from "../../shared/jobs/concurrency.ts";
import { Job, JobId } from "../../shared/jobs/job.ts";
import type { Lanes } from "../../shared/jobs/lanes.ts";
import type { Ledger } from "../../shared/jobs/ledger.ts";
import { memoryLedger } from "../../shared/jobs/memory-ledger.ts";
import type { TaskReport, WorkItem } from "../../shared/jobs/messages.ts";
import { type PlanPorts, planJob } from "../../shared/jobs/plan-job.ts";
import { recordOutcomes } from "../../shared/jobs/record-outcomes.ts";
import type { SliceKey } from "../../shared/jobs/slice.ts";
import { MINUTE_MS } from "../../shared/jobs/slice-due.ts";
import { advance } from "../../shared/jobs/slice-machine.ts";
import { type SweepFacts, sweepLedger } from "../../shared/jobs/sweep.ts";
import { tasksOf } from "../../shared/jobs/tasks.ts";
import { SEGMENT_SLOTS } from "../../shared/metering/meter.ts";
import { assert } from "../../shared/ports/errors.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { Benchmark } from "./benchmark.ts";
import { itemSize } from "./item-size.ts";

const METERS = 10_000_000;
const T0 = Date.UTC(2026, 0, 1, 12);
/** Reports of one result batch. */
const BATCH = 100;
const RETRY = { passes: 2, backoffSeconds: 60 };
const JOB = JobId.parse("ledgerscale".padEnd(26, "0"));
/** How often each size is measured: small ones are over too soon to be measured once. */
const REPEATS = [31, 7, 3] as const;

/** What a phase asked of the ledger. */
interface Asked {
  gets: number;
  writes: number;
  /** Slices that were read in queries. */
  queried: number;
  dueQueries: number;
}

function counting(ledger: Ledger, asked: Asked): Ledger {
  return {
    ...ledger,
    slice: (key) => {
      asked.gets++;
      return ledger.slice(key);
    },
    createSlice: (slice) => {
      asked.writes++;
      return ledger.createSlice(slice);
    },
    writeSlice: (was, next) => {
      asked.writes++;
      return ledger.writeSlice(was, next);
    },
    async *slicesOf(...range) {
      for await (const slice of ledger.slicesOf(...range)) {
        asked.queried++;
        yield slice;
      }
    },
    dueSlices: (...range) => {
      asked.dueQueries++;
      return ledger.dueSlices(...range);
    },
  };
}

const job = (): Job =>
  Job.parse({
    jobId: JOB,
    operation: { kind: "readRegisters" },
    target: { kind: "all" },
    lane: "bulk",
    state: "planning",
    createdAt: T0,
    deadline: T0 + 86_400_000,
    retry: RETRY,
    caller: { id: "bench", roles: ["operator"] },
  });

/** Of a thousand tasks in the first pass 8 fail worth another try, and 2 for good; the second pass ends the rest. */
function reportOf(slot: number, pass: number): Pick<TaskReport, "slot" | "outcome"> {
  if (pass === 1 && slot % 125 === 7)
    return { slot, outcome: { kind: "failed", reason: "timeout", code: "bench", retry: "later" } };
  if (pass === 1 && slot % 500 === 3)
    return { slot, outcome: { kind: "failed", reason: "auth", code: "bench", retry: "never" } };
  return { slot, outcome: { kind: "done" } };
}
const SLOTS = Array.from({ length: SEGMENT_SLOTS }, (_, slot) => slot);
const reports = (pass: number, slots: readonly number[]) => slots.map((slot) => reportOf(slot, pass));
const FIRST = Array.from({ length: Math.ceil(SEGMENT_SLOTS / BATCH) }, (_, at) =>
  reports(1, SLOTS.slice(at * BATCH, (at + 1) * BATCH)),
);
const AGAIN = reports(2, SLOTS).filter(({ slot }) => reportOf(slot, 1).outcome.kind === "failed" && slot % 125 === 7);

type Phase = "plan" | "lease" | "account" | "quiet" | "recount" | "resend" | "finish" | "list";
interface Run {
  /** Of CPU. */
  readonly seconds: Readonly<Record<Phase, number>>;
  readonly asked: Readonly<Record<Phase, Asked>>;
  readonly itemOctets: { readonly planned: number; readonly working: number; readonly closed: number };
  /** Octets of memory that the ledger holds, all slices in it. */
  readonly held: number;
  readonly listed: number;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const memory = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** One job over so many full segments, from its planning to its end. */
async function jobOver(segments: number): Promise<Run> {
  const seconds = {} as Record<Phase, number>;
  const asked = {} as Record<Phase, Asked>;
  const counts: Asked = { gets: 0, writes: 0, queried: 0, dueQueries: 0 };
  let now = T0;
  const bitmap = new Uint8Array(SEGMENT_SLOTS / 8).fill(0xff);
  const queue: WorkItem[] = [];
  const lanes: Lanes = { send: async (_, items) => void queue.push(...items) };
  const before = memory();
  const ledger = counting(memoryLedger(), counts);
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const ports: PlanPorts = {
    ledger,
    lanes,
    clock,
    targets: {
      places: async () => new Map(),
      async *members() {
        for (let segment = 0; segment < segments; segment++) yield { segment, bitmap };
      },
    },
  };
  const recordPorts = { ledger, clock, random: seeded(1) };
  const phase = async <T>(name: Phase, work: () => Promise<T>): Promise<T> => {
    Object.assign(counts, { gets: 0, writes: 0, queried: 0, dueQueries: 0 });
    const start = process.cpuUsage(); // what else the machine does is not the ledger's cost
    const answer = await work();
    const { user, system } = process.cpuUsage(start);
    seconds[name] = (user + system) / 1_000_000;
    asked[name] = { ...counts };
    return answer;
  };
  const sweep = (): Promise<SweepFacts> => {
    now += MINUTE_MS;
    return sweepLedger(ports);
  };
  const received = (): WorkItem[] => queue.splice(0);
  const lease = (items: readonly WorkItem[]): Promise<void> =>
    eachOf(items, 16, async (item) => {
      const slice = await ledger.slice(keyOf(item));
      assert(slice !== undefined, "what was sent is in the ledger");
      const step = advance(slice, { input: "taken", generation: item.generation, owner: "bench", now });
      assert(step.kind === "next", "what was sent can be taken");
      await ledger.writeSlice(slice, step.slice);
    });
  const octetsOf = async (): Promise<number> => {
    const slice = await ledger.slice({ jobId: JOB, segment: segments - 1, part: 0 });
    assert(slice !== undefined, "the last slice is in the ledger");
    return itemSize(sliceItem(slice, now));
  };

  const first = job();
  await ledger.createJob(first);
  await phase("plan", () => planJob(ports, first));
  const planned = await octetsOf();
  const held = memory() - before;
  const items = received();
  assert(items.length === segments, "each segment is one message");
  await sweep(); // counts the whole job once
  await phase("quiet", sweep);
  await phase("lease", () => lease(items));
  const working = await octetsOf();
  await phase("account", () =>
    eachOf(items, 16, async (item) => {
      for (const [at, batch] of FIRST.entries())
        await recordOutcomes(
          recordPorts,
          keyOf(item),
          { generation: item.generation, passOver: at === FIRST.length - 1 },
          batch,
          RETRY,
        );
    }),
  );
  now -= MINUTE_MS; // nothing is due yet: the same minute again, in which the job has moved
  await phase("recount", sweep);
  now += 3 * MINUTE_MS; // past every backoff
  const resent = await phase("resend", sweep);
  const again = received();
  assert(resent.sent === segments && again.length === segments, "each resting slice is sent again, once");
  await lease(again);
  await eachOf(again, 16, async (item) => {
    await recordOutcomes(recordPorts, keyOf(item), { generation: item.generation, passOver: true }, AGAIN, RETRY);
  });
  const closed = await octetsOf();
  await phase("finish", async () => {
    for (let minute = 0; minute < 10; minute++) if ((await sweep()).closedJobs === 1) return;
    throw new Error("the job did not close within ten sweeps");
  });
  const ended = await ledger.job(JOB);
  const progress = await ledger.progress(JOB);
  assert(ended?.state === "closed" && progress !== undefined, "the job is closed and counted");
  assert(progress.done + progress.failed === segments * SEGMENT_SLOTS, "every task is accounted for");
  const listed = await phase("list", async () => {
    let tasks = 0;
    let cursor: string | undefined;
    do {
      const page = await tasksOf(ledger, ended, { state: "failed", limit: 1000, cursor });
      tasks += page?.tasks.length ?? 0;
      cursor = page?.cursor;
    } while (cursor !== undefined);
    return tasks;
  });
  assert(listed === progress.failed, "every failed task is listed, once");
  return { seconds, asked, itemOctets: { planned, working, closed }, held, listed };
}

const keyOf = ({ job: jobId, segment, part }: WorkItem): SliceKey => ({ jobId, segment, part });

const rounded = (value: number): number => Number(value.toPrecision(3));

/** One job of many segments through the planner's, the accounts' and the sweep's own entry points. */
export const ledgerScale: Benchmark = {
  name: "ledger-scale",
  about: `plans, accounts for and sweeps one job; --meters N, default ${METERS}, with a tenth and a hundredth of it`,
  async run(say, { meters = METERS }) {
    const sizes = [100, 10, 1].map((part) => Math.max(1, Math.ceil(meters / part / SEGMENT_SLOTS)));
    await jobOver(sizes[0] as number); // warm
    await jobOver(sizes[1] as number);
    const runs: Run[][] = [];
    for (const [index, segments] of sizes.entries()) {
      say(`${segments} segments, ${REPEATS[index]} times`);
      const ofSize: Run[] = [];
      for (let repeat = 0; repeat < (REPEATS[index] as number); repeat++) ofSize.push(await jobOver(segments));
      runs.push(ofSize);
    }
    const secondsOf = (index: number, phase: Phase): number =>
      (runs[index] as Run[]).reduce((sum, { seconds }) => sum + seconds[phase], 0) / (runs[index] as Run[]).length;
    const secondsASegment = (index: number, phase: Phase): number => secondsOf(index, phase) / (sizes[index] as number);
    const largest = runs[2]?.[0] as Run;
    const segments = sizes[2] as number;
    const speed = (phase: Phase, name: string) => ({
      name,
      value: Math.round(1 / secondsASegment(2, phase)),
      unit: "segments/CPU s",
    });
    const { asked, itemOctets, held, listed } = largest;
    const count = (name: string, value: number, unit: string) => ({ name, value, unit });
    const ratios = Object.fromEntries(
      (["plan", "lease", "account", "resend", "finish", "list"] as const).flatMap((phase) =>
        [1, 2].map((index) => [
          `${phase}: cost of a segment, ${meters / (index === 1 ? 10 : 1)} to ${meters / 100} meters`,
          rounded(secondsASegment(index, phase) / secondsASegment(0, phase)),
        ]),
      ),
    );
    return {
      mix: `one job over ${segments} full segments of ${SEGMENT_SLOTS} (${segments * SEGMENT_SLOTS} tasks), ledger in memory; first pass in ${FIRST.length} result batches a segment, 8 of 1,000 tasks worth another try, 2 failed for good; a second pass; the job closes; its failed tasks are listed by 1,000; seconds are of CPU`,
      figures: [
        speed("plan", "planned and sent"),
        speed("lease", "leases taken"),
        speed("account", "accounted (first pass)"),
        speed("resend", "swept, due, sent again"),
        speed("finish", "swept to the job's end"),
        count("slice item, planned", itemOctets.planned, "B"),
        count("slice item, leased", itemOctets.working, "B"),
        count("slice item, closed", itemOctets.closed, "B"),
        count("memory of the ledger", Math.round(held / segments), "B/segment"),
        count("resident memory", Math.round(process.memoryUsage.rss() / 1_000_000), "MB"),
        count("sweep, nothing due", rounded(secondsOf(2, "quiet") * 1000), "ms"),
        count("  slices read in turn", asked.quiet.queried, "slices"),
        count("  slices read one by one", asked.quiet.gets, "slices"),
        count("  queries of the due index", asked.quiet.dueQueries, "queries"),
        count("  slices written", asked.quiet.writes, "slices"),
        count("sweep, all due: slices read in turn", asked.resend.queried, "slices"),
        count("sweep, all due: slices read one by one", asked.resend.gets, "slices"),
        count("sweep, all due: slices written", asked.resend.writes, "slices"),
        count("slices read to the job's end", asked.finish.queried, "slices"),
        count("failed tasks listed", listed, "tasks"),
        count("  slices read", asked.list.queried, "slices"),
      ],
      ratios,
    };
  },
};
