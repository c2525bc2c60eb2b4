import { z } from "zod";
import { Calendar, isBlackedOut } from "../jobs/calendar.ts";
import type { Operation } from "../metering/operation.ts";

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");

export type SwitchTarget = Extract<Operation, { readonly kind: "operateSwitch" }>["to"];

/** Which switching a stop ends: `opening` alone (a moratorium), or all of it; everywhere, or on one feeder. */
export const StopScope = z.strictObject({ acts: z.enum(["opening", "switching"]), feeder: Name.optional() });
export type StopScope = z.infer<typeof StopScope>;

/** Ends switching from the moment that it is written. Never blocks reading. */
export const Stop = z.strictObject({
  ...StopScope.shape,
  stopId: z.string().regex(/^[0-9a-z]{1,32}$/),
  reason: z.string().min(1).max(500),
  by: z.strictObject({ id: z.string(), name: z.string().optional() }),
  /** Clock ms. */
  at: z.int(),
  /** Clock ms; absent: until it is lifted. */
  until: z.int().optional(),
});
export type Stop = z.infer<typeof Stop>;
export const STOPS_MAX = 64;

/** Days and hours in which nobody is cut off, everywhere or on one feeder: winter, holidays, nights. */
export const Moratorium = z.strictObject({
  moratoriumId: Stop.shape.stopId,
  /** As it was when it was set: a calendar that somebody edits later changes nothing here. */
  calendar: Calendar,
  feeder: Name.optional(),
  reason: Stop.shape.reason,
  by: Stop.shape.by,
  /** Clock ms. */
  at: z.int(),
});
export type Moratorium = z.infer<typeof Moratorium>;
export const MORATORIA_MAX = 16;

/** How an end position is known: by what the control says and a dead or live load side, or by the control alone. */
export const Proof = z.enum(["position", "position+voltage"]);
export type Proof = z.infer<typeof Proof>;

/** What the utility asks of its switches. */
export const SwitchPolicy = z.strictObject({
  /** The least proof that is accepted: of meters that cannot give it nothing is asked. */
  leastProof: z.strictObject({ open: Proof, closed: Proof }),
  /** Whether a switch may be closed from afar where no sensor tells whether the load side is live. Else it is only armed. */
  closeBlind: z.boolean(),
});
export type SwitchPolicy = z.infer<typeof SwitchPolicy>;
export const CAUTIOUS: SwitchPolicy = { leastProof: { open: "position", closed: "position" }, closeBlind: false };

/** The one item that every order's last look reads: who may act now, and what may not be done. */
export interface Authority {
  /** Of counter marks; failover and restore begin the next one. */
  readonly epoch: number;
  /** The Region that is active. */
  readonly region: string;
  readonly stops: readonly Stop[];
  readonly moratoria: readonly Moratorium[];
  readonly policy: SwitchPolicy;
}

/** What people change of it. */
export type Rules = Pick<Authority, "stops" | "moratoria" | "policy">;

/** Where a meter is, as stops know places. */
export interface SwitchPlace {
  readonly feeder?: string | undefined;
}

/** The first of these that holds at a meter there: rules are for everywhere, or for one feeder. */
const ruleAt = <Rule extends { readonly feeder?: string | undefined }>(
  rules: readonly Rule[],
  { feeder }: SwitchPlace,
  holds: (rule: Rule) => boolean,
): Rule | undefined => rules.find((rule) => (rule.feeder === undefined || rule.feeder === feeder) && holds(rule));

/** The stop under which the switch of a meter there may not be brought to `to` at `now`; undefined: none. */
export const stopFor = (stops: readonly Stop[], to: SwitchTarget, place: SwitchPlace, now: number): Stop | undefined =>
  ruleAt(
    stops,
    place,
    ({ until = Number.POSITIVE_INFINITY, acts }) => until > now && (acts === "switching" || to === "open"),
  );

/** Why nobody may bring the switch of a meter there to `to` at `now`: a stop, or a moratorium; undefined: somebody may. */
export function ruleAgainst(
  { stops, moratoria }: Pick<Authority, "stops" | "moratoria">,
  to: SwitchTarget,
  place: SwitchPlace,
  now: number,
): "switch.stopped" | "switch.moratorium" | undefined {
  if (stopFor(stops, to, place, now) !== undefined) return "switch.stopped";
  const spared = to === "open" && ruleAt(moratoria, place, ({ calendar }) => isBlackedOut(calendar, now)) !== undefined;
  return spared ? "switch.moratorium" : undefined;
}
