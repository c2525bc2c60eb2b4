import { cancelJob } from "../jobs/cancel-job.ts";
import { eachOf, piecesOf } from "../jobs/concurrency.ts";
import type { JobId } from "../jobs/job.ts";
import { type JobRequest, type SubmitOutcome, type SubmitPorts, submitJob } from "../jobs/submit-job.ts";
import { tasksOf } from "../jobs/tasks.ts";
import type { LoadControl } from "../metering/load-control.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import { type Authority, stopFor } from "../switching/authority.ts";
import { loadAct } from "../switching/switch-act.ts";
import { decide, type EventView } from "./decide.ts";
import { type DrEvent, endOf, rosterOf, startOf, type Wave } from "./dr-event.ts";
import { measured, type Participation, type RegisterCurve, readRange } from "./participation.ts";
import { DEFAULT_BASELINE, type DrProgram } from "./program.ts";
import type { DemandStore } from "./store.ts";

export interface DemandPorts extends SubmitPorts {
  readonly demand: DemandStore;
  /** Who may act, and what may not be done; undefined: the deployment is not seeded, and nobody may. */
  readonly authority: () => Promise<Pick<Authority, "stops"> | undefined>;
  /** Import registers of a meter at the ends of its quarter-hours in (from, to]. */
  readonly curve: (place: Place, from: number, to: number) => Promise<RegisterCurve>;
  /** Told once an event is measured, before it is closed: may be told again. */
  readonly onMeasured?: (
    event: DrEvent,
    program: DrProgram | undefined,
    entries: readonly Participation[],
  ) => Promise<void>;
}

/** What a tick did, for the log. */
export interface DemandFact {
  readonly eventId: string;
  readonly did: string;
  readonly jobId?: string;
}

/** Intervals of the last quarter-hour are asked for once the meters have captured them. */
const CAPTURED_AFTER_MS = 120_000;
/** A job of an order that would end in less is given so long, ms. */
const DEADLINE_MIN_MS = 60_000;
const RELEASE_WITHIN_MS = 3_600_000;
const READ_WITHIN_MS = 6 * 3_600_000;
const READ_TRIED_MS = 86_400_000;
const MEASURED_AT_ONCE = 8;
const PIECE = 200;

/**
 * One tick: events begin, meters are told and released, ends are read and measured. Each step is written before the next
 * one, so that a second tick, or one that comes after a crash, does what is left and nothing twice. `now`: product time.
 */
export async function driveEvents(ports: DemandPorts, now: number): Promise<readonly DemandFact[]> {
  const facts: DemandFact[] = [];
  const { demand } = ports;
  for (const event of await demand.openEvents()) await advance(ports, event, now, facts);

  const views: EventView[] = [];
  for (const event of await demand.openEvents())
    if (event.meters !== undefined) views.push(await viewOf(demand, event));
  // What a tick before has written and not asked for.
  for (const { event, waves } of views)
    for (const wave of waves)
      if (wave.jobId === undefined && wave.problem === undefined) await send(ports, event, wave, now, facts);
  // What of a cancelled event is still under way would come after its release.
  for (const { event, waves } of views)
    if (event.state === "cancelled")
      for (const { order, jobId } of waves)
        if (order.mode !== "release" && jobId !== undefined) await cancelJob(ports, jobId);
  const mayTell = await tellable(ports);
  for (const plan of decide(views, now)) {
    if (!mayTell(plan.order)) continue; // once the stop is lifted it is told what then should be
    const view = views.find(({ event }) => event.eventId === plan.eventId);
    if (view === undefined) continue;
    const number =
      view.waves.length + facts.filter(({ eventId, did }) => eventId === plan.eventId && did === "wave").length;
    const wave: Wave = { ...plan, meterIds: [...plan.meterIds], number, at: now };
    if (!(await demand.createWave(wave))) continue; // another tick is at it
    facts.push({ eventId: plan.eventId, did: "wave" });
    await send(ports, view.event, wave, now, facts);
  }
  for (const { event } of views) if (event.state === "ended") await measure(ports, event, now, facts);
  return facts;
}

