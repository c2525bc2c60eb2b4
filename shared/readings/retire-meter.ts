import type { MeterId } from "../metering/meter.ts";
import type { FieldProblem, RegisteredMeter } from "../registry/registered-meter.ts";
import { type DisplayRead, type TakeAwayPorts, takeAway, timeProblem } from "./take-away.ts";

export interface RetirePorts extends TakeAwayPorts {
  /** Written before anything is changed. */
  readonly audit: (retirement: MeterRetirement, servicePoint: string | undefined) => Promise<void>;
  /** What the meter's timeline says; the same again changes nothing. */
  readonly told: (retirement: MeterRetirement, servicePoint: string | undefined) => Promise<void>;
}

/** A meter that is taken away, when (clock ms of meters), and what it showed then; nothing: it could not be read. */
export interface MeterRetirement {
  readonly retires: MeterId;
  readonly at: number;
  readonly finalReads: readonly DisplayRead[];
}

export type RetirementOutcome =
  /** `unchanged`: it retired so before. */
  | { readonly kind: "retired" | "unchanged" }
  | ({ readonly kind: "refused"; readonly because: "unknown-meter" | "conflict" | "unsuitable" } & FieldProblem);

/**
 * A meter is taken away and none takes its place; its service point is free then. Nothing is written when it is refused;
 * the same call again finishes what was interrupted.
 */
export async function retireMeter(ports: RetirePorts, retirement: MeterRetirement): Promise<RetirementOutcome> {
  const { retires, at, finalReads } = retirement;
  const old = (await ports.registry.meters([retires])).get(retires);
  if (old === undefined || old.state === "enrolling")
    return {
      kind: "refused",
      because: "unknown-meter",
      field: "meterId",
      expected: "the id of an enrolled meter",
      received: retires,
    };
  if (retiredOtherwise(old, at))
    return {
      kind: "refused",
      because: "conflict",
      field: "meterId",
      expected: "a meter that is not retired",
      received: retires,
    };
  const time = timeProblem(old, at, ports.meterTime.now());
  if (time !== undefined) return { kind: "refused", because: "unsuitable", ...time };
  const { servicePoint } = old.meter;
  await ports.audit(retirement, servicePoint);
  await takeAway(ports, old, { at, reads: finalReads, source: `retirement/${retires}` }, { retired: { at } });
  await ports.told(retirement, servicePoint);
  return { kind: old.state === "retired" ? "unchanged" : "retired" };
}

const retiredOtherwise = ({ state, retired }: RegisteredMeter, at: number): boolean =>
  state === "retired" && (retired?.replacedBy !== undefined || retired?.at !== at);
