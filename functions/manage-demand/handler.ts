import { type DrEvent, endOf } from "../../shared/demand/dr-event.ts";
import type { VtnConnection } from "../../shared/demand/openadr/ven-client.ts";
import { totalOf } from "../../shared/demand/participation.ts";
import { DEFAULT_BASELINE, type DrProgram, type Enrolment } from "../../shared/demand/program.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDemand } from "../adapters/dynamo-demand.ts";
import { dynamoVtns } from "../adapters/dynamo-named.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoVtnSecrets } from "../adapters/dynamo-vtns.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";
import { newId } from "../adapters/system-random.ts";

const env = settings({ LEDGER_TABLE: Setting, REGISTRY_TABLE: Setting });
const db = documentClient();
const demand = dynamoDemand(db, env.LEDGER_TABLE);
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const vtns = dynamoVtns(db, env.LEDGER_TABLE);
const secrets = dynamoVtnSecrets(db, env.LEDGER_TABLE, vaultOfEnvironment().vault);
const TRIES = 5;

const unknown = (field: "programId" | "eventId" | "meterId", received: string) =>
  refuse(
    "not-found",
    `There is no ${{ programId: "program", eventId: "event", meterId: "meter" }[field]} ${received}.`,
    {
      field,
      expected: "the id of one that is there",
      received,
    },
  );
const programView = ({ said: _, ...program }: DrProgram) => program;
const enrolmentView = ({ programId: _, ...enrolment }: Enrolment) => enrolment;
const eventView = ({
  said: _,
  version: __,
  readJob: ___,
  source: ____,
  removed: _____,
  caller: { id, name },
  ...event
}: DrEvent) => ({
  ...event,
  caller: { id, ...(name === undefined ? {} : { name }) },
});

const vtnView = ({ secretVersion: _, ...connection }: VtnConnection) => connection;

async function changed(eventId: string, change: (event: DrEvent) => Partial<DrEvent> | undefined) {
  for (let tries = 0; tries < TRIES; tries++) {
    const event = await demand.event(eventId);
    if (event === undefined) return unknown("eventId", eventId);
    const next = change(event);
    if (next === undefined) return { status: 200, body: eventView(event) };
    const written = await demand.writeEvent(event, { ...next, modifiedAt: productClock.now() });
    if (written !== undefined) return { status: 200, body: eventView(written) };
  }
  return refuse("unavailable", "The event is being changed. Try again.");
}

