import { z } from "zod";
import { JobTarget } from "../jobs/job.ts";
import { ShownTariff } from "../metering/tariff-calendar.ts";
import { STANDINGS } from "../pricing/meter-tariffs.ts";
import { Tariff, TariffContent, TariffId, TariffVersion } from "../pricing/tariff.ts";
import { Instant, WholeSecond } from "./instant.ts";
import { Cursor, limitUpTo } from "./page.ts";

const VersionInPath = z.codec(z.string().regex(/^\d{1,4}$/, "expected a number from 1 to 9999"), TariffVersion, {
  decode: Number,
  encode: String,
});
export const TariffPath = z.strictObject({ tariffId: TariffId, version: VersionInPath });

export const TariffInApi = Tariff.extend({ createdAt: Instant });
export const TariffBody = TariffContent;
export const TariffList = z.strictObject({ tariffs: z.array(TariffInApi) });

/** POST …/rollouts. `activateAt` absent: at once. */
export const RolloutBody = z.strictObject({
  target: JobTarget,
  activateAt: WholeSecond.optional(),
  reason: z.string().trim().min(1).max(500),
  idempotencyKey: z.string().min(1).max(120).optional(),
});
/** `proof`: the job that reads the meters again once the calendar counts; absent: that is more than 35 days ahead. */
export const RolloutAccepted = z.strictObject({
  program: z.strictObject({ jobId: z.string(), state: z.string() }),
  proof: z.strictObject({ jobId: z.string(), state: z.string() }).optional(),
});

export const TariffReportQuery = z.strictObject({
  standing: z.enum(STANDINGS).optional(),
  limit: limitUpTo(500, 100),
  cursor: Cursor.optional(),
});
/** Meters that were ordered this version, or count by it, as they last showed it; a page may be shorter than the limit. */
export const TariffReport = z.strictObject({
  digest: z.string(),
  asOf: Instant,
  counts: z.record(z.enum(STANDINGS), z.int()),
  meters: z.array(
    z.strictObject({
      meterId: z.string(),
      standing: z.enum(STANDINGS),
      shown: ShownTariff.extend({ activatesAt: Instant.optional() }),
      seenAt: Instant,
      jobId: z.string().optional(),
    }),
  ),
  cursor: Cursor.optional(),
});
