import { isCredit, replayClass } from "../metering/operation.ts";
import { assert } from "../ports/errors.ts";
import { seedOf } from "../ports/random.ts";
import type { AccessStore } from "./access.ts";
import { eachOf } from "./concurrency.ts";
import type { Job } from "./job.ts";
import { type SegmentMembers, slotsOfBitmap } from "./targets.ts";

/** An order is a job that changes something at the meter: everything but reading. */
export const isOrder = ({ operation }: Pick<Job, "operation">): boolean => replayClass(operation) !== "read";

/** Whether its ends are told in the timeline: a test changes nothing, and a load behind a meter is another thing than the meter. */
export const isCommandTold = (job: Pick<Job, "operation" | "test">): boolean =>
  isOrder(job) && job.test !== true && job.operation.kind !== "controlLoad";

/**
 * Whether it supersedes earlier orders to its meters: a reconnection that is under way must not end because an event begins,
 * or because somebody pays. Nor is credit superseded: who pays twice is credited twice.
 */
export const supersedes = (job: Pick<Job, "operation" | "test">): boolean =>
  isCommandTold(job) && !isCredit(job.operation);

/** Who may give orders. */
export const ORDER_ROLES: readonly string[] = ["operator", "supervisor"];

const TIES = 1024;
/**
 * The number of an order, by which the newest one for a meter is told: rises with the time of its acceptance; orders of
 * the same millisecond are told apart by their id, the same for everybody.
 */
export const orderNumber = ({ createdAt, jobId }: Pick<Job, "createdAt" | "jobId">): number =>
  createdAt * TIES + (seedOf(jobId) % TIES);

/** What accepting orders needs of the access table. */
export type Orders = Pick<AccessStore, "acceptOrder">;

const WRITES_MAX = 16;
/**
 * Writes the order's number into the access items of a segment's meters, before anything of it is sent. Where a newer
 * order is there already, the bridge will find this one superseded. May be repeated.
 */
export async function acceptOrders(
  orders: Orders | undefined,
  job: Job,
  { segment, bitmap }: SegmentMembers,
): Promise<void> {
  assert(orders !== undefined, "orders are planned where they can be accepted");
  const number = orderNumber(job);
  await eachOf(
    slotsOfBitmap(bitmap),
    WRITES_MAX,
    async (slot) => void (await orders.acceptOrder({ segment, slot }, number)),
  );
}
