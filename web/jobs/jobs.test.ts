import { describe, expect, it } from "vitest";
import { routes } from "../../shared/api/routes.ts";
import { operationText, targetText } from "./job-text.ts";
import { outcomeShares, outcomeText, type Progress, reasonCounts } from "./outcome-counts.ts";
import { type ReadChoice, readRequest, refusalOf } from "./read-request.ts";

const progress = (part: Partial<Progress>): Progress => ({
  asOf: "2026-01-01T00:00:00Z",
  open: 0,
  done: 0,
  failed: 0,
  expired: 0,
  cancelled: 0,
  reasons: {},
  ...part,
});

describe("outcomes", () => {
  it("shares the bar by outcome", () => {
    const { total, ended, share } = outcomeShares(progress({ open: 50, done: 30, failed: 15, expired: 5 }));
    expect([total, ended, share]).toEqual([100, 50, { done: 30, failed: 15, expired: 5, cancelled: 0 }]);
  });
  it("has an empty bar for an empty job", () => {
    expect(outcomeShares(progress({})).share).toEqual({ done: 0, failed: 0, expired: 0, cancelled: 0 });
  });
  it("says the same in words", () => {
    expect(outcomeText(progress({ open: 1, done: 3, cancelled: 2 }))).toBe("5 of 6 ended: 3 done, 2 cancelled");
    expect(outcomeText(progress({ open: 4 }))).toBe("0 of 4 ended");
  });
  it("tells reasons of open tasks from those that ended", () => {
    expect(reasonCounts(progress({ reasons: { auth: 2, "open:timeout": 9, refused: 0, "open:auth": 2 } }))).toEqual([
      { reason: "timeout", open: true, tasks: 9 },
      { reason: "auth", open: false, tasks: 2 },
      { reason: "auth", open: true, tasks: 2 },
    ]);
  });
});

describe("the words of a job", () => {
  it.each([
    [{ kind: "readRegisters" }, "Read all registers"],
    [{ kind: "readRegisters", measurements: ["voltage.l1.line"] }, "Read a register"],
    [{ kind: "ping", depth: "meter" }, "Ping the meter"],
    [{ kind: "resetDemand" }, "Reset the demand"],
  ] as const)("%j is %s", (operation, text) =>
    expect(operationText(operation as Parameters<typeof operationText>[0])).toBe(text),
  );
  it.each([
    [{ kind: "all" }, "All meters"],
    [{ kind: "meters", meterIds: ["A"] }, "Meter A"],
    [{ kind: "meters", meterIds: ["A", "B"] }, "2 meters"],
    [{ kind: "feeder", feeder: "F1" }, "Feeder F1"],
  ] as const)("%j is %s", (target, text) =>
    expect(targetText(target as unknown as Parameters<typeof targetText>[0])).toBe(text),
  );
});

describe("the form that reads now", () => {
  const choice: ReadChoice = { target: "all", group: "", query: "", meterId: "", what: "registers", reason: "" };
  const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

  it.each([
    { ...choice },
    { ...choice, target: "group", group: "north", what: "intervals", reason: " asked by phone " },
    { ...choice, target: "meter", meterId: " M-1 ", what: "intervals" },
  ] as const)("asks for a job that the API takes: $target, $what", (given) => {
    const request = readRequest(given, now, "key");
    expect(routes.submitJob.request.safeParse(request).error).toBeUndefined();
    expect(refusalOf(given)).toBeUndefined();
  });
  it("asks for the 24 hours before now, in whole seconds, with the totals", () => {
    expect(readRequest({ ...choice, what: "intervals" }, now, "key").operation).toEqual({
      kind: "readIntervals",
      range: { from: "2026-01-01T03:04:05.000Z", to: "2026-01-02T03:04:05.000Z" },
      registers: "total",
    });
  });
  it("refuses a group that was not chosen, and what cannot be a meter id, as the API would", () => {
    expect(refusalOf({ ...choice, target: "group" })?.field).toBe("group");
    for (const meterId of ["", "-a", "a b", "é", "a".repeat(65)])
      expect(refusalOf({ ...choice, target: "meter", meterId })?.field).toBe("meterId");
  });
});
