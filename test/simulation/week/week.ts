import { memoryAccess } from "../../../shared/bridge/memory-access.ts";
import { memoryAlarms, memoryTimeline } from "../../../shared/events/memory-timeline.ts";
import { CALLER, engine } from "../../../shared/jobs/engine-fixture.ts";
import { memoryBatches } from "../../../shared/jobs/memory-batches.ts";
import { memoryLedger } from "../../../shared/jobs/memory-ledger.ts";
import { Schedule } from "../../../shared/jobs/schedule.ts";
import { type JobRequest, submitJob } from "../../../shared/jobs/submit-job.ts";
import type { SegmentMembers, Targets } from "../../../shared/jobs/targets.ts";
import { keepCounts } from "../../../shared/kpi/fleet-history.ts";
import { memoryFleetHistory } from "../../../shared/kpi/memory-fleet-history.ts";
import { nodeCrypto } from "../../../shared/ports/node-crypto.ts";
import { fraction, type Random, seeded } from "../../../shared/ports/random.ts";
import { closeSegmentDay } from "../../../shared/readings/close-day.ts";
import { closeDays, DEADLINE_MS } from "../../../shared/readings/close-days.ts";
import { jobsAbout } from "../../../shared/readings/jobs-about.ts";
import { memoryDayBlocks } from "../../../shared/readings/memory-day-blocks.ts";
import { memoryDaySummaries } from "../../../shared/readings/memory-day-summaries.ts";
import { memoryFleetColumns } from "../../../shared/readings/memory-fleet-columns.ts";
import { memoryMissingRecords } from "../../../shared/readings/memory-missing-records.ts";
import { type DayCounts, NOTHING_COUNTED, sumOf } from "../../../shared/readings/missing-records.ts";
import { ALL, type MemberSet } from "../../../shared/registry/member-sets.ts";
import { memoryPushCounters } from "../../../shared/security/push-window.ts";
import { Bridges } from "../bridges.ts";
import { CounterInvariants } from "../counter-invariants.ts";
import type { FaultKind } from "../fault-kinds.ts";
import { FaultPlan, type SliceStates } from "../fault-plan.ts";
import { Functions } from "../functions.ts";
import { LedgerInvariants } from "../ledger-invariants.ts";
import { simulatedKeepers } from "../simulated-keepers.ts";
import { SimulatedLedger } from "../simulated-ledger.ts";
import { SimulatedProcess } from "../simulated-process.ts";
import { SimulatedQueue } from "../simulated-queue.ts";
import type { Violations } from "../violations.ts";
import { VirtualTime } from "../virtual-time.ts";
import type { World } from "../world-ports.ts";
import type { FieldMeter } from "./field-meter.ts";
import { countWeek, type WeekCount, type WeekStores } from "./week-count.ts";
import { WeekField } from "./week-field.ts";
import { compareKpis, type Enrolment } from "./week-kpis.ts";
import { DAY_MS, deviceAt, isWatched, SEGMENT_METERS, type WeekOptions, type WeekPlan, weekPlan } from "./week-plan.ts";
import { WeekSleepers } from "./week-sleepers.ts";

/** How often things of the engine itself go wrong, an occasion. */
const TROUBLES: Readonly<Partial<Record<FaultKind, number>>> = {
  duplicated: 0.01,
  throttled: 0.001,
  "answer-lost": 0.001,
  conflict: 0.002,
  "crash-ingest": 0.002,
  "crash-planner": 0.002,
  "crash-sweep": 0.0002,
  "crash-bridge": 0.0001,
};

