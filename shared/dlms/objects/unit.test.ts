import { expect, test } from "vitest";
import { MEASUREMENTS } from "../../metering/measurement.ts";
import { UNIT, unitExponent, unitSymbol } from "./unit.ts";

test("every code but the reserved ones has one symbol", () => {
  const codes = Object.values(UNIT).sort((left, right) => left - right);
  const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  expect(codes).toEqual([...span(1, 57), ...span(60, 67), ...span(70, 72), ...span(128, 174), 254, 255]);
  for (const [symbol, code] of Object.entries(UNIT)) expect(unitSymbol(code)).toBe(symbol);
  expect(unitSymbol(58)).toBeUndefined();
});

test("every unit of the measurement catalogue has a code", () => {
  for (const [name, { unit }] of Object.entries(MEASUREMENTS))
    expect(
      Object.values(UNIT).some((code) => unitExponent(unit, code) === 0),
      name,
    ).toBe(true);
});

test("litres count cubic metres; watts are no watt-hours", () => {
  expect(unitExponent("m3", UNIT.l)).toBe(-3);
  expect(unitExponent("Wh", UNIT.W)).toBeUndefined();
});
