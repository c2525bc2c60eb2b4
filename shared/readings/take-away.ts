import type { AccessEnrolment } from "../jobs/access.ts";
import { batchReference } from "../jobs/batches.ts";
import { eachOf } from "../jobs/concurrency.ts";
import type { Measurement } from "../metering/measurement.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { assert, HeadraceError } from "../ports/errors.ts";
import { setsOf } from "../registry/member-sets.ts";
import type { FieldProblem, RegisteredMeter, Retirement } from "../registry/registered-meter.ts";
import type { Registry, Segments } from "../registry/registry.ts";
import type { DayBlocks } from "./blocks.ts";
import { DEPTH_DAYS } from "./close-day.ts";
import { DAY_MS } from "./day-block.ts";
import type { LakeMarks } from "./lake-marks.ts";
import { markOutOfPlace } from "./out-of-place.ts";
import { storeReadings } from "./store-readings.ts";

/** What the retirement of a meter works on. */
export interface TakeAwayPorts {
  readonly registry: Pick<Registry, "meters" | "writeMeter">;
  readonly segments: Pick<Segments, "changeMembers">;
  readonly access: Pick<AccessEnrolment, "retire">;
  readonly blocks: DayBlocks;
  readonly lake?: Pick<LakeMarks, "read" | "mark"> | undefined;
  readonly crypto: Crypto;
  /** By which meters live. */
  readonly meterTime: Pick<Clock, "now">;
}

/** A register as somebody read it from the display: `value × 10^scaler` of the measurement's unit. */
export interface DisplayRead {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
}

/** What a display showed at an instant, clock ms of meters. `source`: names who says so. */
interface Shown {
  readonly at: number;
  readonly reads: readonly DisplayRead[];
  readonly source: string;
}

const WRITES_MAX = 8;
const TRIES = 5;
const iso = (instant: number): string => new Date(instant).toISOString();

/** What is wrong with an instant at which a meter is to have been taken away. */
export function timeProblem({ state, installed }: RegisteredMeter, at: number, now: number): FieldProblem | undefined {
  if (at > now) return { field: "at", expected: "an instant that is over", received: iso(at) };
  const earliest = Math.max(installed?.at ?? 0, now - DEPTH_DAYS * DAY_MS);
  return state === "enrolled" && at <= earliest
    ? { field: "at", expected: `an instant after ${iso(earliest)}`, received: iso(at) }
    : undefined;
}

/** What was read from a display is a snapshot of that instant; another value for it is a correction. */
export async function keepDisplay(
  ports: Pick<TakeAwayPorts, "blocks" | "lake" | "crypto" | "meterTime">,
  { place: { segment, slot } }: RegisteredMeter,
  { kind, at, reads, source }: Shown & { readonly kind: "removal" | "installation" },
): Promise<void> {
  if (reads.length === 0) return;
  const registers = reads.map(({ measurement, value, scaler }) => ({ m: measurement, v: value, s: scaler }));
  const said = registers.map(({ m, v, s }) => `${m}=${v}e${s}`).join();
  const batch = batchReference(ports.crypto, { segment, batch: `${source}/${at}/${said}` });
  const report = { slot, at: ports.meterTime.now(), snapshots: [{ kind, at, registers }] };
  const { bad } = await storeReadings(ports, segment, batch, [report]);
  assert(bad.length === 0, bad[0]?.problem ?? "a read fits a block");
}

/**
 * A meter retires: its final reads are kept, its plan ends, its keys and connection are gone, it is in no set. Each step may
 * be repeated. `change`: how the registry has it then.
 */
export async function takeAway(
  ports: TakeAwayPorts,
  old: RegisteredMeter,
  shown: Shown,
  change: { readonly meter?: RegisteredMeter["meter"]; readonly retired: Retirement },
): Promise<void> {
  const { place, meter } = old;
  const { at } = shown;
  await keepDisplay(ports, old, { ...shown, kind: "removal" });
  await markOutOfPlace(ports, place, at, ports.meterTime.now());
  assert(await ports.access.retire(place, meter.meterId, at), "the slot of a meter is its own for life");
  await eachOf(setsOf(meter.memberships), WRITES_MAX, (set) =>
    ports.segments.changeMembers(set, place.segment, [], [place.slot]),
  );
  let there = old;
  for (let tries = 0; tries < TRIES; tries++) {
    if (there.state === "retired") return;
    const next: RegisteredMeter = { ...there, ...change, state: "retired", secured: false };
    if ((await ports.registry.writeMeter(there, next)) === "written") return;
    there = (await ports.registry.meters([meter.meterId])).get(meter.meterId) ?? there;
  }
  throw new HeadraceError("registry.contended", `expected ${meter.meterId} to be left alone`, { retry: "later" });
}
