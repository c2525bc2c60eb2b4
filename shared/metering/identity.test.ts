import { expect, it } from "vitest";
import { identityText, isIdentityDue } from "./identity.ts";

const DAY_MS = 86_400_000;

it.each([
  ["HRS-2.4.1", "HRS-2.4.1"],
  ["FACTORY\0\0", "FACTORY"],
  ["  A 1  ", "A 1"],
  ["   ", undefined],
  ["", undefined],
  ["x".repeat(80), "x".repeat(64)],
])("a version that the meter has as %j is %j", (said, shown) => {
  expect(identityText(new TextEncoder().encode(said))).toBe(shown);
});

it("octets that are no text are shown in hex", () => {
  expect(identityText(Uint8Array.of(1, 2, 0xfe))).toBe("0102fe");
});

it("a meter is asked at its first session, and a month after it said so last", () => {
  expect(isIdentityDue(undefined, 0)).toBe(true);
  expect(isIdentityDue({ at: 0 }, 30 * DAY_MS - 1)).toBe(false);
  expect(isIdentityDue({ at: 0 }, 30 * DAY_MS)).toBe(true);
});
