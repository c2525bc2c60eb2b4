import { cancelJob } from "../../shared/jobs/cancel-job.ts";
import type { JobId } from "../../shared/jobs/job.ts";
import { below, chance } from "../../shared/ports/random.ts";
import type { Bridges } from "./bridges.ts";
import type { FaultKind } from "./fault-kinds.ts";
import type { Functions } from "./functions.ts";
import type { World } from "./world-ports.ts";

export interface IncidentPorts {
  readonly world: World;
  readonly bridges: Bridges;
  readonly functions: Functions;
  /** Somebody takes a meter of the segment for himself; absent: this world has no such. */
  readonly hold?: (segment: number) => void;
  /** A meter has accepted higher counters than ours; absent: this world has no such. */
  readonly outrun?: () => void;
}

/** How often, at most: mean pause in ms. */
const PAUSE_MS: Readonly<Partial<Record<FaultKind, number>>> = {
  drain: 150_000,
  outage: 450_000,
  "second-bridge": 200_000,
  freeze: 120_000,
  "clock-jump": 150_000,
  restore: 500_000,
  purged: 200_000,
  cancel: 500_000,
  pause: 300_000,
  held: 60_000,
  "high-counter": 60_000,
};
/** These are most interesting while somebody is at work. */
const WHEN_BUSY: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "drain",
  "freeze",
  "clock-jump",
  "restore",
  "cancel",
  "pause",
]);
const LOOK_MS = 700;
const LOOKS = 120;

/** As soon as a bridge works on a slice, and at the latest after a while. */
function whenBusy({ world, bridges }: Pick<IncidentPorts, "world" | "bridges">, strike: () => void, looks = 0): void {
  if (!world.faults.active) return;
  if (bridges.atRest && looks < LOOKS) world.time.after(LOOK_MS, () => whenBusy({ world, bridges }, strike, looks + 1));
  else world.time.after(below(world.random, 1_500), strike);
}

/** Bridges at once. */
const BRIDGES_MAX = 3;
const UNHEALTHY_MS = 30_000;

/** Whatever happens to the whole rather than to one call, at any time while faults are on. */
export function startIncidents(ports: IncidentPorts): void {
  const { world } = ports;
  for (const [kind, pause] of Object.entries(PAUSE_MS) as [FaultKind, number][]) {
    if (!world.faults.has(kind)) continue;
    const next = (): void => {
      world.time.after(1_000 + below(world.random, 2 * pause), () => {
        if (!world.faults.active) return;
        if (WHEN_BUSY.has(kind)) whenBusy(ports, () => INCIDENTS[kind]?.(ports));
        else INCIDENTS[kind]?.(ports);
        next();
      });
    };
    next();
  }
}

function anyJob({ ledgerView, random }: World): JobId | undefined {
  const jobIds = [...ledgerView.jobs.values()].flatMap(({ jobId, state }) => (state === "closed" ? [] : [jobId]));
  return jobIds[below(random, Math.max(1, jobIds.length))];
}

const INCIDENTS: Readonly<Partial<Record<FaultKind, (ports: IncidentPorts) => void>>> = {
  drain({ world, bridges }) {
    const each = bridges.pick();
    if (each === undefined) return;
    world.faults.note("drain", "all");
    bridges.drain(each, true);
  },
  outage({ world, bridges }) {
    world.faults.note("outage", "all");
    bridges.outage(1_500_000 + below(world.random, 1_500_000));
  },
  "second-bridge"({ world, bridges }) {
    if (bridges.running.size >= BRIDGES_MAX) return;
    world.faults.note("second-bridge", "all");
    bridges.start();
  },
  freeze({ world, bridges }) {
    const process = bridges.pick()?.process;
    if (process === undefined) return;
    world.faults.note("freeze", "all");
    process.frozenUntil = world.time.now + 1_000 + below(world.random, 60_000) + below(world.random, 70_000);
    process.disturbedAt = process.frozenUntil;
    world.trace?.(() => `${process.name} stands still until ${process.frozenUntil}`);
    // Its health check fails: a healthy one takes its place before it is found to live again.
    world.time.after(UNHEALTHY_MS, () => {
      if (process.frozenUntil > world.time.now && bridges.running.size < BRIDGES_MAX) bridges.start();
    });
  },
  "clock-jump"({ world, bridges }) {
    const process = bridges.pick()?.process;
    if (process === undefined) return;
    world.faults.note("clock-jump", "all");
    const far = chance(world.random, 0.3);
    process.offset = far ? below(world.random, 240_001) - 120_000 : below(world.random, 8_001) - 4_000;
    process.disturbedAt = world.time.now;
    world.clocksWrong ||= far;
    world.trace?.(() => `the clock of ${process.name} is put by ${process.offset} ms`);
  },
  restore({ world, bridges }) {
    world.faults.note("restore", "all");
    const older = world.access.copy();
    // What is written from now on is lost with the table.
    world.time.after(20_000 + below(world.random, 200_000), () => {
      if (!world.faults.active) return;
      world.faults.note("restore", "all");
      bridges.killAll();
      world.endOrders();
      world.access = older;
      world.epoch++;
      world.trace?.(() => `the access table is an older copy, epoch ${world.epoch}`);
      bridges.start();
    });
  },
  purged({ world }) {
    const queues = [...Object.values(world.lanes), world.results].filter(({ messages }) => messages.size > 0);
    const queue = queues[below(world.random, Math.max(1, queues.length))];
    if (queue === undefined) return;
    world.trace?.(() => `${queue.messages.size} messages are purged`);
    for (const message of [...queue.messages]) {
      world.faults.note("purged", message.about);
      queue.remove(message);
    }
  },
  cancel({ world, functions }) {
    const jobId = anyJob(world);
    if (jobId === undefined) return;
    world.faults.note("cancel", "all");
    void functions.ask((ports) => cancelJob(ports, jobId));
  },
  pause({ world, functions }) {
    const jobId = anyJob(world);
    if (jobId === undefined || world.job(jobId)?.state !== "running") return;
    world.faults.note("pause", "all");
    void functions.ask((ports) => ports.ledger.moveJob(jobId, "running", { state: "paused" }));
    world.time.after(5_000 + below(world.random, 400_000), () => resume(functions, jobId));
  },
  "high-counter"({ world, outrun }) {
    if (outrun === undefined) return;
    world.faults.note("high-counter", "all");
    outrun();
  },
  held({ world, hold }) {
    // Just when a bridge begins with the meter's slice: between its lease, its look and its dial.
    if (hold !== undefined)
      world.onReceive = ({ segment }) => void world.time.after(below(world.random, 100), () => hold(segment));
  },
};

/** Somebody thinks better of it while the planner is still at work. */
export const cancelSoon = (ports: IncidentPorts): void =>
  void ports.world.time.after(below(ports.world.random, 3_000), () => INCIDENTS.cancel?.(ports));

export const resume = (functions: Functions, jobId: JobId): void =>
  void functions.ask((ports) => ports.ledger.moveJob(jobId, "paused", { state: "running" }));
