import { memoryAccess } from "../../shared/bridge/memory-access.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { CALLER, engine, meterRows } from "../../shared/jobs/engine-fixture.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { memoryLedger } from "../../shared/jobs/memory-ledger.ts";
import { isOrder } from "../../shared/jobs/orders.ts";
import { SPLIT_PART } from "../../shared/jobs/progress.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below, chance, type Random, seeded } from "../../shared/ports/random.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { Bridges, type Meters } from "./bridges.ts";
import { CounterInvariants } from "./counter-invariants.ts";
import { dlmsMeters } from "./dlms-meters.ts";
import { EffectInvariants } from "./effect-invariants.ts";
import type { FaultKind } from "./fault-kinds.ts";
import { FaultPlan, type SliceStates } from "./fault-plan.ts";
import { Functions } from "./functions.ts";
import { type GroupCounts, GroupField } from "./group-field.ts";
import { cancelSoon, type IncidentPorts, resume, startIncidents } from "./incidents.ts";
import { LedgerInvariants } from "./ledger-invariants.ts";
import { holdMeter } from "./order-process.ts";
import { ReadingInvariants } from "./reading-invariants.ts";
import { type Ask, endSchedule, requests, type Size, SMALL, START, scheduleAt } from "./requests.ts";
import { type SimpleMeter, SimpleMeters } from "./simple-meters.ts";
import { simpleSwitch } from "./simple-switch.ts";
import { SimulatedLedger } from "./simulated-ledger.ts";
import { type ProcessKind, SimulatedProcess } from "./simulated-process.ts";
import { type QueuedMessage, SimulatedQueue } from "./simulated-queue.ts";
import { feederOf, Switching, transformerOf } from "./switching.ts";
import type { Violations } from "./violations.ts";
import { VirtualTime } from "./virtual-time.ts";
import type { World } from "./world-ports.ts";

export interface SeedResult {
  readonly seed: number;
  /** The first invariant that broke, and when. */
  readonly violation: string | undefined;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** `<slice state>×<fault>`. */
  readonly visited: ReadonlySet<string>;
  readonly steps: number;
  readonly readings: number;
  /** Effects of orders that happened. */
  readonly effects: number;
  /** Orders to switches that went out, and those that were called proved. */
  readonly switches: { readonly sent: number; readonly verified: number };
  /** The real DLMS driver and meters were in it. */
  readonly dlms: boolean;
  readonly reached: {
    /** Slices of one. */
    readonly splits: number;
    /** Generations beyond the first. */
    readonly resends: number;
    /** Results that came after their task had ended. */
    readonly late: number;
  };
  /** Of its group requests; absent: it had none. */
  readonly groups?: GroupCounts;
  /** How long it took to come to rest after the faults stopped, ms. */
  readonly restMs: number;
}

/** Of so many seeds one has the real driver and simulated DLMS meters. */
export const DLMS_EVERY = 20;
/** Of so many seeds one has requests to a group. */
const GROUPS_EVERY = 4;
/** And one orders to switches. */
const SWITCHES_EVERY = 4;
const TICK_MS = 60_000;
/** When faults have stopped, everything comes to rest within so long. */
export const REST_MS = 45 * 60_000;
/** A seed of the usual size takes some thousands: one that takes so many never comes to rest. */
export const STEPS_MAX = 2_000_000;
/** A dial may come so long after its job was stopped: two seconds of knowledge, the way there, clocks apart. */
const LATE_DIAL_MS = 8_000;
/** The same where calls take seconds. */
const SLOW_DIAL_MS = 30_000;

export interface WorldOptions {
  readonly size?: Size;
  /** Somebody asks a group, twice, or once and nobody anything else (`only`); absent: in one seed of so many. */
  readonly groups?: boolean | "only";
  /** Absent: those of the seed. */
  readonly faults?: (seed: number, random: Random, states: SliceStates) => FaultPlan;
  /** Tasks to begin with; default one. */
  readonly bridges?: number;
  /** How long there are faults; absent: as the seed says. */
  readonly faultMs?: number;
  /** Absent: `STEPS_MAX`. */
  readonly stepsMax?: number;
}

