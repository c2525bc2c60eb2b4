import { beforeAll, describe, expect, it } from "vitest";
import { simulateWeek, type WeekResult } from "./week.ts";

describe("forty meters over two days, the second of which summer time ends in", () => {
  let result: WeekResult;
  beforeAll(async () => {
    result = await simulateWeek({ seed: 1, meters: 40, days: 2, protocols: 0.2, sleepers: 2 });
  }, 120_000);

  it("loses sessions, a collector, devices and processes, and breaks no invariant", () => {
    const { sessions, faults, violation } = result;
    expect(violation).toBeUndefined();
    expect(sessions.lost).toBeGreaterThan(sessions.begun / 30);
    expect(sessions.dark).toBeGreaterThan(50);
    expect(faults["crash-ingest"]).toBeGreaterThan(0);
    expect(faults["crash-bridge"]).toBeGreaterThan(0);
    expect(Math.abs(result.clockOffMs ?? Number.NaN)).toBeLessThan(10_000); // it was off by an hour, and was set
  });

  it("has every slot present or missing for a true reason, and stored what the meters' own logs have", () => {
    const { differences, total, verified, reasons, events } = result;
    expect(differences).toEqual([]);
    expect(total.present + total.missing).toBe(total.expected);
    expect(total.expected).toBeGreaterThan(5_000);
    expect(verified).toBeGreaterThan(total.present);
    expect(total.late).toBeGreaterThan(0);
    expect(reasons["not-held"]).toBeGreaterThan(0); // outages
    expect(reasons.none).toBeUndefined();
    expect(events).toBeGreaterThan(0);
  });

  it("hears modules that sleep when they wake, and asks them by their mailboxes", () => {
    const { wakes } = result;
    expect(wakes.all).toBeGreaterThan(10);
    expect(wakes.answered).toBeGreaterThan(0);
  });

  it("has key figures that the meters' own witness bears out", () => {
    expect(result.heard).toBeGreaterThan(0);
    expect(result.daysCounted).toBe(2);
  });

  it("reads again by itself what was missing", () => {
    expect(result.targeted).toBeGreaterThan(1);
    expect(result.total.missing).toBeLessThan(result.total.expected / 15);
  });
});
