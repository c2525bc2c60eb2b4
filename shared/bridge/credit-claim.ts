import type { AccessStore } from "../jobs/access.ts";
import { PROOF_GRACE_MS } from "../jobs/slice-machine.ts";
import type { Place } from "../metering/meter.ts";
import { isCredit } from "../metering/operation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Order } from "./order-task.ts";

type Claims = Pick<AccessStore, "claimCredit" | "releaseCredit">;

/** For so long after its last proof a claim outlives its order, ms: clocks of bridges are apart. */
const MARGIN_MS = 60_000;

/**
 * Claims a meter's credit for an order, before anything of it can happen: what is shown of a credit afterwards is then this
 * order's doing, or somebody's who is no order. It outlives the last proof of the order. False: another order's is live.
 */
export async function claimCredit(
  { access, clock }: { readonly access: Claims; readonly clock: Clock },
  { operation, asker, deadline }: Pick<Order, "operation" | "asker" | "deadline">,
  place: Place,
): Promise<boolean> {
  if (!isCredit(operation)) return true;
  return access.claimCredit(place, asker.jobId, deadline + PROOF_GRACE_MS + MARGIN_MS, clock.now());
}

/** After it is proved, or shown not to have happened and its intent cleared. In doubt it stays until its time is over. */
export async function releaseCredit(
  access: Claims,
  { operation, asker }: Pick<Order, "operation" | "asker">,
  place: Place,
): Promise<void> {
  if (isCredit(operation)) await access.releaseCredit(place, asker.jobId);
}
