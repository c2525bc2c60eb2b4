import type { Batches } from "../../shared/jobs/batches.ts";
import type { Lanes } from "../../shared/jobs/lanes.ts";
import { encodeMessage, WorkItem } from "../../shared/jobs/messages.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import { runSchedules, type SchedulePorts } from "../../shared/jobs/run-schedules.ts";
import { sweepLedger } from "../../shared/jobs/sweep.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below } from "../../shared/ports/random.ts";
import type { DayBlocks } from "../../shared/readings/blocks.ts";
import { ingestBatch, type Keeper } from "../../shared/readings/ingest-batch.ts";
import type { PushCounters } from "../../shared/security/push-window.ts";
import { effect, Unavailable } from "./effects.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { Delivery } from "./simulated-queue.ts";
import type { World } from "./world-ports.ts";

/** Most invocations of ingest at once, and most messages of one. */
const INGEST_MAX = 2;
const INGEST_BATCH = 10;
/** The queue gives a message back after so many receives; the one before parks it. */
const RECEIVES_MAX = 9;
/** Functions' clocks differ by so much, ms. */
const SKEW_MS = 2_000;

/** What invocations are made with: the ports that belong to no process. */
export interface FunctionPorts {
  readonly base: SchedulePorts;
  readonly blocks: DayBlocks;
  readonly batches: Batches;
  /** What ingest keeps beside readings; the effects are those of the process. */
  readonly keepers?: (process: SimulatedProcess) => readonly Keeper[];
  /** Absent: no meter says anything by itself. */
  readonly pushes?: PushCounters;
  /** What the tick starts besides sweep and schedules. */
  readonly closing?: (process: SimulatedProcess, jobs: SchedulePorts) => Promise<unknown>;
}

/** The functions of the deployment: what starts them, and their invocations, each a process of its own. */
export class Functions {
  readonly #world: World;
  readonly #ports: FunctionPorts;
  /** What the platform does when an invocation dies. */
  readonly onCrash = new Map<SimulatedProcess, () => void>();
  /** Results that came after their task had ended. */
  late = 0;
  #ingesting = 0;
  #pumping = false;

  constructor(world: World, ports: FunctionPorts) {
    this.#world = world;
    this.#ports = ports;
    this.#awaitResults();
  }

  get atRest(): boolean {
    return this.#ingesting === 0;
  }

  /** The ports of `shared/jobs` for one process. */
  jobPorts(process: SimulatedProcess): SchedulePorts {
    const world = this.#world;
    const { base } = this.#ports;
    const call = <T>(what: string, run: () => Promise<T>) => effect(world, process, what, run, { reads: true });
    return {
      ...base,
      ledger: world.ledger.of(process),
      lanes: this.#lanes(process),
      clock: process.clock,
      random: world.random,
      planner: { start: (jobId) => call("start the planner", async () => this.plan(jobId)) },
      targets: {
        ...base.targets,
        places: (meterIds) => call("places", () => base.targets.places(meterIds)),
      },
      orders: {
        acceptOrder: (place, order) =>
          call(`accept order at ${place.segment}/${place.slot}`, async () => {
            const accepted = await world.access.acceptOrder(place, order);
            if (accepted) world.switching?.invariants.ordered(`${place.segment}/${place.slot}`, order);
            return accepted;
          }),
      },
      ...(world.switching === undefined ? {} : { gate: world.switching.gate(process) }),
      schedules: {
        ...base.schedules,
        list: () => call("list schedules", () => base.schedules.list()),
        write: (was, next) =>
          effect(world, process, "write schedule", () => base.schedules.write(was, next), { lost: () => "conflict" }),
      },
    };
  }

