import type { EffectBaseline, EffectVerdict } from "./effect.ts";
import type { Operation } from "./operation.ts";
import type { OperationResult } from "./result.ts";

type Target = Extract<Operation, { readonly kind: "operateSwitch" }>["to"];

/** Volts from which a conductor counts as live: well above what induces itself, well below any supply. */
const LIVE_V = 30;

/** Whether a side of the switch is live by what was read; undefined: nothing was read there. */
export function liveSide({ registers }: OperationResult, side: "line" | "load"): boolean | undefined {
  const volts = registers
    .filter(({ measurement }) => measurement.startsWith("voltage.") && measurement.endsWith(`.${side}`))
    .map(({ value, scaler }) => Number(value) * 10 ** scaler);
  return volts.length === 0 ? undefined : volts.some((one) => one >= LIVE_V);
}

/**
 * What the meter shows of an order to its switch: its position, its contact and the voltages on both sides have to agree.
 * An open switch whose load side is live is bypassed or fed from behind; nothing then says that it worked. `armed` is
 * reached by a closed switch too, where it was open before: only the customer can have closed it.
 */
export function switchVerdict(to: Target, { position: was }: EffectBaseline, shown: OperationResult): EffectVerdict {
  const { position, contactClosed } = shown.switch ?? { position: "unknown" as const };
  const cannotTell = (code: string): EffectVerdict => ({ kind: "cannot-tell", code, shown });
  if (position === "unknown") return cannotTell("switch.position-unknown");
  const closed = position === "closed";
  if (contactClosed !== undefined && contactClosed !== closed) return cannotTell("switch.contact-differs");
  const reached = position === to || (to === "armed" && closed && was === "open");
  if (!reached) return position === was ? { kind: "did-not-happen", shown } : cannotTell("switch.elsewhere");
  const loadLive = liveSide(shown, "load");
  if (!closed && loadLive === true) return cannotTell("switch.load-side-live");
  if (closed && loadLive === false && liveSide(shown, "line") === true) return cannotTell("switch.load-side-dead");
  return { kind: "happened", shown };
}
