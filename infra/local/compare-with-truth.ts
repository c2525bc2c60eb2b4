import { availableParallelism } from "node:os";
import type { z } from "zod";
import type { Readings } from "../../shared/api/readings.ts";
import type { MeterTruth } from "../../shared/simulator/meter.ts";
import type { LocalApi } from "./local-api.ts";

type Stored = z.input<typeof Readings>;

/** How stored readings compare with what the meters held. */
export interface Comparison {
  /** Stored values. */
  readonly readings: number;
  /** Stored values that equal the meter's own log. */
  readonly verified: number;
  /** Values that a meter held and gave, but that are not stored; of meters whose task is done. */
  readonly missing: number;
  readonly differences: readonly string[];
}

/** Interval ends in (from, to]; registers are read after `to`, which is when the job was submitted. */
interface Range {
  readonly from: number;
  readonly to: number;
  /** How much faster the product's clock runs than the machine's. */
  readonly clockFactor: number;
}

/** Meters asked for at once: each starts an environment of the function, which only pays where a core is free for it. */
const CONCURRENCY = Math.min(8, Math.max(2, availableParallelism()));
const DIFFERENCES_MAX = 10;
/** A register is stamped by the meter's clock or by the headend's: this far from the truth log's instant at most. */
const STAMP_TOLERANCE_MS = 10_000;
const HOUR_MS = 3_600_000;

/** The channels of the simulated load profile, in the order of `TrueInterval.values`. */
const CHANNELS = ["energy.active.import.total", "energy.active.export.total"] as const;

/** One meter's stored values against its log; pure. Interval values are compared by measurement and end. */
export function compareMeter(stored: Stored, truth: MeterTruth, range: Range, complete: boolean): Comparison {
  let readings = 0;
  let verified = 0;
  const differences: string[] = [];
  const tell = (what: string, is: unknown, held: unknown): void => {
    differences.push(`${truth.meterId} ${what}: stored ${String(is)}, the meter held ${String(held)}`);
  };
  const intervals = new Map(truth.intervals.map((interval) => [interval.end, interval]));
  const seen = new Set<string>();
  for (const { channels, entries } of stored.intervals)
    for (const entry of entries) {
      const end = Date.parse(entry.end);
      if (end <= range.from || end > range.to) continue;
      for (const [index, value] of entry.values.entries()) {
        if (value === null) continue;
        const { measurement, scaler } = channels[index] ?? { measurement: undefined, scaler: 0 };
        const channel = (CHANNELS as readonly unknown[]).indexOf(measurement);
        const held = intervals.get(end)?.values[channel];
        const identity = `${measurement} ${end}`;
        readings++;
        if (held !== undefined && BigInt(value) === held && scaler === 0 && !seen.has(identity)) verified++;
        else tell(`${measurement} at ${entry.end}`, seen.has(identity) ? `${value} twice` : value, held);
        seen.add(identity);
      }
    }
  const held = new Map(truth.registers.map((register) => [register.measurement, register]));
  const registersSeen = new Set<string>();
  const tolerance = STAMP_TOLERANCE_MS * range.clockFactor;
  for (const register of stored.registers) {
    const at = Date.parse(register.at);
    if (at < range.to - tolerance) continue; // of an earlier job
    const served = truth.registers.find(
      ({ measurement, value, scaler, servedAt, capturedAt }) =>
        measurement === register.measurement &&
        value === BigInt(register.value) &&
        scaler === register.scaler &&
        Math.min(Math.abs(at - servedAt), Math.abs(at - capturedAt)) <= tolerance,
    );
    readings++;
    if (served !== undefined) verified++;
    else tell(`${register.measurement} at ${register.at}`, register.value, held.get(register.measurement)?.value);
    registersSeen.add(register.measurement);
  }
  if (!complete) return { readings, verified, missing: 0, differences };
  const wanted = truth.intervals.flatMap(({ end }) => CHANNELS.map((measurement) => `${measurement} ${end}`));
  const absent = wanted.filter((identity) => !seen.has(identity));
  const unread = [...held.keys()].filter((measurement) => !registersSeen.has(measurement));
  const missing = absent.length + unread.length;
  if (missing > 0) tell(`${missing} values`, "nothing", [...unread, ...absent].slice(0, 3).join(", "));
  return { readings, verified, missing, differences };
}

/** Asks the API for every meter's readings and compares them with its log. `notDone`: meters that need not be complete. */
export async function compareWithTruth(
  api: LocalApi,
  truths: readonly MeterTruth[],
  range: Range,
  notDone: ReadonlySet<string>,
): Promise<Comparison> {
  const total = { readings: 0, verified: 0, missing: 0, differences: [] as string[] };
  // Registers are stamped when they are read, which is after the range's end.
  const query = new URLSearchParams({
    from: new Date(range.from).toISOString(),
    to: new Date(range.to + HOUR_MS * range.clockFactor).toISOString(),
  });
  const queue = truths.values();
  const work = async (): Promise<void> => {
    for (const truth of queue) {
      const path = `/meters/${encodeURIComponent(truth.meterId)}/readings?${query}`;
      const { body } = await api.call<Stored>("operator", "GET", path);
      const compared = compareMeter(body, truth, range, !notDone.has(truth.meterId));
      total.readings += compared.readings;
      total.verified += compared.verified;
      total.missing += compared.missing;
      total.differences.push(...compared.differences.slice(0, DIFFERENCES_MAX - total.differences.length));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return total;
}
