import { expect, it } from "vitest";
import { expectedOn } from "./expected-intervals.ts";

const DAY = Date.UTC(2026, 10, 2);
const on = (period: number) => expectedOn([{ from: 0, sets: [{ set: "load", period }] }], DAY);

it("expects the intervals of the UTC day, and nothing of what a meter captures once a day at its own midnight", () => {
  expect(on(900)).toHaveLength(1);
  expect(on(3600)).toHaveLength(1);
  expect(on(86_400)).toEqual([]);
  expect(on(7_000)).toEqual([]); // divides no day
});