export async function simulate(
  seed: number,
  trace?: (line: string) => void,
  {
    size = SMALL,
    groups = seed % GROUPS_EVERY === GROUPS_EVERY - 1,
    faults: faultsOf = (...given) => new FaultPlan(...given),
    bridges: tasks = 1,
    faultMs,
    stepsMax = STEPS_MAX,
  }: WorldOptions = {},
): Promise<SeedResult> {
  const random = seeded(`simulate ${seed}`);
  const time = new VirtualTime(START + below(random, 3_600_000), stepsMax);
  const begun = time.now;
  const dlms = seed % DLMS_EVERY === 0;
  const switched = !dlms && groups !== "only" && seed % SWITCHES_EVERY === 1;
  const violations: Violations = { first: undefined };
  const readings = new ReadingInvariants(violations);
  const counters = new CounterInvariants(violations, () => time.now);
  const ledgerView: LedgerInvariants = new LedgerInvariants(
    {
      now: () => time.now,
      slots: size.each,
      excuses: (key) => faults.excuses(key),
      passOverSaid: (key, pass) => readings.passOverSaid(key, pass),
      isStored: (key, slot) => readings.isStored(key, slot),
      ended: (slice, slot, state, reason) => {
        const job = ledgerView.jobs.get(slice.jobId);
        // A restored access table does not know the newest orders: what a proof shows may be another one's.
        const knowsOrders = world.epoch === 1;
        if (job !== undefined && isOrder(job) && !dlms && knowsOrders) effects.ended(slice, slot, state, reason);
      },
      clocksWrong: () => world.clocksWrong,
    },
    violations,
  );
  const effects = new EffectInvariants(ledgerView, violations, () => time.now);
  const faults: FaultPlan = faultsOf(seed, random, ledgerView);
  const say =
    trace && ((line: () => string): void => trace(`${((time.now - begun) / 1000).toFixed(3).padStart(9)} ${line()}`));

  const inFlight = new Map<string, number>();
  const counted = ({ about }: QueuedMessage, by: 1 | -1): void => {
    const key = `${about.jobId}#${about.segment}.${about.part}`;
    const now = (inFlight.get(key) ?? 0) + by;
    inFlight.set(key, now);
    if (now > 2 + faults.excuses(about))
      violations.first ??= `${now} messages of ${key} are in flight after ${faults.excuses(about)} faults that explain one`;
  };
  const queuePorts = { time, random, faults };
  const lane = () => new SimulatedQueue(queuePorts, counted);
  const names = new Map<ProcessKind, number>();
  const orders: SimulatedProcess[] = [];
  const base = engine(meterRows(size.segments, size.each));
  const batches = memoryBatches(nodeCrypto);
  const world: World = {
    time,
    random,
    faults,
    violations,
    ledgerView,
    readings,
    counters,
    ledger: undefined as never,
    lanes: { commands: lane(), interactive: lane(), urgent: lane(), bulk: lane(), images: lane() },
    results: new SimulatedQueue(queuePorts),
    access: memoryAccess(),
    epoch: 1,
    onReceive: undefined,
    clocksWrong: false,
    job: (jobId) => ledgerView.jobs.get(jobId),
    process(kind) {
      const number = (names.get(kind) ?? 0) + 1;
      names.set(kind, number);
      const process = new SimulatedProcess(time, kind, `${kind}-${number}`);
      if (kind === "order") orders.push(process);
      return process;
    },
    endOrders() {
      for (const process of orders.splice(0)) process.dead = true;
      counters.releasedAll();
    },
    crash(process) {
      process.dead = true;
      if (process.kind === "bridge") bridges.crash(process);
      functions.onCrash.get(process)?.();
    },
    trace: say,
  };
  Object.assign(world, { ledger: new SimulatedLedger(memoryLedger(), world, time, ledgerView) });

  if (switched) Object.assign(world, { switching: new Switching(world, seed) });
  const places = meterRows(size.segments, size.each).map(([meterId, place]) => ({ ...place, meterId }));
  const simple = dlms ? undefined : simpleMeters(world, places);
  const meters: Meters = simple?.meters ?? dlmsMeters(seed, places, world);
  for (const item of meters.items) await world.access.createAccessItem(item);
  const group =
    groups && simple !== undefined ? new GroupField(world, [...simple.simple.byPort.values()], seed) : undefined;
  if (group !== undefined) base.groupRoutes.set(group.route.name, group.route);
  const bridges: Bridges = new Bridges(world, meters, batches, group);
  const functions = new Functions(world, { base: base.ports, blocks: memoryDayBlocks(), batches });

  // What is asked.
  let answered = 0;
  const others = groups === "only" ? [] : requests(world, dlms, size);
  const switching = world.switching?.asks(places.map(({ meterId }) => meterId)) ?? [];
  const asks = [
    ...others,
    ...switching,
    ...(world.switching?.credits(places.map(({ meterId }) => meterId)) ?? []),
    ...(group === undefined ? [] : groupAsks(group, begun, groups === "only" ? 1 : 2)),
  ];
  for (const { at, request, caller = CALLER } of asks)
    time.at(at, () => {
      const ask = (tries: number): void =>
        void functions
          .ask((ports) => submitJob(ports, caller, request))
          .then((done) => {
            if (done || tries === 5) answered++;
            if (!done && tries < 5) time.after(5_000, () => ask(tries + 1));
            else if (faults.has("cancel") && chance(random, 0.2)) cancelSoon(incidents);
          });
      ask(0);
    });

  const scheduled = groups !== "only" && chance(random, 0.35);
  if (scheduled) await base.ports.schedules.create(scheduleAt(world, dlms));

  const ticking = (): void => {
    functions.tick();
    time.after(TICK_MS, ticking);
  };
  time.after(below(random, TICK_MS), ticking);
  for (let task = 0; task < tasks; task++) bridges.start();
  const held = simple?.simple;
  const anyMeter = held === undefined ? [] : [...held.byPort.values()];
  const incidents: IncidentPorts = {
    world,
    bridges,
    functions,
    ...(held === undefined
      ? {}
      : {
          outrun: () => {
            const meter = anyMeter[below(random, anyMeter.length)];
            if (meter !== undefined) meter.last += below(random, 100_000);
          },
          hold: (segment: number) => {
            const there = anyMeter.filter((each) => each.segment === segment);
            const meter = there[below(random, there.length)];
            if (meter !== undefined) void holdMeter(world, held, meter);
          },
        }),
  };
  startIncidents(incidents);
  world.switching?.start(functions, places);

  const broken = (): boolean => violations.first !== undefined;
  const seededMs = 300_000 + below(random, faults.enabled.has("outage") ? 3_600_000 : 1_200_000);
  await time.run(broken, begun + (faultMs ?? seededMs));

  // Faults stop; what was stopped goes on, and a bridge is there.
  faults.active = false;
  world.switching?.calm();
  const calmFrom = time.now;
  say?.(() => "the faults stop");
  for (const { process } of bridges.running) process.offset = Math.max(-4_000, Math.min(4_000, process.offset));
  const resumeAll = (): void => {
    for (const { jobId, state } of ledgerView.jobs.values()) if (state === "paused") resume(functions, jobId);
    time.after(TICK_MS, resumeAll); // somebody who stood still may pause one yet
  };
  resumeAll();
  if (scheduled) void functions.ask(endSchedule);
  if (bridges.running.size === 0) bridges.restart();
  const isClosed = (): boolean => [...ledgerView.jobs.values()].every(({ state }) => state === "closed");
  const isEmpty = (): boolean =>
    world.results.messages.size === 0 && Object.values(world.lanes).every(({ messages }) => messages.size === 0);
  const atRest = (): boolean =>
    answered >= asks.length && isClosed() && isEmpty() && functions.atRest && bridges.atRest;
  const rested = await time.run(() => broken() || atRest(), calmFrom + REST_MS);
  if (time.exhausted) violations.first ??= `seed ${seed} livelocks: expected to come to rest within ${stepsMax} steps`;
  if (!rested) {
    const left = [...ledgerView.slices.values()].flatMap(({ state }) => (state === "closed" ? [] : [state]));
    const waiting = Object.values(world.lanes).reduce((sum, { messages }) => sum + messages.size, 0);
    violations.first ??= `no rest after ${REST_MS / 60_000} minutes: slices ${left.join(", ") || "closed"}; ${waiting} messages in lanes, ${world.results.messages.size} results${functions.atRest ? "" : "; ingest is busy"}${bridges.atRest ? "" : "; bridges are busy"}`;
  }
  meters.check();
  group?.check();
  const all = [...ledgerView.slices.values()];
  const violation = violations.first && `${violations.first} (at ${((time.now - begun) / 1000).toFixed(3)} s)`;
  return {
    seed,
    violation,
    faults: faults.counts,
    visited: faults.visited,
    steps: time.steps,
    readings: readings.count,
    effects: effects.count,
    switches: { sent: world.switching?.invariants.sends ?? 0, verified: world.switching?.invariants.verified ?? 0 },
    dlms,
    reached: {
      splits: all.filter(({ part }) => part >= SPLIT_PART).length,
      resends: all.reduce((sum, { generation }) => sum + generation - 1, 0),
      late: functions.late,
    },
    ...(group === undefined ? {} : { groups: group.counts }),
    restMs: time.now - calmFrom,
  };

  function simpleMeters(of: World, at: typeof places): { meters: Meters; simple: SimpleMeters } {
    const high = of.faults.strikes("high-counter");
    const switches = switched ? seeded(`switches ${seed}`) : undefined;
    const all: SimpleMeter[] = at.map(({ segment, slot, meterId }, index) => {
      const isHigh = high && chance(random, 0.5);
      if (isHigh) of.faults.note("high-counter", undefined);
      const systemTitle = (index + 1).toString(16).padStart(16, "0");
      const last = isHigh ? below(random, 900_000) : -1;
      const relay = switches && simpleSwitch(switches);
      return {
        meterId,
        segment,
        slot,
        systemTitle,
        port: 1 + index,
        last,
        reads: 0,
        lastReadAt: 0,
        resets: 0,
        funds: 0,
        relay,
      };
    });
    const owners = new SimpleMeters(all, {
      random,
      faults: of.faults,
      counters,
      now: () => time.now,
      after: (ms, run) => time.after(ms, run),
      asked,
      happens,
      switches: () => world.switching?.invariants,
    });
    const items = all.map(
      ({ meterId, segment, slot, systemTitle, port }): AccessItem => ({
        segment,
        slot,
        meterId: MeterId.parse(meterId),
        routes: [{ kind: "dial", host: "127.0.0.1", port, transport: "tcp" }],
        feeder: feederOf({ segment }),
        transformer: transformerOf({ segment, slot }),
        profile: { name: "generic-eu", version: 1 },
        systemTitle,
        sealedKeys: { blob: new Uint8Array(1), version: 1 },
        counterOffset: 0n,
        releasedBase: 0n,
        lastOrder: 0,
        flags: { medical: false, priority: false, moratorium: false },
      }),
    );
    return {
      simple: owners,
      meters: {
        items,
        drivers: (process) => [owners.driver(process)],
        dial: (process) => owners.dial(process),
        keys: () => ({ unicast: "00".repeat(16), authentication: "00".repeat(16) }),
        check: () => undefined,
      },
    };
  }

  async function happens(process: SimulatedProcess, meter: SimpleMeter): Promise<void> {
    effects.happens(meter, process, (await world.access.read(meter))?.hold?.owner);
  }

  /** A session asks for a job that does not run: cancelled, paused, or past its deadline. */
  function asked(process: SimulatedProcess, meter: SimpleMeter, operation: Operation, dialledAt: number): void {
    if (process.disturbedAt + 180_000 > dialledAt || process.frozenUntil + 180_000 > dialledAt) return;
    const lateMs = faults.enabled.has("slow") ? SLOW_DIAL_MS : LATE_DIAL_MS;
    const jobs = [...ledgerView.jobs.values()].filter(
      (job) => JSON.stringify(job.operation) === JSON.stringify(operation),
    );
    const late = jobs.every(
      ({ jobId, deadline }) =>
        Math.min(deadline, ledgerView.stoppedAt.get(jobId) ?? Number.POSITIVE_INFINITY) + lateMs < dialledAt,
    );
    if (late)
      violations.first ??= `${process.name} dials ${meter.meterId} for a job that is stopped or past its deadline`;
  }
}

/** The second one while the first may still be polling. */
const groupAsks = (group: GroupField, begun: number, count: number): readonly Ask[] =>
  [20_000, 500_000].slice(0, count).map((afterMs, number) => ({ at: begun + afterMs, request: group.request(number) }));
