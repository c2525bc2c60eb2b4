import type { AccessEnrolment } from "../jobs/access.ts";
import { Memberships, type Meter, type MeterId } from "../metering/meter.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import { assert } from "../ports/errors.ts";
import { enrolMeters, FILL_ALL } from "../registry/enrol-meters.ts";
import type { EnrolPorts } from "../registry/enrolment.ts";
import type { EnrolmentRequest, FieldProblem, RegisteredMeter } from "../registry/registered-meter.ts";
import { type DisplayRead, keepDisplay, type TakeAwayPorts, takeAway, timeProblem } from "./take-away.ts";

export interface ExchangePorts extends EnrolPorts, TakeAwayPorts {
  readonly access: EnrolPorts["access"] & AccessEnrolment;
  readonly registry: EnrolPorts["registry"];
  readonly segments: EnrolPorts["segments"];
  readonly meterTime: EnrolPorts["meterTime"];
  /** Written before anything is changed. */
  readonly audit: (exchange: MeterExchange, servicePoint: string) => Promise<void>;
  /** What both meters' timelines say; the same again changes nothing. */
  readonly told: (exchange: MeterExchange, servicePoint: string) => Promise<void>;
}

export interface MeterExchange {
  /** The meter that is taken away, and what it showed then; nothing: it could not be read. */
  readonly retires: MeterId;
  readonly finalReads: readonly DisplayRead[];
  /** The meter that takes its place, and what it showed then. What is left out is as it was. */
  readonly meter: Omit<Meter, "memberships"> & {
    readonly memberships?: Memberships | undefined;
    readonly keys?: MeterKeys | undefined;
  };
  readonly startReads: readonly DisplayRead[];
  /** Clock ms of meters. */
  readonly at: number;
}

type Refusal = { readonly kind: "refused"; readonly because: "unknown-meter" | "conflict" | "unsuitable" };
export type ExchangeOutcome =
  | {
      /** `unchanged`: the same exchange was carried out before. */
      readonly kind: "exchanged" | "unchanged";
      readonly there: RegisteredMeter;
    }
  | (Refusal & FieldProblem);

/**
 * Another meter takes the place of one at its service point: the new one is enrolled with a plan from that instant on, then
 * the old one retires: its final reads are kept, its plan ends, its keys are gone, it is in no set. Each step may be
 * repeated, and the same call again finishes what was interrupted. Nothing is written when it is refused.
 */
export async function exchangeMeter(ports: ExchangePorts, exchange: MeterExchange): Promise<ExchangeOutcome> {
  const { retires, at, meter } = exchange;
  const old = (await ports.registry.meters([retires])).get(retires);
  if (old === undefined || old.state === "enrolling")
    return refused("unknown-meter", "meterId", "the id of an enrolled meter", retires);
  const problem = problemOf(exchange, old, ports.meterTime.now());
  if (problem !== undefined) return problem;
  const servicePoint = old.meter.servicePoint ?? meter.servicePoint;
  assert(servicePoint !== undefined, "an exchange is at a service point");
  await ports.audit(exchange, servicePoint);
  const request: EnrolmentRequest = {
    ...meter,
    servicePoint,
    memberships: meter.memberships ?? Memberships.parse(old.meter.memberships),
    ...(meter.location === undefined && old.meter.location !== undefined ? { location: old.meter.location } : {}),
    installed: { at, replaces: retires },
  };
  const [enrolled] = await enrolMeters(ports, [request], FILL_ALL);
  assert(enrolled !== undefined, "one request has one outcome");
  if (enrolled.kind === "refused") return { ...enrolled, field: `meter.${enrolled.field}` };
  const there = (await ports.registry.meters([meter.meterId])).get(meter.meterId);
  assert(there !== undefined, "what was enrolled is there");

  const source = `exchange/${retires}/${meter.meterId}`;
  await keepDisplay(ports, there, { kind: "installation", at, reads: exchange.startReads, source });
  await takeAway(
    ports,
    old,
    { at, reads: exchange.finalReads, source },
    { meter: { ...old.meter, servicePoint }, retired: { at, replacedBy: meter.meterId } },
  );
  await ports.told(exchange, servicePoint);
  return { kind: enrolled.kind === "unchanged" && old.state === "retired" ? "unchanged" : "exchanged", there };
}

const refused = (because: Refusal["because"], field: string, expected: string, received?: string) =>
  ({ kind: "refused", because, field, expected, ...(received === undefined ? {} : { received }) }) as const;

function problemOf({ meter, at, retires }: MeterExchange, old: RegisteredMeter, now: number) {
  const { retired } = old;
  if (old.state === "retired" && (retired?.replacedBy !== meter.meterId || retired.at !== at))
    return refused("conflict", "meterId", "a meter that is not retired", retires);
  if (meter.meterId === retires) return refused("unsuitable", "meter.meterId", "another meter's id", retires);
  const point = old.meter.servicePoint ?? meter.servicePoint;
  if (point === undefined)
    return refused("unsuitable", "meter.servicePoint", `the service point at which ${retires} is`);
  if (meter.servicePoint !== undefined && meter.servicePoint !== point)
    return refused("unsuitable", "meter.servicePoint", `${point}, where ${retires} is`, meter.servicePoint);
  if (meter.commodity !== old.meter.commodity)
    return refused("unsuitable", "meter.commodity", `${old.meter.commodity}, as ${retires} has it`, meter.commodity);
  const time = timeProblem(old, at, now);
  return time && refused("unsuitable", time.field, time.expected, time.received);
}
