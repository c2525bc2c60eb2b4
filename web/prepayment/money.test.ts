import { expect, it } from "vitest";
import { minorUnits, money } from "./money.ts";

it.each([
  [-1250, "EUR", "−12.50 EUR"],
  [500, "JPY", "500 JPY"],
  [1, "nonsense", "0.01 nonsense"],
])("%d of %s is %s", (minor, currency, text) => expect(money(minor, currency)).toBe(text));

it.each([
  ["12.50", "EUR", 1250],
  ["12,5", "EUR", 1250],
  ["12", "JPY", 12],
  ["12.5", "JPY", undefined],
  ["12.505", "EUR", undefined],
  ["0", "EUR", undefined],
  ["-3", "EUR", undefined],
  ["", "EUR", undefined],
])("%s of %s is so many minor units", (text, currency, minor) => expect(minorUnits(text, currency)).toBe(minor));
