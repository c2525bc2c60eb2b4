import { describe, expect, it } from "vitest";
import { SETTLE_MS } from "../../shared/bridge/order-task.ts";
import type { FailureReason } from "../../shared/metering/failure.ts";
import { REPLAY_CLASS } from "../../shared/metering/operation.ts";
import { CALLS, INTENT, incident, NO_INCIDENT, OPERATE, orderTown } from "./order-town.ts";

describe("a demand reset", () => {
  it("reads the maximum and its time, resets once, is done by proof, and frees the meter above its counters", async () => {
    const run = await orderTown();
    run.start();
    expect(await run.end(await run.order())).toBe("done(none)");
    expect(run.resets()).toBe(1);
    expect(run.before()).toHaveLength(1);
    expect(run.before()[0]).toMatchObject({ v: expect.any(BigInt), at: expect.any(Number) });
    const { hold, releasedBase } = (await run.town.access.read(run.item)) ?? {};
    expect(hold).toBeUndefined();
    expect(releasedBase).toBeGreaterThan(0n);
  });

  it("writes its intent before the first octet of the effect, and looks at hold and order after it", () => {
    const between = CALLS.slice(INTENT, OPERATE - 1);
    expect(between).toEqual(["access.read"]);
    const order = ["access.takeHold", "access.leaseCounters", "access.read", "dial"];
    const from = CALLS.indexOf("access.takeHold");
    expect(
      CALLS.slice(from)
        .filter((call) => order.includes(call))
        .slice(0, 4),
    ).toEqual(order);
  });

  it.each([
    ["hollow-reset", "failed(no-effect)", 0],
    ["late-reset", "done(none)", 1],
    ["dies-resetting", "done(none)", 1],
    ["silent", "failed(timeout)", 0],
    ["wrong-key", "failed(auth)", 0],
    ["slow", "done(none)", 1],
  ] as const)("of a meter that is %s ends %s", async (fault, expected, resets) => {
    const run = await orderTown(fault);
    run.start();
    expect(await run.end(await run.order({ passes: 2 }))).toBe(expected);
    expect(run.resets()).toBe(resets);
  });

  it.each(["generic-eu-lls", "generic-eu-public"])("is not for %s, whose sessions prove nothing", async (profile) => {
    const run = await orderTown(undefined, profile);
    run.start();
    expect(await run.end(await run.order())).toBe("failed(unsupported)");
    expect(run.resets()).toBe(0);
  });

  it("never repeats what a meter shows more of than one order explains", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: OPERATE, when: "after", what: "ends" }));
    const slice = await run.order();
    await run.town.clock.pass(1_500);
    run.meter.resets.reset(run.town.clock.now()); // by hand, at the meter
    run.start();
    expect(await run.end(slice)).toBe("failed(unverified)");
    expect(run.resets()).toBe(2);
  });

  it("does not believe that nothing happened before the order had time to happen", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: OPERATE, when: "before", what: "breaks" }));
    const sent = run.town.clock.now();
    const slice = await run.order();
    await run.town.clock.pass(SETTLE_MS / 2);
    expect(run.meter.sessions).toBeGreaterThan(1); // it has looked
    expect(run.resets()).toBe(0);
    expect(await run.end(slice)).toBe("done(none)");
    expect(run.town.clock.now() - sent).toBeGreaterThan(SETTLE_MS);
    expect(run.resets()).toBe(1);
  });

  it("is found done when its answer was lost", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: OPERATE + 1, when: "before", what: "breaks" }));
    expect(await run.end(await run.order(), 10_000)).toBe("done(none)");
    expect(run.resets()).toBe(1);
  });

  it("is not sent when the hold is somebody else's by then, and the meter is let alone until he is done", async () => {
    const run = await orderTown();
    const { access, clock } = run.town;
    run.start(incident(run.town, { at: INTENT, when: "after", what: 2_000 }));
    const slice = await run.order();
    await clock.pass(1_500);
    await access.releaseHold(run.item, (await access.read(run.item))?.hold?.owner ?? "", 0n);
    await access.takeHold(run.item, "somebody", clock.now() + 30_000, 0n, clock.now());
    await clock.pass(29_000);
    expect(run.resets()).toBe(0);
    expect(await run.end(slice)).toBe("done(none)");
    expect(run.resets()).toBe(1);
  });
});

