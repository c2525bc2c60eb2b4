import type { AccessItem } from "../jobs/access.ts";
import type { EffectVerdict } from "../metering/effect.ts";
import type { MeterEvent, OperationResult } from "../metering/result.ts";
import { liveSide, switchVerdict } from "../metering/switch-verdict.ts";
import type { Proof, SwitchPolicy, SwitchTarget } from "./authority.ts";

/** Why a switch is not operated: a dotted code. */
export type Unsafe = `switch.${string}`;

/** What stands against opening in the meter's own access item. People live behind these meters. */
export function flagAgainst({ flags }: Pick<AccessItem, "flags">, to: SwitchTarget | undefined): Unsafe | undefined {
  if (to !== "open") return undefined;
  if (flags.medical) return "switch.medical";
  if (flags.priority) return "switch.priority";
  return flags.moratorium ? "switch.moratorium" : undefined;
}

/** The proof that a meter gives which showed this. */
export const proofOf = (shown: OperationResult): Proof =>
  liveSide(shown, "load") === undefined ? "position" : "position+voltage";

const weaker = (given: Proof, asked: Proof): boolean => asked === "position+voltage" && given === "position";

/** What stands against operating, by what the meter shows before. */
export function stateAgainst(to: SwitchTarget, before: OperationResult, policy: SwitchPolicy): Unsafe | undefined {
  const { position } = before.switch ?? { position: "unknown" };
  if (position === "unknown") return "switch.position-unknown";
  const proof = proofOf(before);
  if (weaker(proof, to === "open" ? policy.leastProof.open : policy.leastProof.closed)) return "switch.proof-too-weak";
  if (to === "open") return undefined;
  // Closing onto a live load side joins two sources: a generator behind the meter, or a bypass.
  if (liveSide(before, "load") === true) return "switch.load-side-live";
  if (to === "closed" && proof === "position" && !policy.closeBlind) return "switch.no-load-sensor";
  return undefined;
}

/**
 * The verdict where the switch is already where it should be, before anything is sent; undefined: it is elsewhere. An
 * armed switch is reached by an armed one only: a closed one was closed by nobody knows whom.
 */
export const alreadyThere = (to: SwitchTarget, before: OperationResult): EffectVerdict | undefined =>
  before.switch?.position === to ? switchVerdict(to, {}, before) : undefined;

/** Whether a meter's log says that its switch was moved, or that somebody tried: what one then finds may be older or newer. */
export const tellsOfSwitching = (events: readonly MeterEvent[]): boolean =>
  events.some(({ event }) => event.startsWith("switch."));
