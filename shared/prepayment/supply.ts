import type { Timeline, TimelineItem } from "../events/timeline.ts";
import type { AccessItem } from "../jobs/access.ts";
import type { Caller } from "../jobs/job.ts";
import type { JobRequest, SubmitOutcome } from "../jobs/submit-job.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import { type Authority, ruleAgainst } from "../switching/authority.ts";
import { flagAgainst } from "../switching/switch-checks.ts";
import type { Account, AccountId, SupplyState } from "./account.ts";
import { commit, type LedgerPorts } from "./credit-ledger.ts";
import { isFriendly, type PrepaymentPolicy } from "./policy.ts";

const HOUR_MS = 3_600_000;
/** An order is carried out within so long, or not at all, ms. */
export const ORDER_MS = 600_000;
/** After an order that failed, or was held back, the next one is tried so much later, ms. */
const RETRY_MS = { off: HOUR_MS, on: 60_000 } as const;

/** How an order stands. */
export type OrderEnd = "open" | "done" | { readonly failed: string };

export interface SupplyPorts extends LedgerPorts {
  /** On which orders are given and expire: the machine's. `clock` is the product's, on which credit is used. */
  readonly orderClock: Pick<Clock, "now">;
  /** Submits as at `at`: the time by which orders supersede each other. The same key again is the same order. */
  readonly submit: (caller: Caller, request: JobRequest, at: number) => Promise<SubmitOutcome>;
  readonly orderEnd: (jobId: string) => Promise<OrderEnd>;
  readonly access: (account: Account) => Promise<AccessItem | undefined>;
  readonly authority: () => Promise<Pick<Authority, "stops" | "moratoria"> | undefined>;
  readonly timeline: Pick<Timeline, "add">;
}

/** Why nobody is cut off now; undefined: nothing stands against it. What the bridge asks again before the frames. */
async function heldBy(ports: SupplyPorts, account: Account, policy: PrepaymentPolicy): Promise<string | undefined> {
  const local = ports.clock.now();
  if (isFriendly(policy, local, local + ORDER_MS)) return "prepayment.friendly-hours";
  const now = ports.orderClock.now();
  const [item, authority] = await Promise.all([ports.access(account), ports.authority()]);
  if (item === undefined || item.meterId !== account.meterId) return "prepayment.meter-gone";
  const flag = flagAgainst(item, "open");
  if (flag !== undefined) return flag;
  return authority === undefined ? "switch.stopped" : ruleAgainst(authority, "open", item, now);
}

/** What is to be done about the switch by the balance alone; undefined: nothing. */
export function wish(
  { balance, supply, state }: Account,
  policy: PrepaymentPolicy,
  now: number,
): "on" | "off" | undefined {
  if (!policy.automatic) return undefined;
  const isDue = (supply.retryAt ?? 0) <= now;
  if (supply.wanted === "on") {
    if (state === "active" && balance <= policy.disconnectAt)
      return isDue || supply.ended === "done" ? "off" : undefined;
    return supply.ended === "failed" && isDue ? "on" : undefined;
  }
  if (balance >= policy.reconnectAt || state === "closed") return state === "closed" ? undefined : "on";
  return supply.ended === "failed" && isDue && balance <= policy.disconnectAt ? "off" : undefined;
}

const eventItem = (account: Account, event: EventName, code: string): TimelineItem => ({
  meterId: account.meterId,
  // The same entry of the ledger crossed the same threshold: whoever sees it again writes the same item.
  id: `prepayment-${account.accountId}-${account.seq}-${code}`,
  entry: {
    kind: "event",
    at: account.lastAt,
    event,
    log: "prepayment",
    code,
    receivedAt: account.lastAt,
    batch: account.accountId,
  },
});

