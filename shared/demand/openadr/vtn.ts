import type { Caller } from "../../jobs/job.ts";
import { type DrEvent, endOf } from "../dr-event.ts";
import { DEFAULT_BASELINE, type DrProgram, meantFor } from "../program.ts";
import type { DemandStore } from "../store.ts";
import { phasesOf } from "./event-phases.ts";
import { instantText } from "./iso-time.ts";
import {
  type Collection,
  type EventRequest,
  inVersion,
  NAME_OF,
  type StoredObject,
  type StoredObjects,
  type SubscriptionRequest,
  TYPE_OF,
  targetsOf,
  type Version,
} from "./objects.ts";

/** One object of any collection, as the VTN holds it. Instants are clock ms. */
export interface VtnObject {
  readonly id: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly clientID?: string;
  readonly said: Readonly<Record<string, unknown>>;
}
/** What is sent to a subscriber's callback. */
export interface Notification {
  readonly url: string;
  readonly token?: string;
  readonly body: Readonly<Record<string, unknown>>;
}
export interface VtnPorts {
  readonly demand: DemandStore;
  readonly objects: StoredObjects;
  readonly now: () => number;
  readonly newId: () => string;
  readonly notify: (notifications: readonly Notification[]) => Promise<void>;
}
export type VtnRefusal = {
  readonly kind: "not-found" | "conflict" | "invalid" | "forbidden";
  readonly field: string;
  readonly expected: string;
};
export type VtnAnswer = { readonly kind: "object"; readonly object: VtnObject } | VtnRefusal;
export interface ListQuery {
  readonly programID?: string | undefined;
  readonly eventID?: string | undefined;
  readonly venID?: string | undefined;
  readonly clientName?: string | undefined;
  readonly venName?: string | undefined;
  readonly resourceName?: string | undefined;
  readonly targets?: readonly string[] | undefined;
  readonly active?: boolean | undefined;
  readonly skip: number;
  readonly limit: number;
}
type Operation = "CREATE" | "UPDATE" | "DELETE";
type Said = Readonly<Record<string, unknown>>;

/** Business logic sees everything; a VEN what is meant for it, and what is its own. */
const BL_ROLES: readonly string[] = ["operator", "supervisor", "analyst", "administrator"];
export const isBusiness = ({ roles }: Pick<Caller, "roles">): boolean => roles.some((role) => BL_ROLES.includes(role));

const EVENTS_LISTED = 1000;
const TRIES = 5;
const HTTP_VERBS: Readonly<Record<string, string>> = { GET: "READ", POST: "CREATE", PUT: "UPDATE" };
const refusal = (kind: VtnRefusal["kind"], field: string, expected: string): VtnRefusal => ({ kind, field, expected });
const targetsIn = ({ said }: Pick<VtnObject, "said">): string[] => targetsOf(said.targets as EventRequest["targets"]);

const ofProgram = ({ programId, name, targets, createdAt, modifiedAt, said }: DrProgram): VtnObject => ({
  id: programId,
  createdAt,
  modifiedAt,
  said: { ...(targets.length === 0 ? {} : { targets }), ...said, programName: name },
});
const ofEvent = (event: DrEvent): VtnObject => ({
  id: event.eventId,
  createdAt: event.createdAt,
  modifiedAt: event.modifiedAt,
  said: {
    eventName: event.name ?? null,
    priority: event.priority ?? null,
    targets: event.targets,
    intervals: event.phases.map(({ from, to, control }, id) => ({
      id,
      intervalPeriod: { start: instantText(from), duration: `PT${(to - from) / 1000}S` },
      payloads: [{ type: "HEADRACE_CONTROL", values: [control?.mode ?? "none"] }],
    })),
    ...event.said,
    programID: event.programId,
  },
});
const ofStored = ({ id, createdAt, modifiedAt, clientID, said }: StoredObject): VtnObject => ({
  id,
  createdAt,
  modifiedAt,
  clientID,
  said: { ...said, clientID },
});

/** On the wire of a version. */
export const onWire = (version: Version, collection: Collection, object: VtnObject): Record<string, unknown> => ({
  ...inVersion(version, object.said),
  id: object.id,
  createdDateTime: instantText(object.createdAt),
  modificationDateTime: instantText(object.modifiedAt),
  objectType: TYPE_OF[collection],
});

/**
 * The VTN: programs and events are the headend's own demand response, everything else is kept as it is said. A VEN sees
 * events and programs without targets and those with one of its own; of the rest what is its own.
 */
export class Vtn {
  readonly #ports: VtnPorts;

  constructor(ports: VtnPorts) {
    this.#ports = ports;
  }