export const handler = httpHandler({
  listPrograms: async () => ({ status: 200, body: { programs: (await demand.programs()).map(programView) } }),
  async putProgram({ params: { programId }, body: { name, baseline } }) {
    const now = productClock.now();
    const was = await demand.program(programId);
    const program: DrProgram = { targets: [], createdAt: now, ...was, programId, name, baseline, modifiedAt: now };
    await demand.putProgram(program);
    return { status: 200, body: programView(program) };
  },
  async listProgramMeters({ params: { programId } }) {
    if ((await demand.program(programId)) === undefined) return unknown("programId", programId);
    return { status: 200, body: { meters: (await demand.enrolments(programId)).map(enrolmentView) } };
  },
  async joinProgram({ params: { programId, meterId }, body: { consent, targets }, caller }) {
    if ((await demand.program(programId)) === undefined) return unknown("programId", programId);
    if (!(await registry.meters([meterId])).has(meterId)) return unknown("meterId", meterId);
    const at = productClock.now();
    const enrolment: Enrolment = { programId, meterId, consent: { by: caller.id, at, how: consent.how }, targets };
    await demand.putEnrolment(enrolment);
    return { status: 200, body: enrolmentView(enrolment) };
  },
  async leaveProgram({ params: { programId, meterId } }) {
    const was = await demand.enrolment(programId, meterId);
    if (was === undefined) return unknown("meterId", meterId);
    const left = { ...was, optedOutAt: was.optedOutAt ?? productClock.now() };
    await demand.putEnrolment(left);
    return { status: 200, body: enrolmentView(left) };
  },
  async createDrEvent({ body: { start, end, control, eventId, ...rest }, caller }) {
    const now = productClock.now();
    if ((await demand.program(rest.programId)) === undefined) return unknown("programId", rest.programId);
    const id = eventId ?? newId(now);
    const there = await demand.event(id);
    const phases = [{ from: start, to: end, control }];
    if (there !== undefined) return same(there, { ...rest, phases });
    if (end <= now)
      return refuse("unprocessable", "The event would be over already.", {
        field: "end",
        expected: "an instant in the future",
        received: new Date(end).toISOString(),
      });
    const { name, priority, ...asked } = rest;
    const event: DrEvent = {
      ...asked,
      ...(name === undefined ? {} : { name }),
      ...(priority === undefined ? {} : { priority }),
      eventId: id,
      phases,
      state: "planned",
      createdAt: now,
      modifiedAt: now,
      caller: { ...caller, roles: [...caller.roles] },
      version: 1,
    };
    if (await demand.createEvent(event)) return { status: 201, body: eventView(event) };
    return same((await demand.event(id)) ?? event, { ...rest, phases });
  },
  listDrEvents: async ({ query: { limit } }) => ({
    status: 200,
    body: { events: (await demand.events(limit)).map(eventView) },
  }),
  async readDrEvent({ params: { eventId } }) {
    const event = await demand.event(eventId);
    if (event === undefined) return unknown("eventId", eventId);
    const jobs = (await demand.waves(eventId)).map(({ at, order, meterIds, jobId, problem }) => ({
      at,
      tells: order.mode === "release" ? ("release" as const) : ("control" as const),
      meters: meterIds.length,
      ...(jobId === undefined ? {} : { jobId }),
      ...(problem === undefined ? {} : { problem }),
    }));
    return { status: 200, body: { ...eventView(event), jobs } };
  },
  cancelDrEvent: ({ params: { eventId } }) =>
    changed(eventId, ({ state }) => (state === "planned" || state === "active" ? { state: "cancelled" } : undefined)),
  async optOut({ params: { eventId }, body: { meterId } }) {
    const event = await demand.event(eventId);
    if (event === undefined) return unknown("eventId", eventId);
    if ((await demand.enrolment(event.programId, meterId)) === undefined) return unknown("meterId", meterId);
    const now = productClock.now();
    if (endOf(event) > now) await demand.putOptOut(eventId, meterId, now);
    return { status: 200, body: eventView(event) };
  },
  async readParticipation({ params: { eventId } }) {
    const event = await demand.event(eventId);
    if (event === undefined) return unknown("eventId", eventId);
    const baseline = (await demand.program(event.programId))?.baseline ?? DEFAULT_BASELINE;
    const entries = await demand.participation(eventId);
    const meters = entries.map((entry) => ({
      ...entry,
      ...(entry.baselineWh === undefined || entry.actualWh === undefined
        ? {}
        : { shedWh: entry.baselineWh - entry.actualWh }),
    }));
    return { status: 200, body: { eventId, state: event.state, baseline, total: totalOf(entries), meters } };
  },
  listVtns: async () => ({ status: 200, body: { vtns: (await vtns.list()).map(vtnView) } }),
  async putVtn({ params: { vtn }, body: { clientSecret, ...rest } }) {
    const was = await vtns.read(vtn);
    if (was === undefined && clientSecret === undefined)
      return refuse("unprocessable", "A new VTN needs the client's secret.", {
        field: "clientSecret",
        expected: "the secret of the client",
      });
    if ((await demand.program(rest.programId)) === undefined) return unknown("programId", rest.programId);
    const secretVersion = (was?.secretVersion ?? 0) + (clientSecret === undefined ? 0 : 1);
    if (clientSecret !== undefined) await secrets.put(vtn, secretVersion, clientSecret);
    const connection = { ...rest, name: vtn, secretVersion };
    await vtns.put(connection);
    return { status: 200, body: vtnView(connection) };
  },
  async deleteVtn({ params: { vtn } }) {
    await vtns.remove(vtn);
    return { status: 204 };
  },
});

/** An event of that id is there: the same again, or another. */
function same(there: DrEvent, asked: Pick<DrEvent, "programId" | "phases" | "randomSeconds" | "targets">) {
  const facts = ({ programId, phases, randomSeconds, targets }: typeof asked) =>
    JSON.stringify([programId, phases.map(({ from, to, control }) => [from, to, control]), randomSeconds, targets]);
  if (facts(there) === facts(asked)) return { status: 200, body: eventView(there) };
  return refuse("conflict", `There is another event ${there.eventId}.`, {
    field: "eventId",
    expected: "an id that no other event has",
    received: there.eventId,
  });
}
