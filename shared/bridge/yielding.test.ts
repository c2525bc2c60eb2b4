import { expect, it } from "vitest";
import { yielding } from "./yielding.ts";

function world() {
  let now = 0;
  const lanes = yielding({ now: () => now });
  return {
    lanes,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

it("without orders nothing is bounded", () => {
  const { lanes, pass } = world();
  for (let used = 0; used < 1_000; used += 100, pass(1_000)) expect(lanes.most(used)).toBe(Number.POSITIVE_INFINITY);
});

it("orders whose looks are quick bound nothing", () => {
  const { lanes, pass } = world();
  for (let count = 0; count < 20; count++, pass(500)) {
    lanes.took(8);
    expect(lanes.most(192)).toBe(Number.POSITIVE_INFINITY);
  }
});

it("while looks are slow, half as many sessions at each step, and never less than two", () => {
  const { lanes, pass } = world();
  const bounds: number[] = [];
  for (let count = 0; count < 9; count++, pass(300)) {
    lanes.took(300);
    bounds.push(lanes.most(192));
  }
  expect(bounds).toEqual([96, 48, 24, 12, 6, 3, 2, 2, 2]);
});

it("a step waits until the one before has shown", () => {
  const { lanes, pass } = world();
  lanes.took(300);
  expect(lanes.most(192)).toBe(96);
  pass(100);
  lanes.took(300);
  expect(lanes.most(192)).toBe(96);
  pass(200);
  expect(lanes.most(150)).toBe(48);
});

it("rises by a quarter once looks are quick again, and is forgotten when the last order is over", () => {
  const { lanes, pass } = world();
  lanes.took(300);
  expect(lanes.most(32)).toBe(16);
  const bounds: number[] = [];
  for (let count = 0; count < 4; count++) {
    pass(1_100);
    lanes.took(10);
    bounds.push(lanes.most(16));
  }
  expect(bounds).toEqual([20, 25, 31, 38]);
  pass(5_001);
  expect(lanes.most(38)).toBe(Number.POSITIVE_INFINITY);
});
