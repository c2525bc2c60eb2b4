import { z } from "zod";
import { MeterFilter } from "../metering/meter-filter.ts";
import { Instant } from "./instant.ts";
import { Name } from "./page.ts";

export const QueryPath = z.strictObject({ query: Name });

/** POST /queries. A query never changes under its name. */
export const QuerySubmission = z.strictObject({
  name: Name,
  description: z.string().max(200).optional(),
  filter: MeterFilter,
});
/** POST /queries/preview: of one that is not saved. */
export const QueryPreview = z.strictObject({ filter: MeterFilter });

export const QueryInApi = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  filter: MeterFilter,
  createdAt: Instant,
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
});
export const QueryList = z.strictObject({ queries: z.array(QueryInApi) });

export const QueryCount = z.strictObject({
  /** Meters that match now. */
  meters: z.int(),
  /** False: at least so many; not all meters were looked at. */
  complete: z.boolean(),
});