/** What may be told everywhere now: stops of one feeder are found at its meters. */
async function tellable({ authority, clock }: DemandPorts): Promise<(order: LoadControl) => boolean> {
  const rules = await authority();
  const at = clock.now();
  return (control) => {
    const to = loadAct({ kind: "controlLoad", control });
    return rules !== undefined && to !== undefined && stopFor(rules.stops, to, {}, at) === undefined;
  };
}

async function viewOf(demand: DemandStore, event: DrEvent): Promise<EventView> {
  const [roster, waves, optOuts, enrolments] = await Promise.all([
    demand.roster(event.eventId),
    demand.waves(event.eventId),
    demand.optOuts(event.eventId),
    demand.enrolments(event.programId),
  ]);
  const left = enrolments.flatMap(({ meterId, optedOutAt }) => (optedOutAt === undefined ? [] : [meterId]));
  return { event, roster, waves, optedOut: new Set([...optOuts.keys(), ...left]) };
}

/** The states that time alone changes. A conflict: the next tick looks again. */
async function advance(ports: DemandPorts, was: DrEvent, now: number, facts: DemandFact[]): Promise<void> {
  const { demand } = ports;
  let event: DrEvent | undefined = was;
  if (event.state === "planned" && startOf(event) <= now) {
    const roster = rosterOf(event, await demand.enrolments(event.programId));
    await demand.putRoster(event.eventId, roster);
    event = await demand.writeEvent(event, { state: "active", meters: roster.length });
    if (event !== undefined) facts.push({ eventId: event.eventId, did: "began" });
  }
  if (event?.state === "active" && endOf(event) <= now) {
    event = await demand.writeEvent(event, { state: "ended" });
    if (event !== undefined) facts.push({ eventId: event.eventId, did: "ended" });
  }
  // Until its time is over, what was told has to be released, and other events look at it.
  if (event?.state === "measured") await demand.closeEvent(event.eventId);
  if (event?.state === "cancelled" && (event.meters === undefined || endOf(event) <= now))
    await demand.closeEvent(event.eventId);
}

const submit = (ports: DemandPorts, { caller }: DrEvent, request: JobRequest): Promise<SubmitOutcome> =>
  submitJob(ports, caller, request);

/** Asks for a wave's job. Its key is the wave's: asked for again, it is the same job. */
async function send(ports: DemandPorts, event: DrEvent, wave: Wave, now: number, facts: DemandFact[]): Promise<void> {
  const { order } = wave;
  const leftMs = order.mode === "release" ? RELEASE_WITHIN_MS : order.until - now;
  const outcome = await submit(ports, event, {
    operation: { kind: "controlLoad", control: order },
    target: { kind: "meters", meterIds: [...wave.meterIds] },
    lane: "urgent",
    // A job's times are the machine's.
    deadline: ports.clock.now() + Math.max(DEADLINE_MIN_MS, leftMs),
    reason: `demand response event ${event.name ?? event.eventId}`,
    idempotencyKey: `demand ${event.eventId} ${wave.number}`,
  });
  const done = told(outcome);
  await ports.demand.putWave({ ...wave, ...done });
  facts.push({
    eventId: event.eventId,
    did: order.mode === "release" ? "released" : "told",
    ...("jobId" in done ? { jobId: done.jobId } : {}),
  });
}

/** A key that is there with other times is the job that an interrupted tick asked for. */
function told(outcome: SubmitOutcome): { readonly jobId: JobId } | { readonly problem: string } {
  if (outcome.kind === "accepted") return { jobId: outcome.jobId };
  return { problem: `${outcome.because}: ${outcome.field}: expected ${outcome.expected}`.slice(0, 300) };
}