describe("an order that is not to be carried out", () => {
  it("is cancelled without a dial when a newer one was accepted", async () => {
    const run = await orderTown();
    const old = await run.order();
    await run.town.clock.pass(2_000);
    const newer = await run.order({ job: "n".repeat(26) });
    run.start();
    expect(await run.end(old)).toBe("cancelled(superseded)");
    expect(await run.end(newer)).toBe("done(none)");
    expect(run.resets()).toBe(1);
  });

  it("is cancelled by the last look when a newer one is accepted after the intent", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: INTENT, when: "after", what: 3_000 }));
    const slice = await run.order();
    await run.town.clock.pass(2_500);
    await run.town.access.acceptOrder(run.item, Number.MAX_SAFE_INTEGER);
    expect(await run.end(slice)).toBe("cancelled(superseded)");
    expect(run.resets()).toBe(0);
  });

  it("is proved before it is cancelled: what happened is done", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: OPERATE, when: "after", what: "ends" }));
    const slice = await run.order();
    await run.town.clock.pass(1_500);
    await run.town.ledger.moveJob(slice.jobId, "running", { state: "cancelling" });
    run.start();
    expect(await run.end(slice)).toBe("done(none)");
    expect(run.resets()).toBe(1);
  });

  it("is not told from a newer one that may have been carried out since: what the meter shows may be that one's", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: OPERATE, when: "before", what: "ends" }));
    const old = await run.order();
    await run.town.clock.pass(1_500);
    await run.town.access.acceptOrder(run.item, Number.MAX_SAFE_INTEGER);
    run.meter.resets.reset(run.town.clock.now()); // as the newer order asks
    run.start();
    expect(await run.end(old)).toBe("failed(unverified)");
  });

  it("is superseded when the meter shows that it never happened and a newer one is there", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: OPERATE, when: "before", what: "ends" }));
    const slice = await run.order();
    await run.town.clock.pass(1_500);
    await run.town.access.acceptOrder(run.item, Number.MAX_SAFE_INTEGER);
    run.start();
    expect(await run.end(slice)).toBe("cancelled(superseded)");
    expect(run.resets()).toBe(0);
  });

  it("expires unsent: its time is looked at after the intent, too", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: INTENT, when: "after", what: 30_000 }));
    const slice = await run.order({ deadlineMs: 20_000 });
    expect(await run.end(slice)).toBe("expired(none)");
    expect(run.resets()).toBe(0);
  });

  it("is proved after its deadline, and then not sent again", async () => {
    for (const [when, expected, resets] of [
      ["after", "done(none)", 1],
      ["before", "expired(none)", 0],
    ] as const) {
      const run = await orderTown();
      run.start(incident(run.town, { at: OPERATE, when, what: "ends" }));
      const slice = await run.order({ deadlineMs: 20_000 });
      await run.town.clock.pass(30_000);
      run.start();
      expect(await run.end(slice)).toBe(expected);
      expect(run.resets()).toBe(resets);
    }
  });
});

describe("a hold", () => {
  it("keeps a reader away while an order is carried out, and an order away from another's", async () => {
    const run = await orderTown();
    const { town, item } = run;
    const until = town.clock.now() + 90_000;
    await town.access.takeHold(item, "somebody", until, 0n, town.clock.now());
    run.start();
    const slice = await run.order({ passes: 1 });
    expect(await run.end(slice)).toBe("failed(busy)" satisfies `failed(${FailureReason})`);
    expect(run.meter.sessions).toBe(0);
  });

  it("is taken for an absolute set as well, which is otherwise performed as a read is", async () => {
    const classes = REPLAY_CLASS as Record<string, string>;
    classes.readRegisters = "state";
    try {
      const run = await orderTown();
      const calls: string[] = [];
      run.start(incident(run.town, NO_INCIDENT, calls));
      expect(await run.end(await run.order({ operation: { kind: "readRegisters" } }))).toBe("done(none)");
      const from = calls.indexOf("access.takeHold");
      expect(calls.slice(from, from + 4)).toEqual([
        "access.takeHold",
        "access.leaseCounters",
        "access.read",
        "ledger.slice",
      ]);
      expect(calls).toContain("access.releaseHold");
    } finally {
      classes.readRegisters = "read";
    }
  });
});
