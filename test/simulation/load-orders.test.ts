import { describe, expect, it } from "vitest";
import type { Stop } from "../../shared/switching/authority.ts";
import { type OrderTown, orderTown } from "./order-town.ts";

const stop = (acts: Stop["acts"]): Stop => ({ stopId: "s1", acts, reason: "a test", by: { id: "somebody" }, at: 0 });

describe("an order to a load behind the meter", () => {
  const load = (mode: "off" | "release", now = 0) =>
    ({
      lane: "urgent",
      operation: {
        kind: "controlLoad",
        control: mode === "release" ? { mode } : { mode, until: Math.ceil(now / 1000) * 1000 + 3_600_000 },
      },
    }) as const;
  const shed = ({ town }: OrderTown) => load("off", town.clock.now());

  it("is looked at last of all, is no business of the caps, and as a test moves nothing", async () => {
    const run = await orderTown();
    run.start();
    expect(await run.end(await run.order({ ...shed(run), test: true }))).toBe("done(none)");
    expect([run.meter.parts.state.loadRelay?.closed, run.audit.links.length]).toEqual([true, 0]);
    expect(await run.end(await run.order({ ...shed(run), job: "b".repeat(26) }))).toBe("done(none)");
    expect(run.meter.parts.state.loadRelay?.closed).toBe(false);
    expect(await run.roomIn("opening")).toEqual([]);
  });

  it.each([
    ["a stop", "switching", "failed(unsafe)", "failed(unsafe)"],
    ["a stop of opening", "opening", "failed(unsafe)", "done(none)"],
    ["a medical flag", undefined, "failed(unsafe)", "done(none)"],
  ] as const)("is held back by %s", async (_, acts, off, release) => {
    const run = await orderTown();
    if (acts === undefined)
      await run.town.access.setFlags(run.item, run.item.meterId, { ...run.item.flags, medical: true });
    else run.rules.authority = { ...run.rules.authority, stops: [stop(acts)] };
    run.start();
    expect(await run.end(await run.order(shed(run)))).toBe(off);
    expect(run.meter.parts.state.loadRelay?.closed).toBe(true);
    expect(await run.end(await run.order({ ...load("release"), job: "b".repeat(26) }))).toBe(release);
  });
});
