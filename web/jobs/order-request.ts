import type { JobRequest } from "./read-request.ts";

/** The order to reset one meter's demand. */
export const resetRequest = (meterId: string, reason: string, idempotencyKey: string): JobRequest => ({
  operation: { kind: "resetDemand" },
  target: { kind: "meters", meterIds: [meterId] },
  reason,
  idempotencyKey,
});

export interface SwitchOrder {
  readonly to: "open" | "closed" | "armed";
  /** Everything but the effect. */
  readonly test: boolean;
}

/** The order to one meter's switch. */
export const switchRequest = (
  meterId: string,
  { to, test }: SwitchOrder,
  reason: string,
  idempotencyKey: string,
): JobRequest => ({
  operation: { kind: "operateSwitch", to },
  target: { kind: "meters", meterIds: [meterId] },
  reason,
  ...(test ? { test } : {}),
  idempotencyKey,
});
