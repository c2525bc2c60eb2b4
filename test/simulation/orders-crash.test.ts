import { describe, expect, it } from "vitest";
import { countSlots } from "../../shared/jobs/slots.ts";
import { CALLS, INTENT, type Incident, incident, orderTown } from "./order-town.ts";

const each = (
  from: number,
  whens: readonly Incident["when"][],
  what: Incident["what"],
): readonly (readonly [string, Incident])[] =>
  CALLS.flatMap((name, index) =>
    index + 1 < from
      ? []
      : whens.map((when) => [`${when} ${name} (${index + 1})`, { at: index + 1, when, what }] as const),
  );

describe("a demand reset", () => {
  describe.each([
    [undefined, 1],
    ["late-reset", INTENT],
    ["dies-resetting", INTENT],
  ] as const)("of a meter whose fault is %s", (fault, from) => {
    it.each(each(from, ["before", "after"], "ends"))("happens once when the bridge ends %s", async (_name, crash) => {
      const run = await orderTown(fault);
      run.start(incident(run.town, crash));
      const slice = await run.order();
      await run.town.clock.pass(1_500);
      run.start();
      expect(await run.end(slice)).toBe("done(none)");
      expect(run.resets()).toBe(1);
      expect(run.before().length).toBeGreaterThan(0);
      expect(run.meter.counters.state.repeated).toEqual([]);
    });
  });

  it.each(each(1, ["before"], 200_000))(
    "happens once when the bridge stands still %s and another one takes over",
    async (_name, still) => {
      const run = await orderTown();
      run.start(incident(run.town, still));
      const slice = await run.order();
      await run.town.clock.pass(1_500);
      run.start();
      expect(await run.end(slice)).toBe("done(none)");
      await run.town.clock.pass(120_000);
      expect(run.resets()).toBe(1);
      expect(run.meter.counters.state.repeated).toEqual([]);
    },
  );

  it.each([150, 400, 700, 1_000])(
    "of sixty meters happens once a meter when the bridge ends at call %i",
    async (at) => {
      const run = await orderTown(undefined, "generic-eu", 60);
      const calls: string[] = [];
      run.start(incident(run.town, { at, when: "after", what: "ends" }, calls));
      const slice = await run.order({ lane: "bulk" });
      for (let passed = 0; calls.length < at && passed < 60_000; passed += 100) await run.town.clock.pass(100);
      run.start();
      expect(await run.end(slice)).toBe("done(none)");
      const { slots, effects } = await run.town.slice(slice);
      expect(countSlots(slots)).toMatchObject({ done: 60, open: 0, failed: 0 });
      expect(effects).toBeUndefined();
      expect(run.meters.map(({ resets }) => resets.state.count).filter((count) => count !== 1)).toEqual([]);
      expect(run.meters.flatMap(({ counters }) => counters.state.repeated)).toEqual([]);
      expect(calls.length).toBeGreaterThanOrEqual(at);
    },
  );
});
