import { describe, expect, it } from "vitest";
import type { OnceOperation } from "../../shared/metering/operation.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { C1222, DLMS, type Side, standingClock, type Trial } from "./two-protocols.ts";

const NOW = Date.parse("2026-11-10T09:07:13Z");

/** What the engine sees of an effect: what was read before, the answer, and the verdict a moment later. */
async function effect(side: Side, operation: OnceOperation, part: Partial<Trial> = {}): Promise<object> {
  const clock = standingClock(NOW);
  try {
    const session = await side.open({ clock, ...part });
    const { effects } = session;
    if (effects === undefined) return { kind: "no effects" };
    const { before, baseline } = await effects.baseline(operation);
    let answer: object;
    try {
      const { kind } = await effects.operate(operation);
      answer = { kind };
    } catch (error) {
      answer = failureOf(error);
    }
    // The proof is read at the same second of both, however long the order took.
    await clock.sleep(NOW + 30_000 - clock.now());
    const proving = "reason" in answer ? await side.open({ clock, ...part }) : session;
    const verdict = await proving.effects?.prove(operation, baseline);
    await session.release();
    return {
      before: { registers: before.registers, switch: before.switch },
      answer,
      verdict: verdict?.kind,
      code: verdict?.kind === "cannot-tell" && verdict.code.startsWith("switch.") ? verdict.code : undefined,
      shown: { switch: verdict?.shown?.switch, registers: verdict?.shown?.registers },
    };
  } catch (error) {
    return failureOf(error);
  }
}

/** Codes are the protocols' own. */
function failureOf(error: unknown): object {
  if (!(error instanceof HeadraceError)) throw error;
  return { reason: "reason" in error ? error.reason : error.code, retry: error.retry };
}

const ORDERS: readonly (readonly [string, OnceOperation, Partial<Trial>, object])[] = [
  ["the demand is reset", { kind: "resetDemand" }, {}, { answer: { kind: "accepted" }, verdict: "happened" }],
  ["the switch opens", { kind: "operateSwitch", to: "open" }, {}, { verdict: "happened" }],
  // A closed switch that is told to close does nothing: what was and what is are the same.
  ["the switch is closed already", { kind: "operateSwitch", to: "closed" }, {}, { verdict: "happened" }],
  [
    "an order that is acknowledged and not done",
    { kind: "operateSwitch", to: "open" },
    { fault: "hollow-switch" },
    { answer: { kind: "accepted" }, verdict: "did-not-happen" },
  ],
  [
    "a reset that is acknowledged and not done",
    { kind: "resetDemand" },
    { fault: "hollow-reset" },
    { answer: { kind: "accepted" }, verdict: "did-not-happen" },
  ],
  [
    "a welded contact",
    { kind: "operateSwitch", to: "open" },
    { fault: "welded" },
    { verdict: "cannot-tell", code: "switch.contact-differs" },
  ],
  [
    "a load side that stays live",
    { kind: "operateSwitch", to: "open" },
    { fault: "load-side-live" },
    { verdict: "cannot-tell", code: "switch.load-side-live" },
  ],
  ["a meter that never answers", { kind: "operateSwitch", to: "open" }, { fault: "silent" }, { reason: "timeout" }],
  ["another key", { kind: "resetDemand" }, { enrolledKey: "ab".repeat(16) }, { reason: "auth" }],
  ["a slow meter", { kind: "resetDemand" }, { fault: "slow" }, { verdict: "happened" }],
];

describe("an effect has the same meaning by either protocol", () => {
  it.each(ORDERS)("%s", async (_, operation, part, expected) => {
    const [dlms, c1222] = [await effect(DLMS, operation, part), await effect(C1222, operation, part)];
    expect(c1222).toEqual(dlms);
    expect(c1222).toMatchObject(expected);
  });
});
