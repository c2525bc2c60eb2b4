import type { TaskReport } from "../jobs/messages.ts";
import { MeterId } from "../metering/meter.ts";
import { DAY_MS } from "./day-block.ts";
import { memoryDayBlocks } from "./memory-day-blocks.ts";
import { readReadings } from "./read-readings.ts";
import { storeReadings } from "./store-readings.ts";

/** A store in memory, and reports of one meter with a quarter-hourly profile of two channels, for tests. */
export const DAY = Date.UTC(2026, 10, 2);
export const BATCH = "00000000000000b1";
export const LATER = "00000000000000b2";
export const PERIOD_MS = 900_000;

export type Row = readonly [end: number, ...values: (number | null)[]];
export const reportOf = (
  rows: readonly Row[],
  change: Partial<TaskReport> & { readonly status?: number; readonly scaler?: number } = {},
): TaskReport => {
  const { status = 0, scaler = 0, ...rest } = change;
  return {
    slot: 7,
    meterId: MeterId.parse("M-7"),
    attempt: 1,
    at: DAY + 40_000_000,
    outcome: { kind: "done" },
    intervals: [
      {
        set: "load",
        period: 900,
        channels: [
          { m: "energy.active.import.total", s: scaler },
          { m: "energy.active.export.total", s: 0 },
        ],
        ends: rows.map(([end]) => end),
        values: [0, 1].map((channel) =>
          rows.map((row) => (row[channel + 1] === null ? null : BigInt(row[channel + 1] ?? 0))),
        ),
        status: rows.map(() => status),
      },
    ],
    ...rest,
  };
};
export const end = (number: number): number => DAY + number * PERIOD_MS;
export const rowsOf = (from: number, to: number): Row[] =>
  Array.from({ length: to - from }, (_, index) => [end(from + index), 100 + from + index, 5] as const);
export const place = { segment: 2, slot: 7 };

export function store() {
  const blocks = memoryDayBlocks();
  let writes = 0;
  const counted = {
    ...blocks,
    write: (...given: Parameters<typeof blocks.write>) => {
      writes++;
      return blocks.write(...given);
    },
  };
  return {
    blocks: counted,
    writes: () => writes,
    put: (reports: readonly TaskReport[], batch = BATCH) => storeReadings({ blocks: counted }, 2, batch, reports),
    read: (from = DAY, to = DAY + 2 * DAY_MS) => readReadings({ blocks: counted }, place, from, to),
  };
}
