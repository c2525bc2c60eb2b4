import { z } from "zod";
import { DURATION_PATTERN } from "./iso-time.ts";

/** The two versions of the public description that are served, each on a base path of its own. */
export const VERSIONS = ["3.1.0", "3.0.1"] as const;
export type Version = (typeof VERSIONS)[number];

/** What the client says beyond these fields is kept and given back. Null stands for absent. */
const Name = z.string().min(1).max(128);
export const ObjectId = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, "expected 1 to 128 letters, digits, '_' or '-'");
const Duration = z.string().regex(DURATION_PATTERN, "expected a duration of ISO 8601");
const IntervalPeriod = z.looseObject({
  start: z.string().max(64).nullish(),
  duration: Duration.nullish(),
  randomizeStart: Duration.nullish(),
});
export type IntervalPeriod = z.infer<typeof IntervalPeriod>;
const ValuesMap = z.looseObject({ type: Name, values: z.array(z.unknown()).max(1000) });
const Interval = z.looseObject({
  id: z.int(),
  intervalPeriod: IntervalPeriod.nullish(),
  payloads: z.array(ValuesMap).max(100),
});
export type Interval = z.infer<typeof Interval>;
const Intervals = z.array(Interval).max(2_000);

/** 3.1: strings; 3.0.1: pairs of type and values, whose values are the strings here. */
const Targets = z
  .array(z.union([Name, z.looseObject({ type: Name, values: z.array(Name).max(50) })]))
  .max(50)
  .nullish();

export const ProgramRequest = z.looseObject({
  programName: Name,
  intervalPeriod: IntervalPeriod.nullish(),
  targets: Targets,
});
export const EventRequest = z.looseObject({
  programID: ObjectId,
  eventName: z.string().max(256).nullish(),
  priority: z.int().min(0).nullish(),
  targets: Targets,
  intervalPeriod: IntervalPeriod.nullish(),
  intervals: Intervals.nullish(),
});
export type EventRequest = z.infer<typeof EventRequest>;
const ReportRequest = z.looseObject({
  eventID: ObjectId,
  clientName: Name,
  resources: z
    .array(z.looseObject({ resourceName: Name, intervalPeriod: IntervalPeriod.nullish(), intervals: Intervals }))
    .max(1000),
});
export const OBJECT_TYPES = ["PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE"] as const;
const SubscriptionRequest = z.looseObject({
  clientName: Name,
  programID: ObjectId.nullish(),
  objectOperations: z
    .array(
      z.looseObject({
        objects: z.array(z.enum(OBJECT_TYPES)).min(1),
        /** 3.0.1 has the verbs of HTTP. */
        operations: z.array(z.enum(["READ", "CREATE", "UPDATE", "DELETE", "GET", "POST", "PUT"])).min(1),
        callbackUrl: z.url().max(8000),
        bearerToken: z.string().max(4096).nullish(),
      }),
    )
    .min(1)
    .max(20),
  targets: Targets,
});
export type SubscriptionRequest = z.infer<typeof SubscriptionRequest>;
const VenRequest = z.looseObject({ venName: Name, clientID: Name.nullish(), targets: Targets });
const ResourceRequest = z.looseObject({
  resourceName: Name,
  venID: ObjectId.nullish(),
  clientID: Name.nullish(),
  targets: Targets,
});

export const COLLECTIONS = ["programs", "events", "reports", "subscriptions", "vens", "resources"] as const;
export type Collection = (typeof COLLECTIONS)[number];

export const TYPE_OF: Readonly<Record<Collection, (typeof OBJECT_TYPES)[number]>> = {
  programs: "PROGRAM",
  events: "EVENT",
  reports: "REPORT",
  subscriptions: "SUBSCRIPTION",
  vens: "VEN",
  resources: "RESOURCE",
};
export const REQUEST_OF = {
  programs: ProgramRequest,
  events: EventRequest,
  reports: ReportRequest,
  subscriptions: SubscriptionRequest,
  vens: VenRequest,
  resources: ResourceRequest,
} as const satisfies Record<Collection, z.ZodType>;
export const ID_OF: Readonly<Record<Collection, string>> = {
  programs: "programID",
  events: "eventID",
  reports: "reportID",
  subscriptions: "subscriptionID",
  vens: "venID",
  resources: "resourceID",
};
/** Where the name of an object stands that no other one may have. */
export const NAME_OF: Readonly<Partial<Record<Collection, string>>> = {
  programs: "programName",
  vens: "venName",
  resources: "resourceName",
};

/** As it is on the wire: what all objects have, and what their client said. */
export const ObjectInApi = z.looseObject({
  id: ObjectId,
  createdDateTime: z.string(),
  modificationDateTime: z.string(),
  objectType: z.enum(OBJECT_TYPES),
});

/** An object that is nothing more to the headend: reports, subscriptions, VENs, resources. Instants are clock ms. */
export const StoredObject = z.strictObject({
  id: ObjectId,
  collection: z.enum(["reports", "subscriptions", "vens", "resources"]),
  /** Of the client that it belongs to. */
  clientID: z.string().max(256),
  createdAt: z.int(),
  modifiedAt: z.int(),
  said: z.record(z.string(), z.unknown()),
});
export type StoredObject = z.infer<typeof StoredObject>;

/** Keys live in `functions/adapters/dynamo-openadr.ts`. */
export interface StoredObjects {
  put(object: StoredObject): Promise<void>;
  read(collection: StoredObject["collection"], id: string): Promise<StoredObject | undefined>;
  list(collection: StoredObject["collection"]): Promise<readonly StoredObject[]>;
  remove(collection: StoredObject["collection"], id: string): Promise<void>;
}

/** Targets as strings, whichever version said them. */
export const targetsOf = (targets: z.infer<typeof Targets>): string[] => [
  ...new Set((targets ?? []).flatMap((target) => (typeof target === "string" ? [target] : target.values))),
];

/** What a client said, as one of the other version expects it. */
export function inVersion(version: Version, said: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const targets = said.targets as z.infer<typeof Targets>;
  if (targets === undefined || targets === null || targets.length === 0) return { ...said };
  if (version === "3.1.0") return { ...said, targets: targetsOf(targets) };
  const typed = targets.filter((target) => typeof target !== "string");
  const plain = targets.filter((target) => typeof target === "string");
  // 3.1 has no types: a group is what names loads and meters alike.
  return { ...said, targets: [...typed, ...(plain.length === 0 ? [] : [{ type: "GROUP", values: plain }])] };
}
