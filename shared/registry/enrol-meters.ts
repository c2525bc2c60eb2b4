import type { AccessItem } from "../jobs/access.ts";
import { eachOf } from "../jobs/concurrency.ts";
import { type ChannelPlan, plannedSets } from "../metering/channel-plan.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import { wayIn } from "../metering/route.ts";
import { assert, HeadraceError } from "../ports/errors.ts";
import { type Assessment, assess } from "./assess-enrolment.ts";
import { claimNames, type EnrolPorts, FIRST_KEYS, outcomeOf, sealContext } from "./enrolment.ts";
import { type MemberSet, setsOf } from "./member-sets.ts";
import type { EnrolmentOutcome, EnrolmentRequest, RegisteredMeter } from "./registered-meter.ts";

/** Single enrolments may fill a segment; imports leave room to grow. */
export const FILL_ALL = 1024;
export const FILL_IMPORT = 1000;

const WRITES_MAX = 24;
const TRIES = 5;

type ToDo = Extract<Assessment, { readonly kind: "place" | "finish" }>;

/**
 * Enrols meters, each by itself: claims → meter `enrolling` → access item, which is the allocation of its slot → sets →
 * meter `enrolled`. Single conditional writes in an order of which every prefix is harmless; calling again finishes what
 * was interrupted. The same meter again is `unchanged`. Answers in the order of the requests.
 */
export async function enrolMeters(
  ports: EnrolPorts,
  requests: readonly EnrolmentRequest[],
  fillTo: number,
): Promise<readonly EnrolmentOutcome[]> {
  const outcomes: EnrolmentOutcome[] = [];
  for (const round of roundsOf(requests)) {
    let waiting = round;
    for (let tries = 0; waiting.length > 0; tries++) {
      if (tries === TRIES) throw contended(requests[waiting[0] ?? 0]);
      waiting = await enrolRound(ports, requests, waiting, fillTo, outcomes);
    }
  }
  return outcomes;
}

const contended = (request: EnrolmentRequest | undefined): HeadraceError =>
  new HeadraceError("registry.contended", `expected ${request?.meterId} to be left alone while it enrols`, {
    retry: "later",
  });

/** Indices of the requests in rounds, so that no two of a round share an id, a title or a serial. */
function roundsOf(requests: readonly EnrolmentRequest[]): readonly number[][] {
  const last = new Map<string, number>();
  const rounds: number[][] = [];
  for (const [index, request] of requests.entries()) {
    const names = [`id ${request.meterId}`, ...claimNames(request).map(({ kind, value }) => `${kind} ${value}`)];
    const round = Math.max(...names.map((name) => (last.get(name) ?? -1) + 1));
    for (const name of names) last.set(name, round);
    const entries = rounds[round] ?? [];
    entries.push(index);
    rounds[round] = entries;
  }
  return rounds;
}

/** Answers the indices that have to be tried again because somebody else was at them. */
async function enrolRound(
  ports: EnrolPorts,
  requests: readonly EnrolmentRequest[],
  indices: readonly number[],
  fillTo: number,
  outcomes: EnrolmentOutcome[],
): Promise<number[]> {
  const asked = indices.map((index) => requests[index] as EnrolmentRequest);
  const assessments = await assess(ports, asked);
  const todo: { readonly index: number; readonly task: ToDo; meter?: RegisteredMeter }[] = [];
  for (const [at, assessment] of assessments.entries()) {
    const index = indices[at] as number;
    if (assessment.kind === "settled") outcomes[index] = assessment.outcome;
    else todo.push({ index, task: assessment });
  }
  const places = await reservePlaces(
    ports,
    todo.map(({ task }) => task),
    fillTo,
  );
  const again: number[] = [];
  await eachOf(todo, WRITES_MAX, async (entry) => {
    const written = entry.task.kind === "finish" ? entry.task.there : await place(ports, entry.task, places, fillTo);
    if (written === "again") again.push(entry.index);
    else if ("kind" in written) outcomes[entry.index] = written;
    else entry.meter = written;
  });
  const placed = todo.flatMap(({ index, meter }) => (meter === undefined ? [] : [{ index, meter }]));
  await addToSets(
    ports,
    placed.map(({ meter }) => meter),
  );
  await eachOf(placed, WRITES_MAX, async ({ index, meter }) => {
    const written = await ports.registry.writeMeter(meter, { ...meter, state: "enrolled" });
    if (written === "conflict") again.push(index);
    else outcomes[index] = outcomeOf("enrolled", meter);
  });
  return again;
}

/** What segments are filled by: cells are many and change, so that their meters lie among the others of their route. */
const wayInOf = ({ routes, memberships }: EnrolmentRequest): string => {
  const [first] = routes;
  assert(first !== undefined, "a meter has a route");
  return wayIn(first, memberships.collector);
};

