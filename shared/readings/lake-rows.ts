import type { Column, Row } from "../ports/columnar.ts";
import { REGISTERS_SET, type StoredBlock, snapshotOf } from "./blocks.ts";
import { type BlockEntry, type DayBlock, intervalEnd } from "./day-block.ts";
import { decodeDayBlock } from "./day-block-codec.ts";

/**
 * One value of one meter. `kind`: `interval`, `register`, or that of a snapshot. `start_at`: of intervals alone; `end_at`: end
 * of the interval, or when the register was captured. `status` and `quality`: bits as `INTERVAL_STATUS` and `QUALITY`. `batch`:
 * the result batch that is its evidence; `read_at`: when the meter answered. A place is a meter's for life: which one, fleet
 * files and the registry say.
 */
export const LAKE_COLUMNS = [
  { name: "segment", type: "integer" },
  { name: "slot", type: "integer" },
  { name: "kind", type: "text" },
  { name: "set", type: "text" },
  { name: "measurement", type: "text" },
  { name: "period_s", type: "integer" },
  { name: "start_at", type: "instant" },
  { name: "end_at", type: "instant" },
  { name: "value", type: "wide" },
  { name: "scaler", type: "integer" },
  { name: "status", type: "integer" },
  { name: "quality", type: "integer" },
  { name: "batch", type: "text" },
  { name: "read_at", type: "instant" },
] as const satisfies readonly Column[];

/** The rows of a stored block, in the order of `LAKE_COLUMNS`. */
export function* lakeRows({ key, octets }: Pick<StoredBlock, "key" | "octets">): Generator<Row> {
  const { segment, slot, set, day } = key;
  const block = decodeDayBlock(day, octets);
  // A set whose layout changed within the day is one set to whoever reads.
  const name = set.split("~")[0] ?? set;
  for (const [number, entry] of block.entries) {
    const end = intervalEnd(day, block.period, number);
    yield* intervalRows(key, name, block, entry, end - block.period * 1000, end);
  }
  for (const entry of block.side) yield* intervalRows(key, name, block, entry, entry.start, entry.end);
  const kind = snapshotOf(set, day)?.kind ?? "register";
  for (const { measurement, value, scaler, at, origin } of block.registers)
    yield [
      segment,
      slot,
      kind,
      kind === "register" ? REGISTERS_SET : kind,
      measurement,
      undefined,
      undefined,
      at ?? origin.at,
      value,
      scaler,
      0,
      0,
      origin.batch,
      origin.at,
    ];
}

function* intervalRows(
  { segment, slot }: StoredBlock["key"],
  set: string,
  { period, channels }: DayBlock,
  { values, status, quality = 0, origin }: BlockEntry,
  start: number,
  end: number,
): Generator<Row> {
  for (const [channel, { measurement, scaler }] of channels.entries())
    yield [
      segment,
      slot,
      "interval",
      set,
      measurement,
      period,
      start,
      end,
      values[channel],
      scaler,
      status,
      quality,
      origin.batch,
      origin.at,
    ];
}
