import type { EffectSession } from "../../shared/metering/effect.ts";
import type { FaultPlan } from "./fault-plan.ts";

/** All that was ever put into the credit of a meter. */
export interface SimpleCredit {
  funds: number;
}

/** Top-ups, proved as a meter's own are: by what was ever put in. `talk`: one request and its answer; `happens`: it is put in. */
export const creditEffects = (
  meter: SimpleCredit,
  faults: FaultPlan,
  talk: () => Promise<void>,
  happens: () => Promise<void>,
): EffectSession => ({
  baseline: async () => {
    await talk();
    return {
      before: { registers: [], intervals: [], refusals: [] },
      baseline: { funds: String(meter.funds) },
    };
  },
  operate: async (operation) => {
    if (operation.kind !== "addCredit") throw new RangeError("expected a top-up");
    if (faults.strikes("lies")) faults.note("lies", "all");
    else {
      meter.funds += operation.amount.value;
      await happens();
    }
    await talk(); // its answer may be lost
    return { kind: "accepted" };
  },
  prove: async (operation, { funds }) => {
    if (operation.kind !== "addCredit") throw new RangeError("expected a top-up");
    await talk();
    const given = meter.funds - Number(funds);
    if (given === 0) return { kind: "did-not-happen" };
    return given === operation.amount.value
      ? { kind: "happened" }
      : { kind: "cannot-tell", code: "simulated.other-credit" };
  },
});
