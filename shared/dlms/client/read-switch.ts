import type { DlmsSwitch } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Measurement } from "../../metering/measurement.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { SwitchPosition, SwitchState } from "../../metering/result.ts";
import { CONTROL_STATE, DisconnectControl } from "../objects/disconnect-control.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { type Refusal, refusalOf } from "./read-registers.ts";
import type { Answer, DlmsSession } from "./session.ts";

/** Every voltage that the profile maps, measured at the moment. */
export const voltagesOf = ({ registers }: DlmsProfile["dlms"]): readonly Measurement[] =>
  registers
    .map(({ measurement }) => measurement)
    .filter((name) => name.startsWith("voltage.") && !name.endsWith(".average"));

const POSITIONS: Readonly<Record<number, SwitchPosition>> = {
  [CONTROL_STATE.disconnected]: "open",
  [CONTROL_STATE.connected]: "closed",
  [CONTROL_STATE["ready-for-reconnection"]]: "armed",
};

/** The switch as the profile describes it. Throws `SessionError` `unsupported` `profile.no-switch`. */
export function switchOf({ switch: described }: DlmsProfile["dlms"]): DlmsSwitch {
  if (described === undefined)
    throw new SessionError("unsupported", "profile.no-switch", "the device profile describes no switch");
  return described;
}

export interface SwitchRead {
  /** Undefined: the meter refused its position. */
  readonly state: SwitchState | undefined;
  /** control_mode; undefined where the meter refused it. */
  readonly mode: number | undefined;
  readonly refusals: readonly Refusal[];
}

/** Position, contact and mode of a Disconnect control. */
export async function readSwitch(session: DlmsSession, { control }: DlmsSwitch): Promise<SwitchRead> {
  const { controlState, outputState, controlMode } = DisconnectControl.attributes;
  const [position, contact, mode] = (await session.readAll(
    [controlState, outputState, controlMode].map((attribute) =>
      attributeOf<unknown>(DisconnectControl, attribute as never, control),
    ),
  )) as [Answer<number>, Answer<boolean>, Answer<number>];
  const refusals: Refusal[] = [];
  const known = <T>(item: string, answer: Answer<T>): T | undefined => {
    if (answer.kind === "value") return answer.value;
    refusals.push(refusalOf(item, answer.result));
    return undefined;
  };
  const shown = known("switch.position", position);
  const contactClosed = known("switch.contact", contact);
  return {
    state:
      shown === undefined
        ? undefined
        : { position: POSITIONS[shown] ?? "unknown", ...(contactClosed === undefined ? {} : { contactClosed }) },
    mode: known("switch.mode", mode),
    refusals,
  };
}
