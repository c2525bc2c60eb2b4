import { z } from "zod";
import { HeadraceError } from "../../ports/errors.ts";
import { type DrEvent, endOf } from "../dr-event.ts";
import type { Participation } from "../participation.ts";
import { DemandId } from "../program.ts";
import type { DemandStore } from "../store.ts";
import { phasesOf } from "./event-phases.ts";
import { eventReport } from "./event-report.ts";
import { EventRequest, inVersion, ObjectId, targetsOf, VERSIONS } from "./objects.ts";

/** A utility's DRMS whose events the headend takes as a VEN. The client's secret is kept apart, sealed. */
export const VtnConnection = z.strictObject({
  name: DemandId.max(32),
  /** Base URL of the VTN, without a slash at its end. */
  url: z.url().max(1000),
  version: z.enum(VERSIONS),
  tokenUrl: z.url().max(1000),
  clientId: z.string().min(1).max(256),
  scope: z.string().max(500).optional(),
  /** The headend's own program whose meters the events are for. */
  programId: DemandId,
  /** Rises with each change; the secret is sealed for it. */
  secretVersion: z.int().min(1),
});
export type VtnConnection = z.infer<typeof VtnConnection>;

export interface VenRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}
export interface VenPorts {
  readonly demand: DemandStore;
  readonly send: (request: VenRequest) => Promise<{ readonly status: number; readonly body: unknown }>;
  readonly secretOf: (connection: VtnConnection) => Promise<string | undefined>;
  readonly now: () => number;
}

const PAGE = 50;
const PAGES_MAX = 40;
const Token = z.object({ access_token: z.string().min(1) });
const RemoteEvents = z.array(EventRequest.extend({ id: ObjectId, modificationDateTime: z.string().nullish() }));
type RemoteEvent = z.infer<typeof RemoteEvents>[number];

const failed = (what: string, status: number): HeadraceError =>
  new HeadraceError("openadr.vtn", `expected ${what}, got status ${status}`, {
    retry: status >= 500 || status === 429 || status === 401 ? "later" : "never",
  });

/** One conversation with the VTN under one token. */
async function session(ports: VenPorts, connection: VtnConnection) {
  const { tokenUrl, clientId, scope, url } = connection;
  const secret = await ports.secretOf(connection);
  if (secret === undefined)
    throw new HeadraceError("openadr.secret", `expected a secret of VTN ${connection.name}`, { retry: "never" });
  const form = new URLSearchParams({ grant_type: "client_credentials", ...(scope === undefined ? {} : { scope }) });
  const credentials = btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`);
  const { status, body } = await ports.send({
    method: "POST",
    url: tokenUrl,
    headers: { "content-type": "application/x-www-form-urlencoded", authorization: `Basic ${credentials}` },
    body: form.toString(),
  });
  if (status !== 200) throw failed("a token", status);
  const authorization = `Bearer ${Token.parse(body).access_token}`;
  return {
    get: async (path: string): Promise<unknown> => {
      const answer = await ports.send({ method: "GET", url: `${url}${path}`, headers: { authorization } });
      if (answer.status !== 200) throw failed(`an answer to GET ${path}`, answer.status);
      return answer.body;
    },
    post: async (path: string, json: unknown): Promise<void> => {
      const headers = { authorization, "content-type": "application/json" };
      const answer = await ports.send({ method: "POST", url: `${url}${path}`, headers, body: JSON.stringify(json) });
      // A conflict: it is there already.
      if (answer.status !== 201 && answer.status !== 409) throw failed(`an answer to POST ${path}`, answer.status);
    },
  };
}
type VenSession = Awaited<ReturnType<typeof session>>;

async function allEvents(vtn: VenSession): Promise<readonly RemoteEvent[]> {
  const found: RemoteEvent[] = [];
  for (let page = 0; page < PAGES_MAX; page++) {
    const part = RemoteEvents.parse(await vtn.get(`/events?skip=${page * PAGE}&limit=${PAGE}`));
    found.push(...part);
    if (part.length < PAGE) break;
  }
  return found;
}

/** The headend's event of a VTN's. */
const ownId = ({ name }: VtnConnection, id: string): string => `${name}-${id}`.slice(0, 128);

/**
 * Takes the events of a VTN: new ones are made, changed ones changed, and those that it does not list any more cancelled.
 * Events that cannot be carried out are passed over. Answers what it did. Throws `HeadraceError`.
 */
export async function takeEvents(
  ports: VenPorts,
  connection: VtnConnection,
): Promise<readonly { readonly eventId: string; readonly did: string }[]> {
  const { demand, now } = ports;
  const remote = await allEvents(await session(ports, connection));
  const did: { eventId: string; did: string }[] = [];
  for (const event of remote) {
    const eventId = ownId(connection, event.id);
    const there = await demand.event(eventId);
    const changed = event.modificationDateTime ?? "";
    if (there !== undefined && there.source?.changed === changed) continue;
    const planned = phasesOf(event, there?.createdAt ?? now());
    const last = planned.kind === "phases" ? planned.phases.at(-1) : undefined;
    if (planned.kind === "refused" || last === undefined || (there === undefined && last.to <= now())) continue;
    const { eventName, priority } = event;
    const asked = {
      programId: connection.programId,
      ...(typeof eventName === "string" ? { name: eventName } : {}),
      ...(typeof priority === "number" ? { priority } : {}),
      phases: [...planned.phases],
      randomSeconds: planned.randomSeconds,
      targets: targetsOf(event.targets),
      modifiedAt: now(),
      source: { vtn: connection.name, eventID: event.id, programID: event.programID, changed },
    };
    if (there !== undefined) {
      if ((await demand.writeEvent(there, asked)) !== undefined) did.push({ eventId, did: "changed" });
      continue;
    }
    const made: DrEvent = {
      ...asked,
      eventId,
      state: "planned",
      createdAt: now(),
      caller: { id: `vtn ${connection.name}`, roles: ["operator"] },
      version: 1,
    };
    if (await demand.createEvent(made)) did.push({ eventId, did: "taken" });
  }
  const listed = new Set(remote.map(({ id }) => ownId(connection, id)));
  for (const event of await demand.openEvents()) {
    const live = event.state === "planned" || event.state === "active";
    if (event.source?.vtn !== connection.name || listed.has(event.eventId) || !live || endOf(event) <= now()) continue;
    if ((await demand.writeEvent(event, { state: "cancelled", modifiedAt: now() })) !== undefined)
      did.push({ eventId: event.eventId, did: "cancelled" });
  }
  return did;
}

const CLIENT_NAME = "headrace";

/** Sends what an event brought to the VTN that it came from, unless it has that report. Throws `HeadraceError`. */
export async function sendReport(
  ports: VenPorts,
  connection: VtnConnection,
  event: DrEvent,
  entries: readonly Participation[],
): Promise<void> {
  const { source } = event;
  if (source === undefined) return;
  const vtn = await session(ports, connection);
  const { said } = eventReport(event, entries, ports.now());
  const reportName = event.eventId;
  const there = z
    .array(z.looseObject({ reportName: z.string().nullish() }))
    .parse(await vtn.get(`/reports?eventID=${source.eventID}&clientName=${CLIENT_NAME}`));
  if (there.some((report) => report.reportName === reportName)) return;
  const { programID: _, ...report } = said;
  await vtn.post("/reports", {
    ...inVersion(connection.version, report),
    ...(connection.version === "3.0.1" ? { programID: source.programID } : {}),
    eventID: source.eventID,
    clientName: CLIENT_NAME,
    reportName,
  });
}
