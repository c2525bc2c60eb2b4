import { z } from "zod";
import { Location } from "../metering/meter.ts";
import { ActedOn, JOB_ACTIONS } from "../queries/act-on-jobs.ts";
import { JOB_FIELDS } from "../queries/job-fields.ts";
import { JobFilter } from "../queries/job-filter.ts";
import type { Fact, Field, Vocabulary } from "../queries/language/field.ts";
import { METER_FIELDS } from "../queries/language/meter-fields.ts";
import { MeterFilter } from "../queries/language/meter-filter.ts";
import { Asked, Sharing } from "../queries/stored-query.ts";
import { Instant } from "./instant.ts";
import { Cursor, limitUpTo, Name } from "./page.ts";

export const QueryPath = z.strictObject({ query: Name });

const named = {
  name: Name,
  description: z.string().max(200).optional(),
  /** Who finds it, besides whoever saves it, supervisors and administrators. Default: everyone. */
  sharing: Sharing.optional(),
};
/** POST /queries. A query never changes under its name. */
export const QuerySubmission = z.discriminatedUnion("over", [
  Asked.options[0].extend(named),
  Asked.options[1].extend(named),
]);
/** POST /queries/preview: of one that is not saved. */
export const QueryPreview = Asked;

export const QueryInApi = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  over: z.enum(["meters", "jobs"]),
  filter: z.union([MeterFilter, JobFilter]),
  sharing: Sharing,
  /** What it asks, in English. */
  sentence: z.string(),
  createdAt: Instant,
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
});
export const QueryList = z.strictObject({ queries: z.array(QueryInApi) });

/** The facts of a row under the names that a filter has for them; what is not known is absent. */
function rowOf<F extends string>(vocabulary: Vocabulary<F>) {
  const one = (field: Field): z.ZodType => {
    switch (field.type) {
      case "age":
        return Instant;
      case "place":
        return Location;
      case "number":
        return z.number();
      default:
        return "many" in field && field.many === true ? z.array(z.string()) : z.string();
    }
  };
  const facts = Object.entries<Field>(vocabulary).map(([name, field]) => [name, one(field).optional()]);
  return Object.fromEntries(facts) as Readonly<Record<F, z.ZodOptional<z.ZodType<Exclude<Fact, null>, unknown>>>>;
}
export const MeterRowInApi = z.strictObject({ ...rowOf(METER_FIELDS), meterId: z.string() });
export const JobRowInApi = z.strictObject({ ...rowOf(JOB_FIELDS), jobId: z.string() });

const found = {
  asOf: Instant,
  /** What was asked, in English. */
  sentence: z.string(),
};
/** GET /queries/{query}/rows: a page; it may end before it is full where few match. */
export const QueryRowsQuery = z.strictObject({ limit: limitUpTo(500, 100), cursor: Cursor.optional() });
export const QueryRows = z.discriminatedUnion("over", [
  z.strictObject({ over: z.literal("meters"), ...found, rows: z.array(MeterRowInApi), cursor: Cursor.optional() }),
  z.strictObject({ over: z.literal("jobs"), ...found, rows: z.array(JobRowInApi), cursor: Cursor.optional() }),
]);

const count = {
  /** How many match now, meters or jobs. */
  meters: z.int().optional(),
  jobs: z.int().optional(),
  /** False: at least so many; not all were looked at. */
  complete: z.boolean(),
};
export const QueryCount = z.strictObject({ ...count, asOf: Instant });
/** A count, and the first rows. */
export const QueryPreviewed = z.discriminatedUnion("over", [
  QueryRows.options[0].omit({ cursor: true }).extend(count),
  QueryRows.options[1].omit({ cursor: true }).extend(count),
]);

/** POST /queries/{query}/actions: on the newest jobs that match now, each looked at once more before it is acted on. */
export const JobActionRequest = z.strictObject({
  action: z.enum(JOB_ACTIONS),
  reason: z.string().min(1).max(500),
  /** The same key of the same caller is the same action on the same jobs: it is finished, or told again. */
  idempotencyKey: z.string().min(1).max(100),
  limit: z.int().min(1).max(50).default(25),
});
export const JobActionDone = z.strictObject({
  actionId: z.string(),
  at: Instant,
  /** Other jobs matched as well: ask again, with another key. */
  more: z.boolean(),
  results: z.array(ActedOn),
});

/** One fact that a filter may ask for, under the name that a condition has as its `kind`. */
export const QueryField = z.strictObject({
  name: z.string(),
  /** How a sentence calls it. */
  words: z.string(),
  type: z.enum(["choice", "name", "text", "number", "age", "place"]),
  many: z.boolean().optional(),
  values: z.array(z.string()).readonly().optional(),
  unit: z.string().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
});
export const QueryFields = z.strictObject({
  meters: z.array(QueryField),
  jobs: z.array(QueryField),
  /** How deep a filter may nest: a test is one level, each `all`, `any` and `not` around it another. */
  levels: z.int(),
  /** Tests and words of logic of one filter together. */
  nodes: z.int(),
});