  #lanes(process: SimulatedProcess): Lanes {
    const world = this.#world;
    const { faults } = world;
    return {
      send: async (lane, items) => {
        for (const [place, item] of items.entries()) {
          const about = { jobId: item.job, segment: item.segment, part: item.part };
          const send = async (): Promise<void> => world.lanes[lane].send(encodeMessage(WorkItem, item), about);
          // One call sends up to ten; what belongs to one call is accepted one by one.
          if (place % 10 === 0)
            await effect(world, process, `send ${lane} generation ${item.generation}`, send, { about });
          else await send();
          if (place === items.length - 1 || !faults.strikes("partial-batch")) continue;
          // Of what was accepted nobody notes that it was sent, either: all of it is sent again.
          for (const { job, segment, part } of items) faults.note("partial-batch", { jobId: job, segment, part });
          throw new Unavailable("some messages were not accepted");
        }
      },
    };
  }

  /** One invocation; what it throws is logged there, and here it is the fault that was injected or a finding. */
  #invoke(process: SimulatedProcess, run: () => Promise<unknown>): Promise<boolean> {
    const { random, violations, trace } = this.#world;
    process.offset = below(random, 2 * SKEW_MS + 1) - SKEW_MS;
    return run().then(
      () => true,
      (error: unknown) => {
        trace?.(() => `${process.name} fails: ${error instanceof Error ? error.message : String(error)}`);
        const expected = error instanceof Unavailable || (error instanceof HeadraceError && error.retry === "later");
        if (!expected) violations.first ??= `${process.name}: ${error instanceof Error ? error.stack : String(error)}`;
        return false;
      },
    );
  }

  /** An asynchronous invocation: a failed one is tried again, twice. */
  plan(jobId: string, tries = 0): void {
    const world = this.#world;
    const process = world.process("planner");
    const again = (): void => {
      if (tries < 2) world.time.after(60_000, () => this.plan(jobId, tries + 1));
    };
    this.onCrash.set(process, again);
    world.time.after(below(world.random, 2_000), () => {
      const ports = this.jobPorts(process);
      void this.#invoke(process, async () => {
        const job = await ports.ledger.job(jobId as Parameters<typeof ports.ledger.job>[0]);
        if (job !== undefined) await planJob(ports, job);
      }).then((done) => {
        this.onCrash.delete(process);
        if (!done) again();
      });
    });
  }

  /** The tick: sweep and schedules; what throws is tried again with the next one. */
  tick(): void {
    const world = this.#world;
    const sweep = world.process("sweep");
    void this.#invoke(sweep, () => sweepLedger(this.jobPorts(sweep)));
    const schedules = world.process("schedules");
    void this.#invoke(schedules, () => runSchedules(this.jobPorts(schedules), schedules.clock.now()));
    const close = this.#ports.closing;
    if (close === undefined) return;
    const closing = world.process("closing");
    void this.#invoke(closing, () => close(closing, this.jobPorts(closing)));
  }

  /** What somebody asks through the API. */
  ask(run: (ports: SchedulePorts, process: SimulatedProcess) => Promise<unknown>): Promise<boolean> {
    const process = this.#world.process("api");
    return this.#invoke(process, () => run(this.jobPorts(process), process));
  }

  #awaitResults(): void {
    this.#world.results.wait(() => this.#pump());
  }

  /** The event source: as many invocations as may be, each with what is visible. */
  #pump(): void {
    const { results, time, random } = this.#world;
    if (this.#pumping) return;
    this.#pumping = true;
    time.after(1 + below(random, 200), () => {
      this.#pumping = false;
      while (this.#ingesting < INGEST_MAX && results.hasVisible) {
        const taken = results.take(INGEST_BATCH);
        if (taken.length > 0) this.#ingest(taken);
      }
      if (this.#ingesting < INGEST_MAX) this.#awaitResults();
    });
  }

  #ingest(deliveries: readonly Delivery[]): void {
    const world = this.#world;
    const process = world.process("ingest");
    this.#ingesting++;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      this.#ingesting--;
      this.#awaitResults();
      if (world.results.hasVisible) this.#pump();
    };
    this.onCrash.set(process, end);
    void Promise.all(
      deliveries.map(async (delivery) => {
        const done = await this.#invoke(process, () => this.#record(process, delivery));
        return done ? [delivery] : [];
      }),
    ).then((done) => {
      // The event source deletes what did not fail, once the invocation has answered.
      for (const delivery of done.flat()) world.results.delete(delivery);
      this.onCrash.delete(process);
      end();
    });
  }

  async #record(process: SimulatedProcess, { message, receipt }: Delivery): Promise<void> {
    const world = this.#world;
    const { blocks, batches, keepers, pushes } = this.#ports;
    const { about } = message;
    const named = JSON.parse(message.body) as { readonly object?: string };
    const text = named.object === undefined ? message.body : await batches.get(named.object);
    const ports = {
      ledger: world.ledger.of(process),
      blocks: this.#blocks(process, blocks),
      batches: {
        ...batches,
        putText: (...given: Parameters<Batches["putText"]>) =>
          effect(world, process, "put evidence", () => batches.putText(...given), { about }),
      },
      clock: process.clock,
      random: world.random,
      crypto: nodeCrypto,
      keepers: keepers?.(process) ?? [],
      ...(pushes && { pushes: this.#pushes(process, pushes) }),
    };
    try {
      if (world.faults.strikes("partial-batch")) {
        world.faults.note("partial-batch", about);
        throw new Unavailable("this one of the batch fails");
      }
      const { outcomes } = await ingestBatch(ports, message.body);
      this.late += outcomes.late;
      if (text !== undefined) world.readings.accepted(text);
    } catch (error) {
      if (receipt < RECEIVES_MAX || !(error instanceof Unavailable)) throw error;
      world.results.parked.push(message);
    }
  }

  #pushes(process: SimulatedProcess, pushes: PushCounters): PushCounters {
    return {
      read: (keys) => effect(this.#world, process, "read counters of pushes", () => pushes.read(keys), { reads: true }),
      write: (key, window, was) =>
        effect(this.#world, process, `take counter of ${key.meterId}`, () => pushes.write(key, window, was), {
          lost: () => "conflict",
        }),
    };
  }

  #blocks(process: SimulatedProcess, blocks: DayBlocks): DayBlocks {
    const world = this.#world;
    return {
      ...blocks,
      read: (keys) => effect(world, process, "read blocks", () => blocks.read(keys), { reads: true }),
      write: (key, octets, was) =>
        effect(
          world,
          process,
          `write block ${key.segment}/${key.slot}`,
          async () => {
            const answer = await blocks.write(key, octets, was);
            if (answer === "written") world.readings.wrote(key, octets);
            return answer;
          },
          { lost: () => "conflict" },
        ),
      keep: (item) => effect(world, process, "keep superseded", () => blocks.keep(item)),
    };
  }
}
