import type { EffectSession } from "../../metering/effect.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { operateSwitch, type SwitchReads } from "./operate-switch.ts";
import { demandReset, type SessionReads } from "./reset-demand.ts";
import type { DlmsSession } from "./session.ts";

/** The effects of class `once` that this driver knows: each kind by its own procedure. */
export function effectsOf(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
  reads: SessionReads & SwitchReads,
): EffectSession {
  const reset = demandReset(session, profile, reads);
  const relay = operateSwitch(session, profile, reads);
  return {
    baseline: async (operation) =>
      operation.kind === "operateSwitch" ? relay.baseline(operation) : reset.baseline(operation),
    operate: async (operation) =>
      operation.kind === "operateSwitch" ? relay.operate(operation) : reset.operate(operation),
    prove: async (operation, baseline) =>
      operation.kind === "operateSwitch" ? relay.prove(operation, baseline) : reset.prove(operation, baseline),
  };
}
