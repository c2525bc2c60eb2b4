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
    ["open", "closed", shown({ position: "open" }), "happened"],
    ["open", "closed", shown({ position: "open", contactClosed: false }, 2301, 4), "happened"],
    ["open", "closed", shown({ position: "closed" }, 2301, 2300), "did-not-happen"],
    ["open", "armed", shown({ position: "armed" }), "did-not-happen"],
    ["open", "closed", shown({ position: "armed" }), "switch.elsewhere"],
    ["closed", "open", shown({ position: "closed", contactClosed: true }, 2301, 2300), "happened"],
    ["closed", "open", shown({ position: "closed" }, 0, 0), "happened"],
    ["armed", "open", shown({ position: "armed" }, 2301, 0), "happened"],
    ["armed", "open", shown({ position: "closed" }, 2301, 2299), "happened"],
    ["armed", "closed", shown({ position: "closed" }, 2301, 2299), "did-not-happen"],
    ["open", "closed", shown({ position: "open" }, 2301, 2300), "switch.load-side-live"],
    ["open", "closed", shown({ position: "open", contactClosed: true }), "switch.contact-differs"],
    ["closed", "open", shown({ position: "closed" }, 2301, 0), "switch.load-side-dead"],
    ["open", "closed", shown({ position: "unknown" }), "switch.position-unknown"],
    ["open", "closed", shown(undefined), "switch.position-unknown"],
  ] as const)("to %s from %s: case %#", (to, was, seen, expected) => {
    const verdict = switchVerdict(to, { position: was }, seen);
    expect(verdict.kind === "cannot-tell" ? verdict.code : verdict.kind).toBe(expected);
    expect(verdict.shown).toBe(seen);
  });
});
