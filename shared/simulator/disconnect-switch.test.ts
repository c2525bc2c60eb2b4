import { describe, expect, it } from "vitest";
import type { Data } from "../dlms/data.ts";
import { ACTION_RESULT, DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { disconnectControlObject } from "./disconnect-control-object.ts";
import {
  CONTROL_MODES,
  type ControlMode,
  type ControlState,
  closedSwitch,
  DisconnectSwitch,
  RELAY_REACTION_MS,
} from "./disconnect-switch.ts";

const MODES = Object.keys(CONTROL_MODES).map(Number) as ControlMode[];
const zero: Data = { type: "integer", value: 0 };

function relay(mode: ControlMode, state: ControlState = "connected", welded = false) {
  const time = { now: 1_000_000 };
  const moves: string[] = [];
  const made = new DisconnectSwitch({
    now: () => time.now,
    state: { ...closedSwitch(mode), state, wasClosed: state === "connected" },
    welded,
    onMoved: (cause, to) => moves.push(`${cause} ${to}`),
  });
  return { time, moves, made };
}

describe("a disconnect switch", () => {
  it.each([
    [1, "ready"],
    [2, "connected"],
    [3, "ready"],
    [4, "connected"],
    [5, "ready"],
    [6, "ready"],
  ] as const)("in mode %i is brought to %s by a remote reconnection", (mode, to) => {
    const { made } = relay(mode, "disconnected");
    expect(made.remoteReconnect()).toBe(true);
    expect(made.state).toBe(to);
  });

  it("opens by remote order in every mode but 0, from the armed state too", () => {
    for (const mode of MODES.slice(1))
      for (const state of ["connected", "ready"] as const) {
        const { made } = relay(mode, state);
        expect(made.remoteDisconnect()).toBe(true);
        expect(made.state).toBe("disconnected");
      }
  });

  it("in mode 0 stays closed whatever is asked", () => {
    const { made, moves } = relay(0);
    expect([made.remoteDisconnect(), made.localDisconnect(), made.press(), made.remoteReconnect()]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([made.state, moves]).toEqual(["connected", []]);
  });

  it("is closed at the meter only when it is armed", () => {
    for (const mode of MODES.slice(1)) {
      expect(relay(mode, "disconnected").made.press()).toBe(false);
      const { made } = relay(mode, "ready");
      expect(made.press()).toBe(true);
      expect(made.state).toBe("connected");
    }
  });

  it("is opened at the meter in modes 1, 2 and 5 alone", () => {
    const opens = MODES.filter((mode) => relay(mode).made.press());
    expect(opens).toEqual([1, 2, 5]);
  });

  it("closes by itself after its own opening in modes 5 and 6 alone", () => {
    const closes = MODES.filter((mode) => {
      const { made } = relay(mode);
      return made.localDisconnect() && made.localReconnect();
    });
    expect(closes).toEqual([5, 6]);
  });

  it("moves its contact a moment after its control, and counts what was open by the contact", () => {
    const { made, time } = relay(2);
    made.remoteDisconnect();
    expect([made.state, made.closed]).toEqual(["disconnected", true]);
    time.now += RELAY_REACTION_MS;
    expect(made.closed).toBe(false);
    time.now += 10_000;
    made.remoteReconnect();
    expect(made.closed).toBe(false);
    time.now += RELAY_REACTION_MS;
    expect(made.closed).toBe(true);
    expect(made.openSpans).toEqual([{ from: 1_000_000 + RELAY_REACTION_MS, to: 1_010_000 + 2 * RELAY_REACTION_MS }]);
  });

  it("repeats an order without another move", () => {
    const { made, moves } = relay(4);
    made.remoteDisconnect();
    made.remoteDisconnect();
    expect(moves).toEqual(["remote-disconnect disconnected"]);
  });

  it("whose contact is welded says so by its output state", () => {
    const { made, time } = relay(4, "connected", true);
    made.remoteDisconnect();
    time.now += 60_000;
    expect([made.state, made.closed, made.openSpans]).toEqual(["disconnected", true, []]);
  });
});

describe("its Disconnect control object", () => {
  it("refuses an order that its mode does not allow, and one of another type", () => {
    const { made } = relay(0);
    const object = disconnectControlObject("0.0.96.3.10.255", made);
    expect(object.methods?.[1]?.(zero).result).toBe(ACTION_RESULT["read-write-denied"]);
    expect(object.methods?.[1]?.(undefined).result).toBe(ACTION_RESULT["type-unmatched"]);
  });

  it("takes modes 0 to 6, and 0 only while it is closed", () => {
    const { made } = relay(2, "disconnected");
    const mode = disconnectControlObject("0.0.96.3.10.255", made).attributes[4];
    expect(mode?.set?.({ type: "enum", value: 6 })).toBe(DATA_ACCESS_RESULT.success);
    expect(made.mode).toBe(6);
    expect(mode?.set?.({ type: "enum", value: 7 })).toBe(DATA_ACCESS_RESULT["other-reason"]);
    expect(mode?.set?.({ type: "enum", value: 0 })).toBe(DATA_ACCESS_RESULT["other-reason"]);
    expect(mode?.set?.({ type: "unsigned", value: 1 })).toBe(DATA_ACCESS_RESULT["type-unmatched"]);
  });
});