/** Reads the time of the event and what it is compared with; once that job is closed, every meter's part is kept. */
async function measure(ports: DemandPorts, event: DrEvent, now: number, facts: DemandFact[]): Promise<void> {
  const { demand } = ports;
  const { eventId } = event;
  const program = await demand.program(event.programId);
  const baseline = program?.baseline ?? DEFAULT_BASELINE;
  const range = readRange(event, baseline);
  if (now < range.to + CAPTURED_AFTER_MS) return;
  const roster = await demand.roster(eventId);
  const controlled = event.phases.some(({ control }) => control !== undefined);
  const waiting = now < range.to + READ_TRIED_MS; // later what is stored has to do
  if (event.readJob === undefined && roster.length > 0 && controlled && waiting) {
    for (const [index, meterIds] of [...piecesOf(roster, 1000)].entries()) {
      const outcome = await submit(ports, event, {
        operation: { kind: "readIntervals", range },
        target: { kind: "meters", meterIds: [...meterIds] },
        lane: "bulk",
        deadline: ports.clock.now() + READ_WITHIN_MS,
        reason: `measuring demand response event ${event.name ?? eventId}`,
        idempotencyKey: `demand ${eventId} read ${index}`,
      });
      if (outcome.kind !== "accepted") continue;
      facts.push({ eventId, did: "reads", jobId: outcome.jobId });
      // The last piece's job is waited for.
      if ((index + 1) * 1000 >= roster.length) await demand.writeEvent(event, { readJob: outcome.jobId });
    }
    return;
  }
  if (event.readJob !== undefined && (await ports.ledger.job(event.readJob))?.state !== "closed") return;
  const failed = await failedMeters(ports, await demand.waves(eventId));
  const waves = await demand.waves(eventId);
  const toldMeters = new Set(waves.flatMap(({ order, meterIds }) => (order.mode === "release" ? [] : meterIds)));
  const { optedOut } = await viewOf(demand, event);
  const entries: Participation[] = [];
  for (const piece of piecesOf(roster, PIECE)) {
    const places = await ports.targets.places(piece);
    const part: Participation[] = [];
    await eachOf(piece, MEASURED_AT_ONCE, async (meterId) => {
      const place = places.get(meterId);
      const curve: RegisterCurve = place === undefined ? new Map() : await ports.curve(place, range.from - 1, range.to);
      const outcome = failed.has(meterId)
        ? "failed"
        : optedOut.has(meterId)
          ? "opted-out"
          : toldMeters.has(meterId)
            ? "told"
            : "not-told";
      part.push({ meterId, outcome, ...measured(event, meterId, baseline, curve) });
    });
    part.sort((left, right) => (left.meterId < right.meterId ? -1 : 1));
    await demand.putParticipation(eventId, part);
    entries.push(...part);
  }
  await ports.onMeasured?.(event, program, entries);
  if ((await demand.writeEvent(event, { state: "measured" })) === undefined) return;
  await demand.closeEvent(eventId);
  facts.push({ eventId, did: "measured" });
}

/** Meters of which no job that told them something ended done. */
async function failedMeters(ports: DemandPorts, waves: readonly Wave[]): Promise<ReadonlySet<MeterId>> {
  const failed = new Set<MeterId>();
  for (const { order, jobId, meterIds, problem } of waves) {
    if (order.mode === "release") continue;
    const ended = jobId === undefined ? undefined : await doneOf(ports, jobId);
    if (problem !== undefined || ended === undefined) for (const meterId of meterIds) failed.add(meterId);
    else {
      const places = await ports.targets.places(meterIds);
      for (const meterId of meterIds) {
        const place = places.get(meterId);
        if (place !== undefined && ended.has(`${place.segment}.${place.slot}`)) failed.delete(meterId);
        else failed.add(meterId);
      }
    }
  }
  return failed;
}

async function doneOf(ports: DemandPorts, jobId: JobId): Promise<ReadonlySet<string> | undefined> {
  const job = await ports.ledger.job(jobId);
  if (job === undefined) return undefined;
  const done = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await tasksOf(ports.ledger, job, { state: "done", limit: 1000, cursor });
    for (const { segment, slot } of page?.tasks ?? []) done.add(`${segment}.${slot}`);
    cursor = page?.cursor;
  } while (cursor !== undefined);
  return done;
}
