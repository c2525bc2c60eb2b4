import type { EffectSession } from "../../metering/effect.ts";
import type { OnceOperation } from "../../metering/operation.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { creditOrder, type Pauses } from "./credit-order.ts";
import { operateSwitch, type SwitchReads } from "./operate-switch.ts";
import { demandReset, type SessionReads } from "./reset-demand.ts";
import type { DlmsSession } from "./session.ts";

/** What effects need of the session that they are part of. */
export type EffectReads = SessionReads & SwitchReads & Pauses;

/** The effects of class `once` that this driver knows: each kind by its own procedure. */
export function effectsOf(session: DlmsSession, profile: DlmsProfile["dlms"], reads: EffectReads): EffectSession {
  const credit = creditOrder(session, profile, reads);
  const by: Readonly<Record<OnceOperation["kind"], EffectSession>> = {
    resetDemand: demandReset(session, profile, reads),
    operateSwitch: operateSwitch(session, profile, reads),
    addCredit: credit,
    deliverToken: credit,
  };
  return {
    baseline: async (operation) => by[operation.kind].baseline(operation),
    operate: async (operation) => by[operation.kind].operate(operation),
    prove: async (operation, baseline) => by[operation.kind].prove(operation, baseline),
  };
}
