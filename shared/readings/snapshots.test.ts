import { describe, expect, it } from "vitest";
import type { TaskReport } from "../jobs/messages.ts";
import { DAY_MS } from "./day-block.ts";
import { DAY, LATER, reportOf, store } from "./store-fixture.ts";

describe("snapshots", () => {
  const at = DAY - 1;
  const snapshots: NonNullable<TaskReport["snapshots"]> = [
    {
      kind: "billing",
      at,
      registers: [
        { m: "energy.active.import.total", v: 1200n, s: 0 },
        { m: "demand.active.import.max", v: 4100n, s: 0, at: at - 5 * DAY_MS },
      ],
    },
    { kind: "season", at, registers: [{ m: "energy.active.import.total", v: 1200n, s: 0 }] },
  ];
  const report = (change: Partial<TaskReport> = {}): TaskReport => {
    const { intervals: _, ...rest } = reportOf([], { snapshots, ...change });
    return rest;
  };

  it("lie in the day in which they were taken, each with its kind and the time of its peaks", async () => {
    const { put, read } = store();
    expect((await put([report()])).facts.added).toBe(3);
    const found = (await read(DAY - DAY_MS, DAY)).snapshots;
    expect(found.map(({ kind, at: taken, registers }) => [kind, taken, registers.map(({ value }) => value)])).toEqual([
      ["billing", at, [4100n, 1200n]],
      ["season", at, [1200n]],
    ]);
    expect(found[0]?.registers.map((register) => register.at)).toEqual([at - 5 * DAY_MS, at]);
    expect((await read(DAY, DAY + DAY_MS)).snapshots).toEqual([]);
    expect((await read(DAY - DAY_MS, DAY)).registers).toEqual([]);
  });

  it("that are read again change nothing, whenever that is", async () => {
    const { put, writes } = store();
    await put([report()]);
    const before = writes();
    const { facts } = await put([report({ at: DAY + 9 * DAY_MS })], LATER);
    expect([facts.added, facts.corrected, writes()]).toEqual([0, 0, before]);
  });

  it("of one kind and instant are one: two are malformed, and nothing is stored", async () => {
    const { put, writes } = store();
    const twice = snapshots.slice(0, 1);
    expect((await put([report({ snapshots: [...twice, ...twice] })])).bad).toHaveLength(1);
    expect(writes()).toBe(0);
  });
});
