import { Deployment, type JobView } from "../e2e/deployment.ts";
import type { Benchmark } from "./benchmark.ts";
import { figuresOf, metersOf, onDemand, ratiosOf } from "./on-demand.ts";

const CONCURRENT = 4;
const PACE_MS = 250;
/** Of the simulated meters; each answers nothing at all once the connection stands. */
const DEAD_SHARE = 0.5;
const TARGETS_MAX = 1_000;
const PING = { kind: "ping", depth: "meter" } as const;
const READ = { kind: "readRegisters" } as const;
const RESET = { kind: "resetDemand" } as const;

/** Of the simulated meters' profiles the one that proves itself fresh, without which nothing is changed. */
const PROVING = "generic-eu";

/** The meters that a ping does not reach. */
async function deadOf(headend: Deployment, meters: number): Promise<Set<string>> {
  const dead = new Set<string>();
  const { status, body } = await headend.call<JobView>("analyst", "POST", "/jobs", {
    operation: PING,
    target: { kind: "all" },
    lane: "urgent",
    retry: { passes: 1 },
  });
  if (status !== 202) throw new Error(`POST /jobs: ${status} ${JSON.stringify(body)}`);
  await headend.jobEnd(body.jobId, 300_000);
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const tasks = await headend.call<{
      readonly tasks: readonly { readonly meterId: string }[];
      readonly cursor?: string;
    }>("analyst", "GET", `/jobs/${body.jobId}/tasks?state=failed${more}`);
    for (const { meterId } of tasks.body.tasks) dead.add(meterId);
    cursor = tasks.body.cursor;
  } while (cursor !== undefined);
  if (dead.size === 0 || dead.size === meters) throw new Error(`expected some dead meters, got ${dead.size}`);
  return dead;
}

/** A storm of pings to dead meters, queued before and still waiting after single reads of living ones. */
export const pingStorm: Benchmark = {
  name: "ping-storm",
  about:
    "single reads and demand resets while pings to dead meters are queued (--meters 1000 --pings 50000 --singles 2000 --reads 200)",
  async run(say, { meters = 1_000, pings = 50_000, singles = 2_000, reads = 200 }) {
    const headend = await Deployment.start([
      "--meters",
      String(meters),
      "--protocols",
      "dlms=1",
      "--faults",
      `silent=${DEAD_SHARE}`,
    ]);
    try {
      const enrolled = await metersOf(headend, meters);
      say("finding the dead meters");
      const dead = await deadOf(headend, enrolled.length);
      const living = enrolled.filter(({ meterId }) => !dead.has(meterId));
      const idsFor = ({ kind }: typeof READ | typeof RESET): string[] =>
        living
          .filter(({ profile }) => profile.name === PROVING || kind === "readRegisters")
          .map(({ meterId }) => meterId);
      const ask = (operation: typeof READ | typeof RESET, count: number) =>
        onDemand(headend, { meterIds: idsFor(operation), count, concurrent: CONCURRENT, paceMs: PACE_MS, operation });
      const resets = Math.ceil(reads / 4);
      await ask(READ, Math.min(20, reads));
      await ask(RESET, 4);
      say(`${reads} reads and ${resets} demand resets, alone`);
      const alone = await ask(READ, reads);
      const resetAlone = await ask(RESET, resets);

      const submit = async (body: Readonly<Record<string, unknown>>): Promise<string> => {
        const answer = await headend.call<JobView>("analyst", "POST", "/jobs", { operation: PING, ...body });
        if (answer.status !== 202) throw new Error(`POST /jobs: ${answer.status} ${JSON.stringify(answer.body)}`);
        return answer.body.jobId;
      };
      const targets = [...dead];
      say(`queueing ${pings} pings as group jobs and ${singles} as jobs of one meter`);
      const storm: string[] = [];
      for (let queued = 0; queued < pings; ) {
        const group = targets.slice(0, Math.min(TARGETS_MAX, pings - queued));
        const target = { kind: "meters", meterIds: group };
        storm.push(await submit(group.length === 1 ? { target } : { target, lane: "urgent" }));
        queued += group.length;
      }
      let next = 0;
      const single = async (): Promise<void> => {
        for (let at = next++; at < singles; at = next++)
          await submit({ target: { kind: "meters", meterIds: [targets[at % targets.length]] } });
      };
      await Promise.all(Array.from({ length: 8 }, single));
      say(`${reads} reads and ${resets} demand resets, with the storm`);
      const loaded = await ask(READ, reads);
      const resetLoaded = await ask(RESET, resets);
      let waiting = 0;
      for (const jobId of storm)
        waiting += (await headend.call<JobView>("analyst", "GET", `/jobs/${jobId}`)).body.progress?.open ?? 0;
      return {
        mix:
          `storm: ${pings} pings (depth meter) to ${dead.size} meters that accept the connection and answer nothing, as ` +
          `group jobs (urgent lane), and ${singles} as jobs of one meter (interactive lane), one caller; meanwhile ${reads} ` +
          `readRegisters and then ${resets} resetDemand as jobs of one meter of another caller (interactive lane), ` +
          `${CONCURRENT} clients, one submission ` +
          `each ${PACE_MS} ms at most, timed from POST /jobs to closed; everything on this machine`,
        figures: [
          ...figuresOf("read alone", alone.ms),
          ...figuresOf("read in the storm", loaded.ms),
          ...figuresOf("demand reset alone", resetAlone.ms),
          ...figuresOf("demand reset in the storm", resetLoaded.ms),
          { name: "reads not done", value: alone.failed + loaded.failed, unit: "jobs" },
          { name: "demand resets not done", value: resetAlone.failed + resetLoaded.failed, unit: "jobs" },
          { name: "group pings still open after the reads", value: waiting, unit: "tasks" },
        ],
        ratios: {
          ...ratiosOf("read", loaded.ms, alone.ms),
          ...ratiosOf("demand reset", resetLoaded.ms, resetAlone.ms),
        },
      };
    } finally {
      await headend.stop();
    }
  },
};
