import { collected } from "../../shared/jobs/concurrency.ts";
import { CALLER, engine, meterRows } from "../../shared/jobs/engine-fixture.ts";
import type { Job, JobId } from "../../shared/jobs/job.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { encodeMessage, ResultBatch, type TaskReport, type WorkItem } from "../../shared/jobs/messages.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import { SPLIT_PART, tallyOf } from "../../shared/jobs/progress.ts";
import { advance } from "../../shared/jobs/slice-machine.ts";
import { type SlotState, slotState, slotsIn } from "../../shared/jobs/slots.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { sweepLedger } from "../../shared/jobs/sweep.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below, chance, type Random, seeded } from "../../shared/ports/random.ts";
import { ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { readReadings } from "../../shared/readings/read-readings.ts";

class Injected extends Error {}

/** Every call may fail before or after it had its effect, as a network does. */
function unreliable<T extends object>(port: T, random: Random, fault: { probability: number }): T {
  const wrapped = Object.entries(port).map(([name, call]) => {
    if (typeof call !== "function" || name === "slicesOf" || name === "dueSlices") return [name, call];
    const faulty = async (...given: unknown[]): Promise<unknown> => {
      if (chance(random, fault.probability)) throw new Injected(`${name} did not happen`);
      const answer: unknown = await (call as (...given: unknown[]) => unknown)(...given);
      if (chance(random, fault.probability)) throw new Injected(`${name} happened, its answer is lost`);
      return answer;
    };
    return [name, faulty];
  });
  return Object.fromEntries(wrapped) as T;
}

interface Holder {
  readonly item: WorkItem;
  readonly generation: number;
  readonly owner: string;
  waiting: number[];
}

const SEGMENTS = [0, 5, 64];
const EACH = 5;
const PERIOD_MS = 900_000;

/** Planner, bridges, ingest and sweep over ports in memory, with one seeded scheduler that does them harm. */
export async function engineWorld(seed: number) {
  const random = seeded(`engine-${seed}`);
  const fault = { probability: 0 };
  const base = engine(meterRows(SEGMENTS, EACH));
  const blocks = memoryDayBlocks();
  const ledger = base.ports.ledger;
  const ports = {
    ...base.ports,
    random,
    ledger: unreliable(ledger, random, fault),
    lanes: unreliable(base.ports.lanes, random, fault),
    blocks: unreliable(blocks, random, fault),
    batches: unreliable(memoryBatches(nodeCrypto), random, fault),
  };
  const results: string[] = [];
  const holders: Holder[] = [];
  /** Readings that ingest has acknowledged: they have to be there for ever. */
  const accepted = new Map<string, bigint>();
  const final = new Map<string, SlotState>();
  let [batches, owners] = [0, 0];

  const outcome = await submitJob(base.ports, CALLER, {
    operation: { kind: "readRegisters" },
    target: { kind: "all" },
    retry: { passes: 2, backoffSeconds: 30 },
    deadline: base.clock.now() + 3 * 3_600_000,
  });
  if (outcome.kind !== "accepted") throw new Error(outcome.because);
  const { jobId } = outcome;
  const job = async (): Promise<Job> => {
    const found = await ledger.job(jobId);
    if (found === undefined) throw new Error("the job is gone");
    return found;
  };

  const report = (holder: Holder, slot: number): TaskReport => {
    const at = base.clock.now();
    const kind = below(random, 4);
    const end = Math.floor(at / PERIOD_MS) * PERIOD_MS;
    return {
      slot,
      meterId: MeterId.parse(`M-${holder.item.segment}-${slot}`),
      attempt: 1,
      at,
      ...(kind < 2
        ? {
            outcome: { kind: "done" },
            registers: [{ m: "energy.active.import.total", v: BigInt(at), s: 0 }],
            intervals: [
              {
                set: "load",
                period: 900,
                channels: [{ m: "energy.active.import.total", s: 0 }],
                ends: [end],
                values: [[BigInt(end)]],
                status: [0],
              },
            ],
          }
        : { outcome: { kind: "failed", reason: "timeout", code: "test", retry: kind === 2 ? "later" : "never" } }),
    };
  };
  const say = (holder: Holder, tasks: TaskReport[], passOver: boolean): void => {
    const { job: ofJob, segment, part } = holder.item;
    const { generation, owner } = holder;
    const batch = `${owner}-${++batches}`;
    const sentAt = base.clock.now();
    results.push(
      encodeMessage(ResultBatch, {
        v: 1,
        batch,
        bridge: owner,
        lane: "bulk",
        job: ofJob,
        segment,
        part,
        generation,
        sentAt,
        tasks,
        passOver,
      }),
    );
  };
  const pick = <T>(items: T[], keep: number): T | undefined => {
    const index = below(random, Math.max(1, items.length));
    return chance(random, keep) ? items[index] : items.splice(index, 1)[0];
  };

  const actions: readonly (() => Promise<void>)[] = [
    async () => {
      const item = pick(base.sent, 0.2); // delivered again later
      if (item === undefined) return;
      const { lane: _lane, ...work } = item;
      const slice = await ledger.slice({ jobId: item.job, segment: item.segment, part: item.part });
      if (slice === undefined) return;
      const owner = `b${++owners}`;
      const step = advance(slice, { input: "taken", generation: item.generation, owner, now: base.clock.now() });
      if (step.kind === "ignored" || (await ledger.writeSlice(slice, step.slice)) === "conflict") return;
      holders.push({
        item: work,
        generation: step.slice.generation,
        owner,
        waiting: slotsIn(step.slice.slots, "open"),
      });
    },
    async () => {
      const holder = holders[below(random, Math.max(1, holders.length))];
      if (holder === undefined) return;
      const now = holder.waiting.splice(0, 1 + below(random, 3));
      const over = holder.waiting.length === 0;
      if (over) holders.splice(holders.indexOf(holder), 1);
      say(
        holder,
        now.map((slot) => report(holder, slot)),
        over,
      );
    },
    async () => {
      const holder = holders[below(random, Math.max(1, holders.length))];
      if (holder === undefined || !chance(random, 0.3)) return;
      holders.splice(holders.indexOf(holder), 1); // killed, or drained in good order
      if (!chance(random, 0.3)) return;
      const slice = await ledger.slice({
        jobId: holder.item.job,
        segment: holder.item.segment,
        part: holder.item.part,
      });
      if (slice === undefined) return;
      const step = advance(slice, { input: "drained", owner: holder.owner, now: base.clock.now() });
      if (step.kind === "next") await ledger.writeSlice(slice, step.slice);
    },
    async () => {
      const body = pick(results, 0.15);
      if (body === undefined) return;
      try {
        await ingestBatch(ports, body);
      } catch (error) {
        results.push(body);
        throw error;
      }
      const { segment, tasks } = JSON.parse(body) as {
        segment: number;
        tasks: { slot: number; registers?: { v: string }[]; at: number }[];
      };
      for (const { slot, registers = [], at } of tasks)
        for (const { v } of registers) accepted.set(`${segment}#${slot}#${at}`, BigInt(v));
    },
    async () => base.clock.pass(below(random, 40_000)),
    async () => {
      base.clock.pass(60_000);
      await sweepLedger(ports);
    },
    async () => {
      if ((await job()).state === "planning") await planJob(ports, await job());
    },
    async () => ledger.raiseWatermark("bulk", base.clock.now()),
  ];

  /** What must hold after every step. */
  const check = async (): Promise<void> => {
    const { state, tasks } = await job();
    const { progress } = await tallyOf(ledger.slicesOf(jobId), 0);
    const sum = progress.open + progress.done + progress.failed + progress.expired + progress.cancelled;
    if (state !== "planning" && sum !== SEGMENTS.length * EACH) throw new Error(`${sum} tasks are accounted for`);
    if (tasks !== undefined && tasks !== SEGMENTS.length * EACH) throw new Error(`the job has ${tasks} tasks`);
    if (state === "closed" && progress.open > 0) throw new Error("a closed job has open tasks");
    for (const { segment, slots } of await collected(ledger.slicesOf(jobId)))
      for (let slot = 0; slot < EACH; slot++) {
        const now = slotState(slots, slot);
        if (now === "open" || now === "untargeted") continue;
        const was = final.get(`${segment}#${slot}`);
        if (was !== undefined && was !== now) throw new Error(`task ${segment}#${slot} was ${was}, is ${now}`);
        final.set(`${segment}#${slot}`, now);
      }
    for (const key of final.keys()) {
      const [segment, slot] = key.split("#").map(Number);
      const holding = (await collected(ledger.slicesOf(jobId))).filter(
        (slice) => slice.segment === segment && slotState(slice.slots, slot ?? 0) !== "untargeted",
      );
      if (holding.length !== 1) throw new Error(`task ${key} is in ${holding.length} slices`);
    }
  };

  return {
    jobId: jobId as JobId,
    clock: base.clock,
    job,
    check,
    async step(probability: number): Promise<void> {
      fault.probability = probability;
      try {
        await actions[below(random, actions.length)]?.();
      } catch (error) {
        if (error instanceof HeadraceError && error.retry === "later") return; // the queue delivers it again
        if (!(error instanceof Injected)) throw error;
      } finally {
        fault.probability = 0;
      }
    },
    /** What the faults led to: slices of one, and the most generations of a slice. */
    async reached(): Promise<{ readonly ones: number; readonly generation: number }> {
      const slices = await collected(ledger.slicesOf(jobId));
      return {
        ones: slices.filter(({ part }) => part >= SPLIT_PART).length,
        generation: Math.max(...slices.map(({ generation }) => generation)),
      };
    },
    /** Accepted readings are all there, each once. */
    async readings(): Promise<void> {
      for (const segment of SEGMENTS)
        for (let slot = 0; slot < EACH; slot++) {
          const wanted = [...accepted].filter(([key]) => key.startsWith(`${segment}#${slot}#`));
          const { registers, intervals } = await readReadings(
            { blocks },
            { segment, slot },
            0 + base.clock.now() - 10 * 86_400_000,
            base.clock.now(),
          );
          const stored = new Map(registers.map(({ at, value }) => [`${segment}#${slot}#${at}`, value]));
          if (stored.size !== registers.length) throw new Error(`a register of ${segment}#${slot} is stored twice`);
          for (const [key, value] of wanted) if (stored.get(key) !== value) throw new Error(`reading ${key} is lost`);
          const ends = intervals.flatMap(({ entries }) => entries.map(({ end }) => end));
          if (new Set(ends).size !== ends.length) throw new Error(`an interval of ${segment}#${slot} is stored twice`);
        }
    },
  };
}
