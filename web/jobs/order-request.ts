import type { JobRequest } from "./read-request.ts";

/** The order to reset one meter's demand. */
export const resetRequest = (meterId: string, reason: string, idempotencyKey: string): JobRequest => ({
  operation: { kind: "resetDemand" },
  target: { kind: "meters", meterIds: [meterId] },
  reason: reason.trim(),
  idempotencyKey,
});
