import { z } from "zod";
import { MeterId } from "../metering/meter.ts";
import { Instant } from "./instant.ts";
import { Cursor, limitUpTo, Name } from "./page.ts";

export const GroupPath = z.strictObject({ group: Name });

const GroupSummary = z.strictObject({
  group: z.string(),
  description: z.string().optional(),
  meters: z.int(),
  /** When they were counted: at a change of the group, and once an hour. */
  asOf: Instant.optional(),
});
export const GroupList = z.strictObject({ groups: z.array(GroupSummary) });

export const GroupQuery = z.strictObject({ limit: limitUpTo(1000, 100), cursor: Cursor.optional() });
export const GroupInApi = GroupSummary.extend({ meterIds: z.array(z.string()), cursor: Cursor.optional() });

/** PUT /groups/{group}: makes the group, and adds or removes members; what is there already stays. */
export const GroupChange = z.strictObject({
  description: z.string().max(200).optional(),
  add: z.array(MeterId).max(1000).default([]),
  remove: z.array(MeterId).max(1000).default([]),
});
