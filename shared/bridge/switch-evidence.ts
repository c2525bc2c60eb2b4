import type { EffectRecord } from "../jobs/effect-record.ts";
import type { SwitchEvidence } from "../jobs/messages.ts";
import type { OperationResult, SwitchPosition } from "../metering/result.ts";
import { proofOf } from "../switching/switch-checks.ts";
import { registerRecords } from "./task-report.ts";

type Shown = NonNullable<SwitchEvidence["after"]>;
const POSITIONS: readonly string[] = ["open", "closed", "armed"] satisfies readonly SwitchPosition[];

/** What was seen of a switch before the order was sent, by the record that lies with its intent. */
function seenBefore({ baseline: { position, contact }, before }: EffectRecord): Shown {
  return {
    position: POSITIONS.includes(position ?? "") ? (position as SwitchPosition) : "unknown",
    ...(contact === undefined ? {} : { contactClosed: contact === "closed" }),
    voltages: before.filter(({ m }) => m.startsWith("voltage.")),
  };
}

const seenAfter = ({ switch: state, registers }: OperationResult): Shown => ({
  position: state?.position ?? "unknown",
  ...(state?.contactClosed === undefined ? {} : { contactClosed: state.contactClosed }),
  voltages: registerRecords(registers).filter(({ m }) => m.startsWith("voltage.")),
});

/** What a try shows of a switch; undefined: nothing. `shown`: read last; `isProved`: that it is where it should be. */
export function switchEvidence(
  record: EffectRecord | undefined,
  shown: OperationResult | undefined,
  isProved: boolean,
): SwitchEvidence | undefined {
  if (record === undefined && shown === undefined) return undefined;
  return {
    ...(record === undefined ? {} : { before: seenBefore(record) }),
    ...(shown === undefined ? {} : { after: seenAfter(shown) }),
    ...(isProved && shown !== undefined ? { proof: proofOf(shown) } : {}),
  };
}
