import { Deployment, type JobView } from "../e2e/deployment.ts";
import type { Benchmark } from "./benchmark.ts";
import { figuresOf, type Latencies, metersOf, onDemand, ratiosOf } from "./on-demand.ts";

const CONCURRENT = 4;
const PACE_MS = 250;
const SAMPLE_MS = 250;
const BULK_TIMEOUT_MS = 900_000;
const READ = { kind: "readRegisters" } as const;

/** When each task of a bulk job was seen done, milliseconds after its submission. */
interface BulkRun {
  readonly ms: readonly number[];
  readonly failed: number;
}

async function bulkRead(
  headend: Deployment,
): Promise<{ readonly begun: Promise<void>; readonly end: Promise<BulkRun> }> {
  const start = performance.now();
  const { status, body } = await headend.call<JobView>("operator", "POST", "/jobs", {
    operation: READ,
    target: { kind: "all" },
    lane: "bulk",
  });
  if (status !== 202) throw new Error(`POST /jobs: ${status} ${JSON.stringify(body)}`);
  let under = (): void => {};
  const begun = new Promise<void>((resolve) => {
    under = resolve;
  });
  const watch = async (): Promise<BulkRun> => {
    const ms: number[] = [];
    for (;;) {
      const { body: job } = await headend.call<JobView>("operator", "GET", `/jobs/${body.jobId}`);
      const at = performance.now() - start;
      const { done = 0, failed = 0, expired = 0 } = job.progress ?? {}; // none yet while it is planned
      while (ms.length < done) ms.push(at);
      if (done > 0) under();
      if (job.state === "closed") {
        under();
        return { ms, failed: failed + expired };
      }
      if (at > BULK_TIMEOUT_MS) throw new Error(`the bulk read is open after ${BULK_TIMEOUT_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  };
  return { begun, end: watch() };
}

/** On-demand reads and a bulk read, each alone and both together, through the whole of a local deployment. */
export const lanesLatency: Benchmark = {
  name: "lanes-latency",
  about: "on-demand reads while a bulk read runs, and both alone (--meters 5000 --reads 200)",
  async run(say, { meters = 5_000, reads = 200 }) {
    const headend = await Deployment.start(["--meters", String(meters)]);
    try {
      const meterIds = (await metersOf(headend, reads)).map(({ meterId }) => meterId);
      const read = (count: number): Promise<Latencies> =>
        onDemand(headend, { meterIds, count, concurrent: CONCURRENT, paceMs: PACE_MS, operation: READ });
      say("warming up");
      await read(Math.min(20, reads));
      say(`${reads} on-demand reads, alone`);
      const alone = await read(reads);
      say(`a bulk read of ${meters} meters, alone`);
      const bulkAlone = await (await bulkRead(headend)).end;
      say("both together");
      let over = false;
      const first = await bulkRead(headend);
      await first.begun;
      const more = async (): Promise<BulkRun[]> => {
        const runs = [await first.end];
        while (!over) runs.push(await (await bulkRead(headend)).end);
        return runs;
      };
      const runs = more();
      const loaded = await read(reads).finally(() => {
        over = true;
      });
      const bulks = await runs;
      const [bulkLoaded] = bulks as [BulkRun];
      return {
        mix:
          `on demand: ${reads} jobs of one meter (readRegisters, interactive lane), ${CONCURRENT} clients, one submission ` +
          `each ${PACE_MS} ms at most, timed from POST /jobs to closed; bulk: readRegisters of ${meters} meters, again as long as on-demand reads go on, ` +
          "percentiles of when the tasks of the first were seen done; everything (simulated meters, bridge, local AWS) on this machine",
        figures: [
          ...figuresOf("on demand alone", alone.ms),
          ...figuresOf("on demand with bulk", loaded.ms),
          ...figuresOf("bulk alone", bulkAlone.ms),
          ...figuresOf("bulk with on demand", bulkLoaded.ms),
          { name: "on demand not done", value: alone.failed + loaded.failed, unit: "jobs" },
          {
            name: "bulk not done",
            value: [bulkAlone, ...bulks].reduce((sum, { failed }) => sum + failed, 0),
            unit: "tasks",
          },
          { name: "bulk reads meanwhile", value: bulks.length, unit: "jobs" },
        ],
        ratios: {
          ...ratiosOf("on demand", loaded.ms, alone.ms),
          ...ratiosOf("bulk", bulkLoaded.ms, bulkAlone.ms),
        },
      };
    } finally {
      await headend.stop();
    }
  },
};
