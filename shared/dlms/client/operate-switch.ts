import type { EffectBaseline, EffectSession, EffectVerdict } from "../../metering/effect.ts";
import { SessionError } from "../../metering/failure.ts";
import type { OnceOperation } from "../../metering/operation.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { OperationResult, SwitchState } from "../../metering/result.ts";
import { switchVerdict } from "../../metering/switch-verdict.ts";
import { DisconnectControl } from "../objects/disconnect-control.ts";
import { methodOf } from "../objects/interface-class.ts";
import { effectAnswer } from "./action-answer.ts";
import { requireProof } from "./proven-session.ts";
import { switchOf } from "./read-switch.ts";
import type { DlmsSession } from "./session.ts";

type OperateSwitch = Extract<OnceOperation, { readonly kind: "operateSwitch" }>;
type Target = OperateSwitch["to"];

/** What the effect needs of the session that it is part of. */
export interface SwitchReads {
  /** Position, mode and voltages; `mode` undefined where the meter does not tell. */
  shown(): Promise<{ readonly result: OperationResult; readonly mode: number | undefined }>;
}

/** Modes in which remote_reconnect closes at once; in the others it arms (class 70, control_mode). */
const CLOSING_MODES: readonly number[] = [2, 4];
const ARMING_MODES: readonly number[] = [1, 3, 5, 6];
const refuse = (reason: "unsafe" | "unsupported", code: string, message: string): SessionError =>
  new SessionError(reason, code, message);

/**
 * Whether the order can be carried out as it was meant, from what the meter shows. Throws `SessionError`: `unsafe` where
 * it would do more than asked, `unsupported` where it would do less or nothing.
 */
function checkFeasible(to: Target, { position }: SwitchState, mode: number | undefined): void {
  if (position === "unknown") throw refuse("unsafe", "dlms.switch-position", "the switch shows no known position");
  if (position === targetOf(to)) return; // nothing to be done
  if (mode === 0) throw refuse("unsupported", "dlms.switch-mode-0", "the switch is not to be operated (mode 0)");
  if (to === "open") return;
  if (position === "armed")
    throw refuse("unsupported", "dlms.switch-armed", "the switch waits for the customer: only open it, or let it be");
  if (mode === undefined) throw refuse("unsafe", "dlms.switch-mode", "the meter does not tell its control mode");
  if (to === "closed" && !CLOSING_MODES.includes(mode))
    throw refuse("unsupported", "dlms.switch-only-arms", `in mode ${mode} a reconnection arms and does not close`);
  if (to === "armed" && !ARMING_MODES.includes(mode))
    throw refuse("unsafe", "dlms.switch-closes", `in mode ${mode} a reconnection closes at once`);
}
const targetOf = (to: Target): SwitchState["position"] => to;

/**
 * An order to the switch: remote_disconnect or remote_reconnect (class 70, methods 1 and 2), proved by position and
 * contact. The answer to the method means accepted, not moved.
 */
export function operateSwitch(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
  reads: SwitchReads,
): {
  baseline(operation: OperateSwitch): ReturnType<EffectSession["baseline"]>;
  operate(operation: OperateSwitch): ReturnType<EffectSession["operate"]>;
  prove(operation: OperateSwitch, baseline: EffectBaseline): Promise<EffectVerdict>;
} {
  const stateIn = ({ switch: state, refusals }: OperationResult): SwitchState => {
    if (state !== undefined) return state;
    throw new SessionError("unsupported", refusals[0]?.code ?? "dlms.no-proof", "the meter does not show its position");
  };
  return {
    async baseline({ to }) {
      requireProof(profile);
      switchOf(profile);
      const { result, mode } = await reads.shown();
      const state = stateIn(result);
      checkFeasible(to, state, mode);
      return {
        before: result,
        baseline: {
          position: state.position,
          ...(state.contactClosed === undefined ? {} : { contact: state.contactClosed ? "closed" : "open" }),
          ...(mode === undefined ? {} : { mode: String(mode) }),
        },
      };
    },
    async operate({ to }) {
      const { control } = switchOf(profile);
      const { remoteDisconnect, remoteReconnect } = DisconnectControl.methods;
      const method = to === "open" ? remoteDisconnect : remoteReconnect;
      const { result } = await session.invoke(methodOf(DisconnectControl, method, control), 0);
      return effectAnswer(result);
    },
    async prove({ to }, baseline) {
      const { result } = await reads.shown();
      stateIn(result);
      return switchVerdict(to, baseline, result);
    },
  };
}