class Troubles extends FaultPlan {
  readonly #random: Random;
  constructor(seed: number, random: Random, states: SliceStates) {
    super(seed, random, states);
    this.#random = random;
  }
  override has(): boolean {
    return false;
  }
  override strikes(kind: FaultKind): boolean {
    const share = TROUBLES[kind];
    return this.active && share !== undefined && fraction(this.#random) < share;
  }
}

/** When the last day has been closed, and what was missing then read again twice. */
const AFTER_MS = 30 * 3_600_000;
const TICK_MS = 60_000;
const HOUR_SECONDS = 3600;

export interface WeekResult extends WeekCount {
  readonly violation: string | undefined;
  readonly sessions: WeekField["sessions"];
  /** Jobs that the closing passes began. */
  readonly targeted: number;
  /** Jobs of schedules. */
  readonly scheduled: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly steps: number;
  /** Of the clock that was behind by an hour, minus true time, ms. */
  readonly clockOffMs: number | undefined;
  readonly wakes: WeekSleepers["wakes"];
  /** Meters that communicated in the last hour, and days of which the fleet's counts are kept. */
  readonly heard: number;
  readonly daysCounted: number;
}

const schedules = (now: number): readonly Schedule[] => {
  const common = { caller: CALLER, createdAt: now, version: 1, enabled: true };
  return [
    {
      ...common,
      scheduleId: "billing",
      name: "Billing",
      // In the hour that is there twice, the night that summer time ends.
      cron: "30 2 * * *",
      timeZone: "Europe/Vienna",
      // Local days have up to 25 hours.
      operation: { kind: "readIntervals", lastSeconds: 26 * HOUR_SECONDS, registers: "total" },
      target: { kind: "all" },
      retry: { passes: 3, backoffSeconds: 600 },
      deadlineSeconds: 4 * HOUR_SECONDS,
      nextRunAt: now + 1,
    },
    {
      ...common,
      scheduleId: "watch",
      name: "Watch",
      cron: "0 */4 * * *",
      timeZone: "UTC",
      operation: { kind: "readIntervals", lastSeconds: 5 * HOUR_SECONDS },
      target: { kind: "group", group: "watched" },
      lane: "urgent",
      retry: { passes: 2, backoffSeconds: 300 },
      deadlineSeconds: HOUR_SECONDS,
      nextRunAt: now + 1,
    },
    {
      ...common,
      scheduleId: "events",
      name: "Events",
      cron: "30 3 * * *",
      timeZone: "Europe/Vienna",
      operation: { kind: "readEvents", lastSeconds: 3 * 24 * HOUR_SECONDS },
      target: { kind: "all" },
      retry: { passes: 2, backoffSeconds: 600 },
      // Modules that sleep wake within twelve hours.
      deadlineSeconds: 13 * HOUR_SECONDS,
      nextRunAt: now + 1,
    },
  ].map((schedule) => Schedule.parse(schedule));
};

/** A simulated week: what it came to, counted twice. */
export async function simulateWeek(options: WeekOptions, trace?: (line: string) => void): Promise<WeekResult> {
  const plan = weekPlan(options);
  const { seed, start, end } = plan;
  const random = seeded(`week ${seed}`);
  const time = new VirtualTime(start);
  const now = (): number => time.now;
  const violations: Violations = { first: undefined };
  const counters = new CounterInvariants(violations, now);
  const ledgerView: LedgerInvariants = new LedgerInvariants(
    {
      now,
      slots: SEGMENT_METERS + plan.exchanges.length,
      excuses: () => Number.POSITIVE_INFINITY,
      passOverSaid: () => true,
      isStored: () => true, // counted at the end
      ended: () => undefined,
      clocksWrong: () => false,
    },
    violations,
  );
  const faults = new Troubles(seed, random, ledgerView);
  const say = trace && ((line: () => string): void => trace(`${new Date(time.now).toISOString()} ${line()}`));
  const queuePorts = { time, random, faults };
  const names = new Map<string, number>();
  const lane = (): SimulatedQueue => new SimulatedQueue(queuePorts);
  const world: World = {
    time,
    random,
    faults,
    violations,
    ledgerView,
    readings: { sent: () => undefined, accepted: () => undefined, wrote: () => undefined },
    counters,
    ledger: undefined as never,
    lanes: { commands: lane(), interactive: lane(), urgent: lane(), bulk: lane(), images: lane() },
    results: lane(),
    access: memoryAccess(),
    epoch: 1,
    onReceive: undefined,
    clocksWrong: false,
    job: (jobId) => ledgerView.jobs.get(jobId),
    process(kind) {
      const number = (names.get(kind) ?? 0) + 1;
      names.set(kind, number);
      return new SimulatedProcess(time, kind, `${kind}-${number}`);
    },
    endOrders: () => undefined,
    crash(process) {
      process.dead = true;
      if (process.kind === "bridge") bridges.crash(process);
      functions.onCrash.get(process)?.();
    },
    trace: say,
  };
  Object.assign(world, { ledger: new SimulatedLedger(memoryLedger(), world, time, ledgerView) });

  const field = new WeekField(plan, now);
  const enrolments: Enrolment[] = [];
  const enrol = async (meter: FieldMeter): Promise<void> => {
    if (!field.meters.includes(meter)) field.meters.push(meter);
    Object.assign(meter, { isKnown: true, enrolled: true });
    enrolments.push({ meter, from: time.now, until: Number.POSITIVE_INFINITY });
    const { meterId, place, port, profile, title, plan: channels, collector, keys, thing } = meter;
    await world.access.createAccessItem({
      ...place,
      meterId,
      profile: { name: profile.name, version: profile.version },
      systemTitle: title,
      routes: [
        thing === undefined ? { kind: "dial", host: "127.0.0.1", port, transport: "tcp" } : { kind: "sleepy", thing },
      ],
      plan: channels,
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
      ...(collector === undefined ? {} : { collector }),
      ...(Object.keys(keys).length === 0 ? {} : { sealedKeys: { blob: new Uint8Array(1), version: 1 } }),
    });
  };
  for (let number = 0; number < plan.meters; number++) await enrol(deviceAt(plan, number, number, start, now));

  const stores: WeekStores = {
    blocks: memoryDayBlocks(),
    records: memoryMissingRecords(),
    summaries: memoryDaySummaries(),
    timeline: memoryTimeline(),
    alarms: memoryAlarms(),
    columns: memoryFleetColumns(),
  };
  const kpis = {
    segments: { members: (set: MemberSet, from = 0) => members(field, set, from) },
    columns: stores.columns,
    history: memoryFleetHistory(),
  };
  const plans = { plansOf: async (segment: number) => plansOf(field, segment) };
  const batches = memoryBatches(nodeCrypto);
  const base = { ...engine().ports, targets: targetsOf(field, stores) };
  const sleepers = new WeekSleepers(world, plan, field, batches);
  const ports = { ...field.ports(counters), mailboxes: sleepers.mailboxes, missing: stores.records };
  const bridges: Bridges = new Bridges(world, ports, batches);
  const functions = new Functions(world, {
    base,
    blocks: stores.blocks,
    batches,
    keepers: simulatedKeepers(world, stores),
    pushes: memoryPushCounters(),
    closing: async (process, jobs) => {
      await keepCounts(kpis, process.clock.now());
      await closeDays(
        {
          ...stores,
          plans,
          ledger: jobs.ledger,
          segments: (from) => membersOf(field, (meter) => meter.place.segment >= from),
          jobsAbout: (days) => jobsAbout(jobs.ledger, days, process.clock.now()),
          submit: (caller, request) => submitJob(jobs, caller, request),
          clock: process.clock,
        },
        process.clock.now(),
        () => true,
      );
    },
  });
  for (const schedule of schedules(start)) await base.schedules.create(schedule);

  for (const { meter, at, knownAt } of plan.exchanges) {
    const [old] = field.meters.filter(({ port }) => port === 1 + meter);
    if (old === undefined) throw new Error(`there is no meter ${meter}`);
    // Until it is known, the headend asks the new device under the name and keys of the old one.
    const next = deviceAt(plan, plan.meters + plan.exchanges.findIndex((one) => one.meter === meter), meter, at, now);
    time.at(at, () => {
      old.until = at;
      field.meters.push(next);
    });
    time.at(knownAt, () => {
      old.enrolled = false;
      for (const enrolment of enrolments) if (enrolment.meter === old) enrolment.until = knownAt;
      old.plan = [...old.plan, { from: at, sets: [] }];
      void enrol(next);
    });
  }
  time.at(plan.wrongClock.setAt, () => {
    const wrong = field.meters.find(({ port }) => port === 1 + plan.wrongClock.meter);
    if (wrong === undefined) throw new Error("the meter with the wrong clock is there");
    const request: JobRequest = {
      operation: { kind: "setClock", upToMs: 2 * HOUR_SECONDS * 1000 },
      target: { kind: "meters", meterIds: [wrong.meterId] },
      reason: "its clock is behind by an hour",
    };
    void functions.ask((ports) => submitJob(ports, CALLER, request));
  });

  // Something is heard of some meters in the last hour.
  time.at(end + AFTER_MS - HOUR_SECONDS * 500, () => {
    const range = { from: end, to: end + DAY_MS };
    const request: JobRequest = {
      operation: { kind: "readEvents", range },
      target: { kind: "group", group: "watched" },
    };
    void functions.ask((ports) => submitJob(ports, CALLER, request));
  });

  const ticking = (): void => {
    functions.tick();
    time.after(TICK_MS, ticking);
  };
  time.after(1_000, ticking);
  for (let task = 0; task < 2; task++) bridges.start();
  await time.run(() => violations.first !== undefined, end + AFTER_MS);
  ports.check();
  const jobs = [...ledgerView.jobs.values()];
  // The days once more, all at one instant: what was read since their last pass counts.
  const passes = new Map<number, DayCounts>();
  const asked = await jobsAbout(world.ledger.stored, new Set(daysOf(plan)), time.now);
  for (const day of daysOf(plan)) {
    let counts = NOTHING_COUNTED;
    for (const segment of new Set(field.meters.map(({ place }) => place.segment))) {
      const ports = { ...stores, plans, ledger: world.ledger.stored };
      const closed = await closeSegmentDay(ports, segment, day, asked, day + DAY_MS + DEADLINE_MS, time.now);
      counts = sumOf(counts, closed.counts);
    }
    passes.set(day, counts);
  }
  const count = await countWeek(plan, field, stores, passes);
  const closed = new Map(
    [...count.byDay].map(([day, counted]) => [day, { told: passes.get(day) ?? NOTHING_COUNTED, counted }]),
  );
  const { differences, heard, daysCounted } = await compareKpis(plan, enrolments, kpis, closed, time.now);
  return {
    ...count,
    differences: [...count.differences, ...differences],
    heard,
    daysCounted,
    wakes: sleepers.wakes,
    violation: violations.first,
    sessions: field.sessions,
    targeted: jobs.filter(({ target }) => target.kind === "missing").length,
    scheduled: jobs.filter(({ schedule }) => schedule !== undefined).length,
    faults: faults.counts,
    steps: time.steps,
    clockOffMs: field.meters.find(({ port }) => port === 1 + plan.wrongClock.meter)?.clockOffMs?.(),
  };
}

const plansOf = ({ meters }: WeekField, segment: number): ReadonlyMap<number, FieldMeter["plan"]> =>
  new Map(
    meters
      .filter((meter) => meter.place.segment === segment && meter.isKnown)
      .map(({ place, plan }) => [place.slot, plan]),
  );

async function* membersOf(field: WeekField, isWanted: (meter: FieldMeter) => boolean): AsyncGenerator<SegmentMembers> {
  const wanted = field.meters.filter((meter) => meter.enrolled && isWanted(meter));
  for (const [segment, found] of [...Map.groupBy(wanted, ({ place }) => place.segment)].sort(([a], [b]) => a - b)) {
    const bitmap = new Uint8Array(128);
    for (const { place } of found) bitmap[place.slot >> 3] = (bitmap[place.slot >> 3] ?? 0) | (1 << (place.slot & 7));
    yield { segment, bitmap };
  }
}

async function* members(field: WeekField, { kind, name }: MemberSet, from: number): AsyncGenerator<SegmentMembers> {
  if (kind === ALL.kind && name === ALL.name) yield* membersOf(field, ({ place }) => place.segment >= from);
}

const daysOf = ({ start, days }: WeekPlan): readonly number[] =>
  Array.from({ length: days }, (_, day) => start + day * DAY_MS);

/** The registry, as far as planning reads it. */
const targetsOf = (field: WeekField, { records }: Pick<WeekStores, "records">): Targets => ({
  places: async (meterIds) =>
    new Map(
      field.meters
        .filter(({ meterId, enrolled }) => enrolled && meterIds.includes(meterId))
        .map(({ meterId, place }) => [meterId, place]),
    ),
  async *members(target) {
    if (target.kind === "all") yield* membersOf(field, () => true);
    else if (target.kind === "group")
      yield* membersOf(field, ({ place }) => isWatched(place.segment * SEGMENT_METERS + place.slot));
    else if (target.kind === "missing") {
      const day = Date.parse(`${target.day}T00:00:00Z`);
      for (const segment of new Set(field.meters.map(({ place }) => place.segment))) {
        const toRead = (await records.read(segment, day))?.counted?.toRead ?? [];
        yield* membersOf(field, ({ place }) => place.segment === segment && toRead.includes(place.slot));
      }
    } else throw new Error(`no job of the week has the target ${target.kind}`);
  },
});
