import { z } from "zod";
import { Caller } from "../jobs/job.ts";
import type { QueryFilters } from "../jobs/submit-job.ts";
import { isConfined } from "../security/ownership.ts";
import { mayAct, Role } from "../security/roles.ts";
import { JOB_FIELDS } from "./job-fields.ts";
import { JobFilter } from "./job-filter.ts";
import { explain } from "./language/explain.ts";
import { METER_FIELDS } from "./language/meter-fields.ts";
import { conditionOf, MeterFilter } from "./language/meter-filter.ts";

/** Who finds a query besides who saved it, supervisors and administrators. */
export const Sharing = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("private") }),
  z.strictObject({ kind: z.literal("roles"), roles: z.array(Role).min(1).max(Role.options.length) }),
  z.strictObject({ kind: z.literal("everyone") }),
]);
export type Sharing = z.infer<typeof Sharing>;

/** What a query asks: meters (also where it does not say), or jobs. */
export const Asked = z.discriminatedUnion("over", [
  z.strictObject({ over: z.literal("meters").optional(), filter: MeterFilter }),
  z.strictObject({ over: z.literal("jobs"), filter: JobFilter }),
]);
export type Asked = z.infer<typeof Asked>;

const about = {
  name: z.string().min(1).max(64),
  description: z.string().max(200).optional(),
  /** Absent: with everyone. */
  sharing: Sharing.optional(),
  caller: Caller,
  /** Clock ms. */
  createdAt: z.int(),
};
/** A filter saved under a name. One over meters is a target of jobs and schedules. */
export const StoredQuery = z.discriminatedUnion("over", [
  Asked.options[0].extend(about),
  Asked.options[1].extend(about),
]);
export type StoredQuery = z.infer<typeof StoredQuery>;

/** Stored queries. Keys live in `functions/adapters/dynamo-named.ts`. */
export interface StoredQueries {
  /** If absent: a query never changes under its name; whoever wants another one makes another one. */
  create(query: StoredQuery): Promise<"created" | "exists">;
  /** Strongly consistent. */
  read(name: string): Promise<StoredQuery | undefined>;
  /** By name, ascending. */
  list(): Promise<readonly StoredQuery[]>;
  remove(name: string): Promise<void>;
}

const KEEPERS: readonly Role[] = ["supervisor", "administrator"];

/** Whether the caller may find, run and aim at a query. */
export function mayUse(caller: Caller, { caller: owner, sharing = { kind: "everyone" } }: StoredQuery): boolean {
  if (caller.id === owner.id || mayAct(caller.roles, KEEPERS)) return true;
  return sharing.kind === "everyone" || (sharing.kind === "roles" && mayAct(caller.roles, sharing.roles));
}

/** Of a query over meters that the caller may use. */
export const queryFilters = (queries: Pick<StoredQueries, "read">): QueryFilters => ({
  async filterOf(name, caller) {
    const query = await queries.read(name);
    return query === undefined || query.over === "jobs" || !mayUse(caller, query) ? undefined : query.filter;
  },
});

/** The query as an English sentence. */
export const sentenceOf = (asked: Pick<Asked, "over" | "filter">): string =>
  asked.over === "jobs"
    ? explain(asked.filter as JobFilter, JOB_FIELDS, "Jobs")
    : explain(conditionOf(asked.filter as MeterFilter), METER_FIELDS, "Meters");

/** Whose jobs a query over jobs looks at; undefined: all of them. */
export const jobsOf = (caller: Caller): string | undefined => (isConfined(caller) ? caller.id : undefined);
