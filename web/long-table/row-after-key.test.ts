import { expect, it } from "vitest";
import { rowAfterKey } from "./row-after-key.ts";

it.each([
  { key: "ArrowDown", from: undefined, expected: 0 },
  { key: "ArrowDown", from: 98, expected: 99 },
  { key: "ArrowDown", from: 99, expected: 99 },
  { key: "ArrowUp", from: undefined, expected: 0 },
  { key: "ArrowUp", from: 5, expected: 4 },
  { key: "PageDown", from: 5, expected: 15 },
  { key: "PageUp", from: 5, expected: 0 },
  { key: "Home", from: 50, expected: 0 },
  { key: "End", from: undefined, expected: 99 },
  { key: "Tab", from: 5, expected: undefined },
])("$key at row $from of 100 leads to $expected", ({ key, from, expected }) =>
  expect(rowAfterKey(key, from, 100, 10)).toBe(expected),
);

it("leads nowhere in an empty table", () => expect(rowAfterKey("ArrowDown", undefined, 0, 10)).toBeUndefined());
