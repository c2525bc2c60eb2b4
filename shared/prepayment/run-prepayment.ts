import { eachOf } from "../jobs/concurrency.ts";
import { JobId } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { tasksOf } from "../jobs/tasks.ts";
import type { Account, AccountId } from "./account.ts";
import { type ChargePorts, chargeAccount } from "./charge-account.ts";
import { actOn, type OrderEnd, type SupplyPorts } from "./supply.ts";

export type PrepaymentPorts = ChargePorts & SupplyPorts;

const AT_ONCE = 8;
const MINUTE_MS = 60_000;

/** How the order of one meter stands. */
export const orderEndOf =
  (ledger: Pick<Ledger, "job" | "slicesOf" | "progress">) =>
  async (jobId: string): Promise<OrderEnd> => {
    const job = await ledger.job(JobId.parse(jobId));
    if (job === undefined) return "open";
    const [task] = (await tasksOf(ledger, job, { limit: 1 }))?.tasks ?? [];
    if (task === undefined) return job.state === "closed" ? { failed: "prepayment.not-sent" } : "open";
    if (task.state === "open") return job.state === "closed" ? { failed: "prepayment.not-sent" } : "open";
    return task.state === "done" ? "done" : { failed: `${task.state}(${task.reason})` };
  };

/** Charges one account and acts on its balance. `whole`: every day that readings may still come for. */
export async function settleAccount(
  ports: PrepaymentPorts,
  accountId: AccountId,
  whole = false,
): Promise<Account | undefined> {
  const account = await ports.accounts.read(accountId);
  if (account === undefined) return undefined;
  await chargeAccount(ports, accountId, ports.clock.now(), whole);
  return actOn(ports, accountId);
}

/**
 * What is due in the minute of `now`: each segment once an hour, and every account whose order has not ended. An account that
 * fails keeps no other from its turn; answers how many were looked at and which failed.
 */
export async function runPrepayment(
  ports: PrepaymentPorts,
  now: number,
): Promise<{
  readonly settled: number;
  readonly pursued: number;
  readonly failed: readonly { accountId: string; error: string }[];
}> {
  const failed: { accountId: string; error: string }[] = [];
  const guarded = (work: (accountId: AccountId) => Promise<unknown>) => async (accountId: AccountId) => {
    try {
      await work(accountId);
    } catch (error) {
      failed.push({ accountId, error: error instanceof Error ? error.message : "unknown" });
    }
  };
  const pending = await ports.accounts.pending();
  await eachOf(
    [...pending],
    AT_ONCE,
    guarded((accountId) => actOn(ports, accountId)),
  );
  let settled = 0;
  for (const segment of await ports.accounts.segments(Math.floor(now / MINUTE_MS) % 60)) {
    const accounts = await ports.accounts.accountsOf(segment);
    await eachOf(
      [...accounts],
      AT_ONCE,
      guarded((accountId) => settleAccount(ports, accountId)),
    );
    settled += accounts.length;
  }
  return { settled, pursued: pending.length, failed };
}
