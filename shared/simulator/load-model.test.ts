import { describe, expect, it } from "vitest";
import { household } from "./household.ts";
import { LoadCurve, lastStep, STEP_MS } from "./load-model.ts";

const start = Date.UTC(2026, 10, 1);
const curveOf = (index: number): LoadCurve => new LoadCurve(household(7, index));

describe("the load model", () => {
  it("depends on seed, meter and instant alone, in whatever order it is asked", () => {
    const instants = Array.from({ length: 400 }, (_, step) => start + step * STEP_MS);
    const forwards = curveOf(3);
    const ahead = instants.map((instant) => forwards.energyAt(instant));
    const backwards = curveOf(3);
    expect(instants.toReversed().map((instant) => backwards.energyAt(instant))).toEqual(ahead.toReversed());
    expect(curveOf(4).energyAt(start)).not.toEqual(ahead[0]);
    expect(new LoadCurve(household(8, 3)).energyAt(start)).not.toEqual(ahead[0]);
  });

  it("never counts backwards, over a year and over midnight, and moves at quarter-hours only", () => {
    for (const index of [0, 1, 2, 5, 9]) {
      const curve = curveOf(index);
      const backwards: number[] = [];
      let before = curve.energyAt(start);
      for (let instant = start; instant < start + 365 * 86_400_000; instant += STEP_MS) {
        const now = curve.energyAt(instant);
        if (now.importWh < before.importWh || now.exportWh < before.exportWh) backwards.push(instant);
        before = now;
      }
      expect(backwards).toEqual([]);
      expect(curve.energyAt(start + STEP_MS - 1)).toEqual(curve.energyAt(start));
    }
  });

  it("looks like households: winter above summer, evening above night, some with panels", () => {
    const houses = Array.from({ length: 300 }, (_, index) => household(1, index));
    const panels = houses.filter((house) => house.exportWhADay > 0).length;
    expect(panels).toBeGreaterThan(40);
    expect(panels).toBeLessThan(100);
    let [winter, summer, night, evening, exported] = [0, 0, 0, 0, 0];
    for (const house of houses) {
      const curve = new LoadCurve(house);
      const used = (from: number, hours: number): number =>
        curve.energyAt(from + hours * 3_600_000).importWh - curve.energyAt(from).importWh;
      winter += used(Date.UTC(2026, 0, 10), 240);
      summer += used(Date.UTC(2026, 6, 10), 240);
      for (let day = 0; day < 5; day++) {
        night += used(Date.UTC(2026, 9, 5 + day, 1), 3);
        evening += used(Date.UTC(2026, 9, 5 + day, 17), 3);
      }
      const night2 =
        curve.energyAt(Date.UTC(2026, 5, 10, 0)).exportWh - curve.energyAt(Date.UTC(2026, 5, 9, 22)).exportWh;
      expect(night2).toBe(0);
      exported +=
        curve.energyAt(Date.UTC(2026, 5, 10, 13)).exportWh - curve.energyAt(Date.UTC(2026, 5, 10, 8)).exportWh;
    }
    expect(winter).toBeGreaterThan(summer * 1.1);
    expect(evening).toBeGreaterThan(night * 2);
    expect(exported).toBeGreaterThan(0);
  });

  it("finds the largest demand of a span, and where it ended", () => {
    const curve = curveOf(11);
    const [from, to] = [start, start + 3 * 86_400_000];
    const max = curve.maxDemand(from, to);
    const all = Array.from({ length: 288 }, (_, step) => {
      const end = from + (step + 1) * STEP_MS;
      return { end, powerW: (curve.energyAt(end).importWh - curve.energyAt(end - STEP_MS).importWh) * 4 };
    });
    const top = all.reduce((best, each) => (each.powerW > best.powerW ? each : best));
    expect(max).toEqual(top);
    expect(curve.maxDemand(from + 1, from + 2)).toBeUndefined();
    expect(lastStep(start + 1)).toBe(start);
  });

  it("counts each quarter-hour under one rate, and both rates are the total", () => {
    const curve = curveOf(2);
    let before = [curve.rateAt(1, start), curve.rateAt(2, start)] as const;
    for (let instant = start + STEP_MS; instant < start + 9 * 86_400_000; instant += STEP_MS) {
      const now = [curve.rateAt(1, instant), curve.rateAt(2, instant)] as const;
      const moved = now.filter((rate, index) => rate.importWh > before[index]!.importWh);
      expect(moved.length).toBeLessThanOrEqual(1);
      expect(now[0].importWh + now[1].importWh).toBe(curve.energyAt(instant).importWh);
      before = now;
    }
    expect(curveOf(2).rateAt(1, start + 40 * 86_400_000)).toEqual(curve.rateAt(1, start + 40 * 86_400_000));
  });

  it("stands still while the switch is open, and counts on from there", () => {
    const [opened, closed] = [start + 10 * STEP_MS, start + 30 * STEP_MS];
    const free = curveOf(1);
    const held = new LoadCurve(household(7, 1), () => [{ from: opened, to: closed }]);
    const stillOpen = new LoadCurve(household(7, 1), () => [{ from: opened, to: undefined }]);
    const { importWh } = free.energyAt(opened);
    expect(held.energyAt(opened - STEP_MS)).toEqual(free.energyAt(opened - STEP_MS));
    expect(held.energyAt(closed).importWh).toBe(importWh);
    expect(stillOpen.energyAt(closed + 50 * STEP_MS).importWh).toBe(importWh);
    const later = closed + 50 * STEP_MS;
    expect(held.energyAt(later).importWh).toBe(
      importWh + free.energyAt(later).importWh - free.energyAt(closed).importWh,
    );
    expect(held.rateAt(1, later).importWh + held.rateAt(2, later).importWh).toBe(held.energyAt(later).importWh);
  });
});
