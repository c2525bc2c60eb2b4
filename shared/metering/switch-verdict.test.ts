import { describe, expect, it } from "vitest";
import type { OperationResult, SwitchState } from "./result.ts";
import { switchVerdict } from "./switch-verdict.ts";

const shown = (state: SwitchState | undefined, line?: number, load?: number): OperationResult => ({
  registers: [
    ...(line === undefined ? [] : [{ measurement: "voltage.l1.line" as const, value: BigInt(line), scaler: -1 }]),
    ...(load === undefined ? [] : [{ measurement: "voltage.l1.load" as const, value: BigInt(load), scaler: -1 }]),
  ],
  intervals: [],
  refusals: [],
  ...(state && { switch: state }),
});

describe("an order to a switch is proved by position, contact and voltage together", () => {
  it.each([
    ["open", shown({ position: "open" }), "happened"],
    ["open", shown({ position: "open", contactClosed: false }, 2301, 4), "happened"],
    ["open", shown({ position: "closed" }, 2301, 2300), "did-not-happen"],
    ["open", shown({ position: "armed" }), "did-not-happen"],
    ["closed", shown({ position: "closed", contactClosed: true }, 2301, 2300), "happened"],
    ["closed", shown({ position: "closed" }, 0, 0), "happened"],
    ["armed", shown({ position: "armed" }, 2301, 0), "happened"],
    ["armed", shown({ position: "closed" }, 2301, 2299), "happened"],
    ["open", shown({ position: "open" }, 2301, 2300), "switch.load-side-live"],
    ["open", shown({ position: "open", contactClosed: true }), "switch.contact-differs"],
    ["closed", shown({ position: "closed" }, 2301, 0), "switch.load-side-dead"],
    ["open", shown({ position: "unknown" }), "switch.position-unknown"],
    ["open", shown(undefined), "switch.position-unknown"],
  ] as const)("to %s: case %#", (to, seen, expected) => {
    const verdict = switchVerdict(to, seen);
    expect(verdict.kind === "cannot-tell" ? verdict.code : verdict.kind).toBe(expected);
    expect(verdict.shown).toBe(seen);
  });
});