  async #all(collection: Collection): Promise<readonly VtnObject[]> {
    const { demand, objects } = this.#ports;
    switch (collection) {
      case "programs":
        return (await demand.programs()).map(ofProgram);
      case "events":
        return (await demand.events(EVENTS_LISTED)).filter(({ removed }) => removed !== true).map(ofEvent);
      default:
        return (await objects.list(collection)).map(ofStored);
    }
  }

  async #one(collection: Collection, id: string): Promise<VtnObject | undefined> {
    const { demand, objects } = this.#ports;
    if (collection === "programs") {
      const program = await demand.program(id);
      return program && ofProgram(program);
    }
    if (collection === "events") {
      const event = await demand.event(id);
      return event === undefined || event.removed === true ? undefined : ofEvent(event);
    }
    const object = await objects.read(collection, id);
    return object && ofStored(object);
  }

  /** By what targets a VEN's client is known: those of its VENs and resources. Business logic gives them. */
  async #knownAs(clientID: string): Promise<readonly string[]> {
    const { objects } = this.#ports;
    const own = [...(await objects.list("vens")), ...(await objects.list("resources"))];
    return own.filter((object) => object.clientID === clientID).flatMap(targetsIn);
  }

  async #visible(caller: Caller, collection: Collection): Promise<(object: VtnObject) => boolean> {
    if (isBusiness(caller)) return () => true;
    if (collection !== "programs" && collection !== "events") return ({ clientID }) => clientID === caller.id;
    const known = await this.#knownAs(caller.id);
    return (object) => meantFor(targetsIn(object), known);
  }

  async list(caller: Caller, collection: Collection, query: ListQuery): Promise<readonly VtnObject[]> {
    const visible = await this.#visible(caller, collection);
    const ended = new Set<string>();
    if (query.active !== undefined && collection === "events")
      for (const event of await this.#ports.demand.events(EVENTS_LISTED))
        if (endOf(event) <= this.#ports.now() || event.state === "cancelled") ended.add(event.eventId);
    const fields = ["programID", "eventID", "venID", "clientName", "venName", "resourceName"] as const;
    const found = (await this.#all(collection)).filter(
      (object) =>
        visible(object) &&
        fields.every((field) => query[field] === undefined || object.said[field] === query[field]) &&
        (query.targets === undefined || query.targets.some((target) => targetsIn(object).includes(target))) &&
        (query.active === undefined || ended.has(object.id) !== query.active),
    );
    return found
      .sort((left, right) => left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1))
      .slice(query.skip, query.skip + query.limit);
  }

  async read(caller: Caller, collection: Collection, id: string): Promise<VtnAnswer> {
    const object = await this.#one(collection, id);
    if (object === undefined || !(await this.#visible(caller, collection))(object))
      return refusal("not-found", "id", "the id of an object that is there");
    return { kind: "object", object };
  }

  /** Creates, or replaces where `id` is given. */
  async write(caller: Caller, collection: Collection, body: Said, id?: string): Promise<VtnAnswer> {
    if (id !== undefined) {
      const there = await this.read(caller, collection, id);
      if (there.kind !== "object") return there;
    }
    const name = NAME_OF[collection];
    if (name !== undefined) {
      const namesake = (await this.#all(collection)).find(
        (object) =>
          object.id !== id &&
          object.said[name] === body[name] &&
          (collection !== "resources" || object.said.venID === body.venID),
      );
      if (namesake !== undefined) return refusal("conflict", name, "a name that no other object has");
    }
    const answer = await this.#written(caller, collection, body, id);
    if (answer.kind === "object") await this.#tell(collection, id === undefined ? "CREATE" : "UPDATE", answer.object);
    return answer;
  }

  async #written(caller: Caller, collection: Collection, body: Said, id: string | undefined): Promise<VtnAnswer> {
    const { demand, objects, now, newId } = this.#ports;
    const at = now();
    const { id: _, createdDateTime: __, modificationDateTime: ___, objectType: ____, ...said } = body;
    if (collection === "programs") {
      const was = id === undefined ? undefined : await demand.program(id);
      const program: DrProgram = {
        programId: id ?? newId(),
        name: String(said.programName),
        baseline: was?.baseline ?? DEFAULT_BASELINE,
        targets: targetsIn({ said }),
        createdAt: was?.createdAt ?? at,
        modifiedAt: at,
        said,
      };
      await demand.putProgram(program);
      return { kind: "object", object: ofProgram(program) };
    }
    if (collection === "events") return this.#writtenEvent(caller, said as EventRequest, id);
    const unknown = await this.#unknownParent(collection, said);
    if (unknown !== undefined) return unknown;
    const was = id === undefined ? undefined : await objects.read(collection, id);
    // Only business logic says whose a VEN is, and by which targets events find it.
    const business = isBusiness(caller);
    const given = business && typeof said.clientID === "string" ? said.clientID : undefined;
    const named = collection === "vens" || collection === "resources";
    const targets = named && !business ? was?.said.targets : said.targets;
    const object: StoredObject = {
      id: id ?? newId(),
      collection,
      clientID: given ?? was?.clientID ?? caller.id,
      createdAt: was?.createdAt ?? at,
      modifiedAt: at,
      said: { ...said, ...(targets === undefined ? { targets: null } : { targets }) },
    };
    await objects.put(object);
    return { kind: "object", object: ofStored(object) };
  }

  async #unknownParent(collection: Collection, { programID, eventID, venID }: Said): Promise<VtnRefusal | undefined> {
    const parents = [
      ["programs", "programID", programID],
      ["events", "eventID", collection === "reports" ? eventID : undefined],
      ["vens", "venID", collection === "resources" ? venID : undefined],
    ] as const;
    for (const [parent, field, value] of parents)
      if (typeof value === "string" && (await this.#one(parent, value)) === undefined)
        return refusal("not-found", field, `the id of one of the ${parent}`);
    return undefined;
  }

  async #writtenEvent(caller: Caller, said: EventRequest, id: string | undefined): Promise<VtnAnswer> {
    const { demand, now, newId } = this.#ports;
    const unknown = await this.#unknownParent("events", said);
    if (unknown !== undefined) return unknown;
    const at = now();
    const planned = phasesOf(said, at);
    if (planned.kind === "refused") return refusal("invalid", planned.field, planned.expected);
    const { eventName, priority } = said;
    const asked = {
      programId: said.programID,
      ...(typeof eventName === "string" ? { name: eventName } : {}),
      ...(typeof priority === "number" ? { priority } : {}),
      phases: [...planned.phases],
      randomSeconds: planned.randomSeconds,
      targets: targetsIn({ said }),
      modifiedAt: at,
      said,
    };
    for (let tries = 0; tries < TRIES && id !== undefined; tries++) {
      const was = await demand.event(id);
      if (was === undefined) return refusal("not-found", "id", "the id of an event");
      const { name: _, priority: __, ...rest } = was;
      const written = await demand.writeEvent(rest, asked);
      if (written !== undefined) return { kind: "object", object: ofEvent(written) };
    }
    if (id !== undefined) return refusal("conflict", "id", "an event that nobody else is changing");
    const event: DrEvent = {
      ...asked,
      eventId: newId(),
      state: "planned",
      createdAt: at,
      caller: { ...caller, roles: [...caller.roles] },
      version: 1,
    };
    await demand.createEvent(event);
    return { kind: "object", object: ofEvent(event) };
  }

  async remove(caller: Caller, collection: Collection, id: string): Promise<VtnAnswer> {
    const there = await this.read(caller, collection, id);
    if (there.kind !== "object") return there;
    const { demand, objects } = this.#ports;
    if (collection === "programs") {
      if ((await demand.openEvents()).some(({ programId, removed }) => programId === id && removed !== true))
        return refusal("conflict", "programID", "a program without events that are not over");
      await demand.removeProgram(id);
    } else if (collection === "events") {
      if (!(await this.#removedEvent(id))) return refusal("conflict", "id", "an event that nobody else is changing");
    } else await objects.remove(collection, id);
    await this.#tell(collection, "DELETE", there.object);
    return there;
  }

  /** Loads that it told are released by the next tick. */
  async #removedEvent(id: string): Promise<boolean> {
    const { demand, now } = this.#ports;
    for (let tries = 0; tries < TRIES; tries++) {
      const event = await demand.event(id);
      if (event === undefined) return true;
      const live = event.state === "planned" || event.state === "active";
      const change = { removed: true, modifiedAt: now(), ...(live ? { state: "cancelled" as const } : {}) };
      if ((await demand.writeEvent(event, change)) !== undefined) return true;
    }
    return false;
  }

  /** Keeps an object of the headend's own, such as the report of a measured event. The same again is the same. */
  async keep(object: StoredObject): Promise<void> {
    await this.#ports.objects.put(object);
    await this.#tell(object.collection, "CREATE", ofStored(object));
  }

  /** Whoever subscribed to it and may see it. */
  async #tell(collection: Collection, operation: Operation, object: VtnObject): Promise<void> {
    const { objects, notify } = this.#ports;
    const found: Notification[] = [];
    for (const { clientID, said } of await objects.list("subscriptions")) {
      const { programID, objectOperations, targets } = said as SubscriptionRequest & { business?: boolean };
      const about = collection === "programs" ? object.id : object.said.programID;
      if (typeof programID === "string" && about !== programID) continue;
      const wanted = targetsOf(targets);
      if (wanted.length > 0 && !wanted.some((target) => targetsIn(object).includes(target))) continue;
      const roles = said.business === true ? ["operator"] : ["subscriber"];
      if (!(await this.#visible({ id: clientID, roles }, collection))(object)) continue;
      for (const { objects: types, operations, callbackUrl, bearerToken } of objectOperations) {
        const asked = operations.map((one) => HTTP_VERBS[one] ?? one);
        if (!types.includes(TYPE_OF[collection]) || !asked.includes(operation)) continue;
        const version: Version = said.version === "3.0.1" ? "3.0.1" : "3.1.0";
        const wire =
          version === "3.0.1" ? ({ CREATE: "POST", UPDATE: "PUT", DELETE: "DELETE" } as const)[operation] : operation;
        found.push({
          url: callbackUrl,
          ...(typeof bearerToken === "string" ? { token: bearerToken } : {}),
          body: { objectType: TYPE_OF[collection], operation: wire, object: onWire(version, collection, object) },
        });
      }
    }
    if (found.length > 0) await notify(found);
  }
}