/** Tells of thresholds that the balance has reached, once each, until it is above them again. */
async function warn(ports: SupplyPorts, account: Account, policy: PrepaymentPolicy): Promise<void> {
  const reached = [...new Set([...policy.warnAt, policy.disconnectAt])].filter(
    (threshold) => account.balance <= threshold,
  );
  const fresh = reached.filter((threshold) => !account.warned.includes(threshold));
  if (fresh.length === 0 && reached.length === account.warned.length) return;
  const items = fresh.map((threshold) =>
    eventItem(account, threshold === policy.disconnectAt ? "credit.used-up" : "credit.low", String(threshold)),
  );
  if (items.length > 0) await ports.timeline.add(items);
  await commit(ports, account.accountId, async (now) =>
    now.version === account.version ? { state: { warned: reached.slice(0, 8) } } : undefined,
  );
}

/** Gives the account's order, whichever it is now, and looks how it stands. The order's key makes that repeatable. */
async function pursue(ports: SupplyPorts, account: Account, policy: PrepaymentPolicy): Promise<void> {
  const { accountId, meterId, supply } = account;
  if (supply.order === 0 || supply.ended !== undefined) return;
  const id = `automation/${policy.identity}`;
  const outcome = await ports.submit(
    { id, name: `Prepayment of ${accountId}`.slice(0, 128), roles: ["operator"] },
    {
      operation: { kind: "operateSwitch", to: supply.wanted === "off" ? "open" : policy.reconnectTo },
      target: { kind: "meters", meterIds: [meterId] },
      reason: supply.wanted === "off" ? `credit of ${accountId} is used up` : `credit of ${accountId} was paid`,
      // Whoever would have to approve has no longer either: credit may have come by then.
      ...(supply.wanted === "off" ? { deadline: supply.at + ORDER_MS } : {}),
      idempotencyKey: `prepayment/${accountId}/${supply.order}`,
    },
    supply.at,
  );
  const end: OrderEnd = outcome.kind === "accepted" ? await ports.orderEnd(outcome.jobId) : { failed: outcome.because };
  const jobId = outcome.kind === "accepted" ? { jobId: outcome.jobId as string } : {};
  const now = ports.orderClock.now();
  const next: SupplyState =
    end === "open"
      ? { ...supply, ...jobId }
      : end === "done"
        ? { wanted: supply.wanted, order: supply.order, at: supply.at, ...jobId, ended: "done" }
        : { ...supply, ...jobId, ended: "failed", because: end.failed, retryAt: now + RETRY_MS[supply.wanted] };
  if (JSON.stringify(next) !== JSON.stringify(supply))
    await commit(ports, accountId, async (current) =>
      current.supply.order === supply.order && current.supply.ended === undefined
        ? { state: { supply: next } }
        : undefined,
    );
  if (end !== "open") await ports.accounts.clearPending(accountId);
}

/**
 * Warns, and orders the switch as the balance asks for it. What is wanted is written first, with a time later than the order
 * before; the order has that time, so that of two orders the one wanted last supersedes the other, whichever is given first.
 */
export async function actOn(ports: SupplyPorts, accountId: AccountId): Promise<Account | undefined> {
  const account = await ports.accounts.read(accountId);
  const policy = account && (await ports.accounts.policy(account.policy));
  if (account === undefined || policy === undefined) return account;
  await warn(ports, account, policy);
  // An order that was given before is followed to its end first, unless another is wanted.
  await pursueIfStill(ports, account, policy);
  await commit(ports, accountId, async (current) => {
    const now = ports.orderClock.now();
    const wanted = wish(current, policy, now);
    if (wanted === undefined) return undefined;
    const { supply } = current;
    const against = wanted === "off" ? await heldBy(ports, current, policy) : undefined;
    if (against !== undefined)
      return supply.because === against && (supply.retryAt ?? 0) > now
        ? undefined
        : { state: { supply: { ...supply, because: against, retryAt: now + RETRY_MS.off } } };
    await ports.accounts.markPending(accountId);
    return { state: { supply: { wanted, order: supply.order + 1, at: Math.max(now, supply.at + 1) } } };
  });
  const after = await ports.accounts.read(accountId);
  if (after !== undefined) await pursue(ports, after, policy);
  return ports.accounts.read(accountId);
}

async function pursueIfStill(ports: SupplyPorts, account: Account, policy: PrepaymentPolicy): Promise<void> {
  const wanted = wish(account, policy, ports.orderClock.now());
  if (wanted === undefined || wanted === account.supply.wanted) await pursue(ports, account, policy);
}
