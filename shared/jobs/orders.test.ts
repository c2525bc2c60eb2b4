import { describe, expect, it } from "vitest";
import { CALLER, engine, meterRows } from "./engine-fixture.ts";
import type { Job } from "./job.ts";
import { ORDER_ROLES, type Orders, orderNumber } from "./orders.ts";
import { planJob } from "./plan-job.ts";
import { submitJob } from "./submit-job.ts";

const RESET = { kind: "resetDemand" } as const;
const REASON = "end of the billing period";

/** Accepted orders by slot; a newer one stays. */
function book() {
  const newest = new Map<string, number>();
  const calls: string[] = [];
  const orders: Orders = {
    async acceptOrder({ segment, slot }, order) {
      const key = `${segment}/${slot}`;
      calls.push(key);
      if ((newest.get(key) ?? 0) > order) return false;
      newest.set(key, order);
      return true;
    },
  };
  return { orders, newest, calls };
}

describe("an order", () => {
  it.each([
    ["an analyst's", { roles: ["analyst"], reason: REASON }, "role-not-allowed"],
    ["a subscriber's", { roles: ["subscriber"], reason: REASON }, "role-not-allowed"],
    ["one without a reason", { roles: ["operator"], reason: undefined }, "reason-missing"],
    ["one whose reason is blank", { roles: ["supervisor"], reason: "  " }, "reason-missing"],
  ])("is refused: %s", async (_name, { roles, reason }, because) => {
    const { ports } = engine(meterRows([1], 2));
    const { orders, calls } = book();
    const caller = { ...CALLER, roles };
    const request = { operation: RESET, target: { kind: "all" }, reason } as const;
    expect(await submitJob({ ...ports, orders }, caller, request)).toMatchObject({ kind: "refused", because });
    expect(calls).toEqual([]);
  });

  it.each(ORDER_ROLES)(
    "of a %s is written to its meter before its message is sent, in the lane of single meters",
    async (role) => {
      const { ports, sent, places } = engine(meterRows([3], 1));
      const { orders, newest } = book();
      const meterIds = [...places.keys()];
      const lanes = {
        send: async (...message: Parameters<typeof ports.lanes.send>) => {
          expect(newest.size).toBe(1);
          return ports.lanes.send(...message);
        },
      };
      const target: Job["target"] = { kind: "meters", meterIds };
      const request = { operation: RESET, target, reason: REASON };
      const outcome = await submitJob({ ...ports, lanes, orders }, { ...CALLER, roles: [role] }, request);
      expect(outcome).toMatchObject({ kind: "accepted", state: "running" });
      expect(sent).toMatchObject([{ lane: "interactive", segment: 3 }]);
      const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
      expect(newest.get("3/0")).toBe(orderNumber(job as Job));
    },
  );

  it("is accepted by every meter of its target before the slice is there, and not again by a planner that goes on", async () => {
    const { ports, sent } = engine(meterRows([1, 2], 3));
    const { orders, calls } = book();
    const request = { operation: RESET, target: { kind: "all" }, reason: REASON } as const;
    const outcome = await submitJob({ ...ports, orders }, CALLER, request);
    const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("the job is not there");
    expect(calls).toEqual([]);
    await planJob({ ...ports, orders }, job);
    expect(calls.toSorted()).toEqual(["1/0", "1/1", "1/2", "2/0", "2/1", "2/2"]);
    expect(sent).toHaveLength(2);
    await planJob({ ...ports, orders }, job);
    expect(calls).toHaveLength(6);
  });

  it("numbers rise with the time of acceptance, differ within a millisecond, and are safe integers", () => {
    const number = (createdAt: number, jobId: string): number => orderNumber({ createdAt, jobId } as Job);
    expect(number(2_000, "a")).toBeGreaterThan(number(1_999, "zzz"));
    expect(number(2_000, "a")).not.toBe(number(2_000, "b"));
    expect(Number.isSafeInteger(number(Date.UTC(2200, 0, 1), "a"))).toBe(true);
  });
});
