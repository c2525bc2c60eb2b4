import { expect, it } from "vitest";
import { openWhile, RESULTS_CALM, RESULTS_FULL } from "./back-pressure.ts";

it("opens fewer slices of the lower lanes the further ingest lags, and leaves the upper ones alone", () => {
  const half = (RESULTS_CALM + RESULTS_FULL) / 2;
  expect(
    [0, RESULTS_CALM, half, RESULTS_FULL - 1, RESULTS_FULL].map((waiting) => openWhile("bulk", 32, waiting)),
  ).toEqual([32, 32, 16, 1, 0]);
  expect(openWhile("interactive", 32, 1e9)).toBe(32);
  expect(openWhile("commands", 32, 1e9)).toBe(32);
});
