import { z } from "zod";

/** How an endpoint has answered lately. Instants are clock ms. */
export const EndpointHealth = z.strictObject({
  /** In a row. */
  failures: z.int().min(0),
  failingSince: z.int().optional(),
  /** Nothing is tried before. */
  openUntil: z.int().optional(),
  lastFailure: z.strictObject({ at: z.int(), problem: z.string() }).optional(),
  lastDeliveredAt: z.int().optional(),
  /** Nothing is tried any more until a person resumes it, and why. */
  suspended: z.strictObject({ at: z.int(), because: z.string() }).optional(),
});
export type EndpointHealth = z.infer<typeof EndpointHealth>;

export const HEALTHY: EndpointHealth = { failures: 0 };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** So many failures in a row are no accident: the endpoint is left alone for ever longer rests. */
export const FAILURES_TO_OPEN = 5;
const REST_MS = MINUTE_MS;
const REST_MAX_MS = 30 * MINUTE_MS;
/** An endpoint that has taken nothing for so long is suspended. */
export const SUSPEND_AFTER_MS = 24 * HOUR_MS;

/** What follows from a failure that `health` counts already. `chance`: from 0 to 1, for a jitter of a tenth. */
export function afterFailure(
  { failures, failingSince }: EndpointHealth,
  now: number,
  chance: number,
): { readonly openUntil?: number; readonly suspend: boolean } {
  if (failures < FAILURES_TO_OPEN) return { suspend: false };
  const rest = Math.min(REST_MAX_MS, REST_MS * 2 ** Math.min(failures - FAILURES_TO_OPEN, 10));
  return {
    openUntil: now + Math.round(rest * (1 + chance / 10)),
    suspend: failingSince !== undefined && now - failingSince >= SUSPEND_AFTER_MS,
  };
}