async function reservePlaces(
  ports: EnrolPorts,
  todo: readonly ToDo[],
  fillTo: number,
): Promise<ReadonlyMap<MeterId, Place>> {
  const places = new Map<MeterId, Place>();
  const wanting = todo.flatMap((task) => (task.kind === "place" && task.candidate === undefined ? [task.request] : []));
  for (const [way, requests] of Map.groupBy(wanting, wayInOf)) {
    const reserved = await ports.segments.reserve(way, requests.length, fillTo);
    for (const [at, request] of requests.entries()) {
      const place = reserved[at];
      assert(place !== undefined, `${requests.length} slots were reserved`);
      places.set(request.meterId, place);
    }
  }
  return places;
}

/** Claims, meter, access item. */
async function place(
  ports: EnrolPorts,
  task: Extract<ToDo, { readonly kind: "place" }>,
  places: ReadonlyMap<MeterId, Place>,
  fillTo: number,
): Promise<RegisteredMeter | EnrolmentOutcome | "again"> {
  const { request, profile } = task;
  const { keys, source, installed, ...meter } = request;
  const reserved = task.candidate ?? places.get(meter.meterId);
  assert(reserved !== undefined, "a slot was reserved for each new meter");
  // Its slot is for life; an enrolment that goes on may have come to name another collector.
  if (task.candidate !== undefined) await ports.segments.noteWayIn(wayInOf(request), task.candidate);
  const blob = keys && (await ports.vault.seal(sealContext(meter.meterId), keys));
  const now = ports.clock.now();
  for (const { name, over } of task.toClaim)
    if ((await ports.registry.claim(name, { meterId: meter.meterId, at: now }, over)) === "taken") return "again";
  let record: RegisteredMeter = {
    meter,
    profileVersion: profile.version,
    state: "enrolling",
    place: reserved,
    secured: blob !== undefined,
    enrolledAt: now,
    ...(source === undefined ? {} : { source }),
    ...(installed === undefined ? {} : { installed }),
    version: 1,
  };
  if (task.there === undefined) {
    if ((await ports.registry.createMeter(record)) === "exists") return "again";
  } else {
    if ((await ports.registry.writeMeter(task.there, record)) === "conflict") return "again";
    record = { ...record, version: task.there.version + 1 };
  }
  const plan = [{ from: installed?.at ?? ports.meterTime.now(), sets: plannedSets(profile) }];
  for (let tries = 0; tries < TRIES; tries++) {
    if ((await ports.access.createAccessItem(accessItemOf(record, blob, plan))) !== "taken") return record;
    const [next] = await ports.segments.reserve(wayInOf(request), 1, fillTo);
    assert(next !== undefined, "a slot was reserved");
    if ((await ports.registry.writeMeter(record, { ...record, place: next })) === "conflict") return "again";
    record = { ...record, place: next, version: record.version + 1 };
  }
  throw contended(request);
}

function accessItemOf(
  { meter, place: at, profileVersion, installed }: RegisteredMeter,
  blob: Uint8Array | undefined,
  plan: ChannelPlan,
): AccessItem {
  const { collector, cell, feeder, transformer } = meter.memberships;
  return {
    ...at,
    meterId: meter.meterId,
    routes: meter.routes,
    profile: { name: meter.profile, version: profileVersion },
    plan,
    ...(installed === undefined ? {} : { installedAt: installed.at }),
    ...(meter.systemTitle === undefined ? {} : { systemTitle: meter.systemTitle }),
    ...(collector === undefined ? {} : { collector }),
    ...(cell === undefined ? {} : { cell }),
    ...(feeder === undefined ? {} : { feeder }),
    ...(transformer === undefined ? {} : { transformer }),
    ...(meter.loadWatts === undefined ? {} : { loadWatts: meter.loadWatts }),
    ...(blob === undefined ? {} : { sealedKeys: { blob, version: FIRST_KEYS } }),
    counterOffset: 0n,
    releasedBase: 0n,
    lastOrder: 0,
    flags: { medical: false, priority: false, moratorium: false },
  };
}

/** One write a set and segment, whatever the number of meters. */
async function addToSets({ segments }: EnrolPorts, meters: readonly RegisteredMeter[]): Promise<void> {
  const changes = new Map<string, { set: MemberSet; segment: number; slots: number[] }>();
  for (const { meter, place: at } of meters)
    for (const set of setsOf(meter.memberships)) {
      const key = `${set.kind}#${set.name}#${at.segment}`;
      const change = changes.get(key) ?? { set, segment: at.segment, slots: [] };
      change.slots.push(at.slot);
      changes.set(key, change);
    }
  await eachOf(changes.values(), WRITES_MAX, ({ set, segment, slots }) => segments.changeMembers(set, segment, slots));
}
