import { describe, expect, it } from "vitest";
import type { Operation } from "../../shared/metering/operation.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { FaultKind } from "../../shared/simulator/faults.ts";
import { simulatedToken } from "../../shared/simulator/prepayment-account.ts";
import { incident, NO_INCIDENT, orderTown } from "./order-town.ts";

const TOP_UP = { kind: "addCredit", amount: { currency: "EUR", value: 10, scaler: 0 } } as const;
const GIVEN = 10_000;
/** The id of a second job. */
const ANOTHER = "zyxwvutsrqponmlkjihgfedcba";

async function creditTown(fault?: FaultKind) {
  const run = await orderTown(fault);
  const { account } = run.meter.parts;
  if (account === undefined) throw new Error("the meter keeps no credit");
  const before = account.state.funds;
  const order = (operation: Operation = TOP_UP, job?: string) =>
    run.order({ operation, lane: "commands", ...(job && { job }) });
  return { run, account, order, given: () => account.state.funds - before };
}
const tokenOf = ({ run }: Awaited<ReturnType<typeof creditTown>>): Operation => ({
  kind: "deliverToken",
  token: simulatedToken(nodeCrypto, run.meter.plan.serial, 1, GIVEN),
});

/** The calls of a bridge that nothing happens to. */
async function callsOf(operation: (town: Awaited<ReturnType<typeof creditTown>>) => Operation) {
  const town = await creditTown();
  const calls: string[] = [];
  town.run.start(incident(town.run.town, NO_INCIDENT, calls));
  await town.run.end(await town.order(operation(town)));
  return calls;
}
const CALLS = { addCredit: await callsOf(() => TOP_UP), deliverToken: await callsOf(tokenOf) };

describe.each(["addCredit", "deliverToken"] as const)("%s", (kind) => {
  const operation = kind === "addCredit" ? () => TOP_UP : tokenOf;
  const crashes = CALLS[kind].flatMap((name, index) =>
    (["before", "after"] as const).map((when) => [`${when} ${name} (${index + 1})`, index + 1, when] as const),
  );

  it.each(crashes)("credits once when the bridge ends %s", async (_name, at, when) => {
    const town = await creditTown();
    const { run } = town;
    run.start(incident(run.town, { at, when, what: "ends" }));
    const slice = await town.order(operation(town));
    await run.town.clock.pass(1_500);
    run.start();
    expect(await run.end(slice)).toBe("done(none)");
    expect(town.given()).toBe(GIVEN);
    expect((await run.town.access.read(run.item))?.creditClaim).toBeUndefined();
    expect(run.meter.counters.state.repeated).toEqual([]);
  });

  it("that the meter only acknowledges is never called done", async () => {
    const town = await creditTown("hollow-credit");
    town.run.start();
    const end = await town.run.end(await town.order(operation(town)));
    expect(end).toMatch(kind === "addCredit" ? /^failed\((no-effect|unverified)\)$/ : /./);
    expect(town.given()).toBe(0);
  });
});

describe("credit in doubt", () => {
  it("keeps other credit away from the meter, so that what it shows is of one order alone", async () => {
    const town = await creditTown();
    const { run } = town;
    const intent = CALLS.addCredit.indexOf("ledger.writeSlice", CALLS.addCredit.indexOf("access.claimCredit")) + 1;
    run.start(incident(run.town, { at: intent, when: "after", what: "ends" }));
    const first = await town.order();
    await run.town.clock.pass(1_500);
    expect((await run.town.access.read(run.item))?.creditClaim?.by).toBe(first.jobId);
    run.start();
    const second = await town.order(TOP_UP, ANOTHER);
    expect(await run.end(second)).toBe("done(none)");
    expect(await run.end(first)).toBe("done(none)");
    expect(town.given()).toBe(2 * GIVEN);
  });

  it("is not superseded: who pays twice is credited twice", async () => {
    const town = await creditTown();
    const slices = [await town.order(), await town.order(TOP_UP, ANOTHER)];
    town.run.start();
    for (const slice of slices) expect(await town.run.end(slice)).toBe("done(none)");
    expect(town.given()).toBe(2 * GIVEN);
  });

  it("that somebody else tops up at the meter is unverified, and not given again", async () => {
    const town = await creditTown();
    const { run } = town;
    const calls = CALLS.addCredit;
    const sent =
      calls.indexOf("link.send", calls.indexOf("ledger.writeSlice", calls.indexOf("access.claimCredit"))) + 1;
    run.start(incident(run.town, { at: sent, when: "after", what: "ends" }));
    const slice = await town.order();
    await run.town.clock.pass(1_500);
    town.account.update(4_000);
    run.start();
    expect(await run.end(slice)).toBe("failed(unverified)");
    expect(town.given()).toBe(GIVEN + 4_000);
  });
});
