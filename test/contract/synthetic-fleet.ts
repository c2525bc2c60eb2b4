import type { Row as Cells, Columnar } from "../../shared/ports/columnar.ts";
import { fraction, type Random } from "../../shared/ports/random.ts";
import type { Place } from "../../shared/queries/language/field.ts";
import type { MeterRow } from "../../shared/queries/language/meter-fields.ts";
import { factsRow, type SegmentFacts } from "../../shared/queries/meter-row.ts";
import { FLEET_FILE_COLUMNS } from "../../shared/queries/query-fleet.ts";
import { noColumns, noteFact } from "../../shared/readings/fleet-columns.ts";
import { NOTHING_COUNTED } from "../../shared/readings/missing-records.ts";

const SLOTS = 1024;
const MINUTE_MS = 60_000;

export interface SyntheticFleet {
  readonly segments: number;
  /** Meters of a segment with their slow facts, in the order of slots. */
  slow(segment: number): Iterable<MeterRow>;
  readonly facts: ReadonlyMap<number, SegmentFacts>;
  /** Every meter with all its facts, by segment and slot. */
  rows(): Generator<{ readonly segment: number; readonly slot: number; readonly row: MeterRow }, void>;
}

/** A fleet as utilities have it: feeders with transformers, 3 % silent for days, 2 % without power, gaps here and there. */
export function syntheticFleet(options: {
  readonly segments: number;
  readonly meters: number;
  readonly nowMs: number;
  readonly random: Random;
}): SyntheticFleet {
  const { segments, meters, nowMs, random } = options;
  const any = (most: number) => Math.floor(fraction(random) * most);
  const share = (of: number) => fraction(random) < of;
  const facts = new Map<number, SegmentFacts>();
  const keys = new Map<number, Uint8Array>();
  const inSegment = (segment: number) => Math.max(0, Math.min(SLOTS, meters - segment * SLOTS));
  for (let segment = 0; segment < segments; segment++) {
    const columns = noColumns();
    const versions = new Uint8Array(SLOTS);
    const entries = [];
    for (let slot = 0; slot < inSegment(segment); slot++) {
      versions[slot] = any(4);
      if (share(0.01)) continue; // nobody ever spoke to it
      const silent = share(0.03);
      const at = nowMs - (silent ? 1440 * (1 + any(10)) : any(30)) * MINUTE_MS - any(1000);
      const gone = share(0.02);
      const contact = {
        power: gone ? { offAt: at } : { on: { at, by: "answer" as const } },
        latencyMs: 200 + any(60_000),
        ...(share(0.3) ? { switch: { position: share(0.05) ? "open" : "closed" } as const } : {}),
        ...(share(0.9) ? { missing: share(0.1) ? any(20) : 0 } : {}),
      } as const;
      noteFact(columns, { slot, at, reason: "none", contact });
      if (silent)
        noteFact(columns, { slot, at: nowMs - any(60) * MINUTE_MS, reason: share(0.5) ? "timeout" : "unreachable" });
      if (share(0.05))
        entries.push({
          slot,
          set: "load",
          period: 900,
          reason: "timeout",
          bits: new Uint8Array([1 + any(255)]),
        } as const);
    }
    const counted = { at: nowMs, counts: NOTHING_COUNTED, toRead: [] };
    const missing = { segment, day: 0, version: 1, entries, ...(segment % 50 === 49 ? {} : { counted }) };
    facts.set(segment, { columns, missing });
    keys.set(segment, versions);
  }
  /** Names that the language's tests ask for too, so that filters match some. */
  const FEW = ["A", "a", "A1", "A1.b", "B_2", "C-3"] as const;
  const meterAt = (segment: number, slot: number): MeterRow => {
    const number = segment * SLOTS + slot;
    const feeder = number % 400;
    const version = keys.get(segment)?.[slot] ?? 0;
    return {
      meterId: `${number % 7 === 0 ? "A" : "M-"}${(number * 7919) % 10_000_019}`,
      commodity: number % 10 === 9 ? (number % 20 === 9 ? "gas" : "water") : "electric",
      profile: number % 3 === 0 ? "generic-eu" : (FEW[number % 5] ?? "A"),
      group: number % 4 === 0 ? [] : number % 4 === 1 ? ["north"] : ["north", FEW[number % 6] ?? "A"],
      feeder: number % 50 === 0 ? null : feeder < 6 ? (FEW[feeder] ?? null) : `F-${feeder}`,
      transformer: `T-${Math.floor(number / 25)}`,
      collector: number % 2 === 0 ? null : `C-${number % 200}`,
      cell: null,
      servicePoint: number % 40 === 0 ? null : number % 40 < 6 ? (FEW[number % 40] ?? null) : `SP-${number}`,
      place: number % 30 === 0 ? null : { latitude: 47 + (number % 1000) / 1000, longitude: 8 + (number % 773) / 773 },
      keyVersion: version === 0 ? null : version,
      firmware: number % 9 === 0 ? null : number % 9 < 4 ? (FEW[number % 4] ?? null) : `2.${number % 5}`,
      program: number % 6 === 0 ? null : (FEW[number % 3] ?? null),
    };
  };
  function* slow(segment: number): Generator<MeterRow> {
    for (let slot = 0; slot < inSegment(segment); slot++) yield meterAt(segment, slot);
  }
  return {
    segments,
    slow,
    facts,
    *rows() {
      for (let segment = 0; segment < segments; segment++)
        for (const [slot, row] of [...slow(segment)].entries())
          yield { segment, slot, row: { ...row, ...factsRow(facts.get(segment) ?? {}, slot, nowMs) } };
    },
  };
}

/** Writes the slow facts of these segments as one fleet file; says how many meters. */
export async function writeFleetFile(
  columnar: Columnar,
  file: string,
  fleet: SyntheticFleet,
  segments: readonly number[],
): Promise<number> {
  function* rows(): Generator<Cells> {
    for (const segment of segments) {
      let slot = 0;
      for (const row of fleet.slow(segment)) {
        const place = row.place as Place | null;
        const cells: Readonly<Record<string, unknown>> = {
          ...row,
          segment,
          slot,
          groups: (row.group as readonly string[]).join(" "),
          latitude: place?.latitude,
          longitude: place?.longitude,
        };
        yield FLEET_FILE_COLUMNS.map(({ name }) => (cells[name] ?? undefined) as string | number | undefined);
        slot++;
      }
    }
  }
  const source = { kind: "rows", columns: FLEET_FILE_COLUMNS, rows: rows() } as const;
  return columnar.write({ sql: "SELECT * FROM meters", sources: { meters: source } }, file);
}
