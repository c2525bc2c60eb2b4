import { z } from "zod";
import { DayCounts } from "../readings/missing-records.ts";
import { Instant } from "./instant.ts";

/** UTC days; default the last 31. */
export const CompletenessQuery = z.strictObject({ from: z.iso.date().optional(), to: z.iso.date().optional() });

/** What was expected of each UTC day that has been counted, and what became of it; in intervals of channel sets. */
export const CompletenessList = z.strictObject({
  asOf: Instant,
  days: z.array(
    DayCounts.extend({
      day: z.iso.date(),
      countedAt: Instant,
      /** Times that the day was counted. */
      passes: z.int(),
      /** When it is counted again; absent: nothing more can be read. */
      nextAt: Instant.optional(),
    }),
  ),
});
