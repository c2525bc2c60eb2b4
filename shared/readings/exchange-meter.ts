import type { AccessEnrolment } from "../jobs/access.ts";
import { batchReference } from "../jobs/batches.ts";
import { eachOf } from "../jobs/concurrency.ts";
import type { Measurement } from "../metering/measurement.ts";
import { Memberships, type Meter, type MeterId } from "../metering/meter.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { Crypto } from "../ports/crypto.ts";
import { assert, HeadraceError } from "../ports/errors.ts";
import { enrolMeters, FILL_ALL } from "../registry/enrol-meters.ts";
import type { EnrolPorts } from "../registry/enrolment.ts";
import { setsOf } from "../registry/member-sets.ts";
import type { EnrolmentRequest, FieldProblem, RegisteredMeter } from "../registry/registered-meter.ts";
import type { DayBlocks } from "./blocks.ts";
import { DEPTH_DAYS } from "./close-day.ts";
import { DAY_MS } from "./day-block.ts";
import type { LakeMarks } from "./lake-marks.ts";
import { markOutOfPlace } from "./out-of-place.ts";
import { storeReadings } from "./store-readings.ts";

export interface ExchangePorts extends EnrolPorts {
  readonly access: EnrolPorts["access"] & AccessEnrolment;
  readonly blocks: DayBlocks;
  readonly lake?: Pick<LakeMarks, "read" | "mark"> | undefined;
  readonly crypto: Crypto;
  /** Written before anything is changed. */
  readonly audit: (exchange: MeterExchange, servicePoint: string) => Promise<void>;
  /** What both meters' timelines say; the same again changes nothing. */
  readonly told: (exchange: MeterExchange, servicePoint: string) => Promise<void>;
}

/** A register as somebody read it from the display: `value × 10^scaler` of the measurement's unit. */
export interface DisplayRead {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
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

const WRITES_MAX = 8;
const TRIES = 5;

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

  await keepReads(ports, exchange, old, "removal", exchange.finalReads);
  await keepReads(ports, exchange, there, "installation", exchange.startReads);
  await markOutOfPlace(ports, old.place, at, ports.meterTime.now());
  assert(await ports.access.retire(old.place, retires, at), "the slot of a meter is its own for life");
  await eachOf(setsOf(old.meter.memberships), WRITES_MAX, (set) =>
    ports.segments.changeMembers(set, old.place.segment, [], [old.place.slot]),
  );
  await retire(ports, old, { ...exchange, servicePoint });
  await ports.told(exchange, servicePoint);
  return { kind: enrolled.kind === "unchanged" && old.state === "retired" ? "unchanged" : "exchanged", there };
}

const refused = (because: Refusal["because"], field: string, expected: string, received?: string) =>
  ({ kind: "refused", because, field, expected, ...(received === undefined ? {} : { received }) }) as const;
const iso = (instant: number): string => new Date(instant).toISOString();

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
  if (at > now) return refused("unsuitable", "at", "an instant that is over", iso(at));
  const earliest = Math.max(old.installed?.at ?? 0, now - DEPTH_DAYS * DAY_MS);
  if (old.state === "enrolled" && at <= earliest)
    return refused("unsuitable", "at", `an instant after ${iso(earliest)}`, iso(at));
  return undefined;
}

/** What was read from a display is a snapshot of that instant; another value for it is a correction. */
async function keepReads(
  ports: ExchangePorts,
  { retires, meter, at }: MeterExchange,
  { place: { segment, slot } }: RegisteredMeter,
  kind: "removal" | "installation",
  reads: readonly DisplayRead[],
): Promise<void> {
  if (reads.length === 0) return;
  const registers = reads.map(({ measurement, value, scaler }) => ({ m: measurement, v: value, s: scaler }));
  const said = registers.map(({ m, v, s }) => `${m}=${v}e${s}`).join();
  const batch = batchReference(ports.crypto, { segment, batch: `exchange/${retires}/${meter.meterId}/${at}/${said}` });
  const report = { slot, at: ports.meterTime.now(), snapshots: [{ kind, at, registers }] };
  const { bad } = await storeReadings(ports, segment, batch, [report]);
  assert(bad.length === 0, bad[0]?.problem ?? "a read fits a block");
}

async function retire(
  ports: ExchangePorts,
  given: RegisteredMeter,
  { at, meter, servicePoint }: MeterExchange & { readonly servicePoint: string },
): Promise<void> {
  let old = given;
  for (let tries = 0; tries < TRIES; tries++) {
    if (old.state === "retired") return;
    const next: RegisteredMeter = {
      ...old,
      meter: { ...old.meter, servicePoint },
      state: "retired",
      secured: false,
      retired: { at, replacedBy: meter.meterId },
    };
    if ((await ports.registry.writeMeter(old, next)) === "written") return;
    old = (await ports.registry.meters([old.meter.meterId])).get(old.meter.meterId) ?? old;
  }
  throw new HeadraceError("registry.contended", `expected ${old.meter.meterId} to be left alone`, { retry: "later" });
}
