import type { TaskReport } from "../jobs/messages.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { HeadraceError } from "../ports/errors.ts";
import { REGISTERS_SET, snapshotSet } from "./blocks.ts";
import {
  type BlockEntry,
  type BlockRegister,
  DAY_MS,
  type DayBlock,
  dayOf,
  dayOfInterval,
  emptyBlock,
  intervalNumber,
  type Origin,
  type SideEntry,
} from "./day-block.ts";
import { DRIFT_MAX_MS, QUALITY } from "./quality.ts";

/** Most entries of one channel set in one report: over a year of 15-minute intervals. */
const ENTRIES_MAX = 40_000;
const STATUS_MAX = Object.values(INTERVAL_STATUS).reduce((sum, bit) => sum | bit, 0);
const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 64n - 1n;

/** What of a report is stored as readings, and what their quality follows from. */
export type StoredReport = Pick<
  TaskReport,
  "at" | "intervals" | "registers" | "snapshots" | "clockOffsetMs" | "clockUncertaintyMs" | "installedAt"
>;
export interface ReportBlock {
  readonly set: string;
  readonly block: DayBlock;
}

const bad = (message: string): HeadraceError =>
  new HeadraceError("readings.report-malformed", message, { retry: "never" });
const isValue = (value: bigint): boolean => value >= LOWEST && value <= HIGHEST;

/**
 * What a report brings, as blocks by channel set and UTC day. Registers lie in the first interval block of the day in
 * which they were read, or of the day before it (a read just after midnight is one write), else in a block of their own; a snapshot lies in a block of its own, in the day in which the
 * meter took it: read again, it is the same. Throws `HeadraceError` `readings.report-malformed` when the
 * report contradicts itself: nothing of it is stored then.
 */
export function blocksOf(report: StoredReport, batch: string): ReportBlock[] {
  const origin: Origin = { batch, at: report.at };
  const blocks: (ReportBlock & { readonly block: { registers: readonly BlockRegister[] } })[] = [];
  const sets = new Set<string>();
  const drifts = Math.abs(report.clockOffsetMs ?? 0) > DRIFT_MAX_MS + (report.clockUncertaintyMs ?? 0);
  for (const record of report.intervals ?? []) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(record.set) || record.set === REGISTERS_SET)
      throw bad("expected a channel set named by letters, digits, '.', '_' or '-'");
    if (sets.has(record.set)) throw bad(`expected channel set ${record.set} once`);
    sets.add(record.set);
    const quality = drifts ? QUALITY.clockDrift.bit : 0;
    const before = report.installedAt ?? Number.NEGATIVE_INFINITY;
    blocks.push(
      ...intervalBlocks(record, origin, (start) => quality | (start < before ? QUALITY.meterExchange.bit : 0)),
    );
  }
  for (const { kind, at, registers } of report.snapshots ?? []) {
    if (at < 0 || at > 8.64e15) throw bad("expected an instant as the time of a snapshot");
    const set = snapshotSet(kind, at);
    const day = dayOf(at);
    if (blocks.some((known) => known.set === set && known.block.day === day))
      throw bad(`expected one ${kind} snapshot of ${new Date(at).toISOString()}`);
    // Without a peak's time of its own a register was captured when the snapshot was taken.
    const kept = registersOf(registers, origin).map((register) => ({ at, ...register }));
    blocks.push({ set, block: { ...emptyBlock(day), registers: kept } });
  }
  const registers = registersOf(report.registers ?? [], origin);
  if (registers.length === 0) return blocks;
  const day = dayOf(report.at);
  const among = (of: number) => blocks.find(({ block }) => block.day === of && block.period !== 0);
  const beside = among(day) ?? among(day - DAY_MS);
  if (beside === undefined) return [...blocks, { set: REGISTERS_SET, block: { ...emptyBlock(day), registers } }];
  beside.block.registers = registers;
  return blocks;
}

function intervalBlocks(
  record: NonNullable<TaskReport["intervals"]>[number],
  origin: Origin,
  qualityOf: (start: number) => number,
): ReportBlock[] {
  const { set, period, ends, values, status } = record;
  if (ends.length > ENTRIES_MAX) throw bad(`expected at most ${ENTRIES_MAX} entries of ${set}, got ${ends.length}`);
  if (status.length !== ends.length) throw bad(`expected ${ends.length} status values of ${set}, got ${status.length}`);
  if (values.length !== record.channels.length)
    throw bad(`expected ${record.channels.length} channels of ${set}, got ${values.length}`);
  for (const column of values)
    if (column.length !== ends.length) throw bad(`expected ${ends.length} values of ${set}, got ${column.length}`);
  const channels = record.channels.map(({ m, s }) => ({ measurement: m, scaler: s }));
  const days = new Map<number, { entries: Map<number, BlockEntry>; side: SideEntry[] }>();
  for (const [index, end] of ends.entries()) {
    const bits = status[index] ?? 0;
    if (bits < 0 || bits > STATUS_MAX)
      throw bad(`expected status bits of at most ${STATUS_MAX} in ${set}, got ${bits}`);
    if (Math.abs(end) > 8.64e15) throw bad(`expected an instant as end of an interval of ${set}`);
    const row = values.map((column) => {
      const value = column[index] ?? undefined;
      if (value !== undefined && !isValue(value)) throw bad(`expected a value of at most 64 bits in ${set}`);
      return value;
    });
    const day = dayOfInterval(end, period);
    const content = days.get(day) ?? { entries: new Map<number, BlockEntry>(), side: [] };
    days.set(day, content);
    const number = intervalNumber(day, period, end);
    const quality = qualityOf(end - period * 1000);
    const entry = { values: row, status: bits, origin, ...(quality === 0 ? {} : { quality }) };
    if (number !== undefined && !content.entries.has(number)) content.entries.set(number, entry);
    else content.side.push({ ...entry, start: end - period * 1000, end });
  }
  return [...days].map(([day, { entries, side }]) => ({
    set,
    block: { ...emptyBlock(day, period, channels), entries, side: withoutRepeats(side) },
  }));
}

/** A meter may list an interval twice (its clock was put back): both are kept, once each. */
function withoutRepeats(side: readonly SideEntry[]): SideEntry[] {
  const seen = new Map<string, SideEntry>();
  for (const entry of side) seen.set(`${entry.start}-${entry.end}`, seen.get(`${entry.start}-${entry.end}`) ?? entry);
  return [...seen.values()];
}

function registersOf(records: NonNullable<TaskReport["registers"]>, origin: Origin): BlockRegister[] {
  return records.map(({ m, v, s, at }) => {
    if (!isValue(v)) throw bad(`expected a value of at most 64 bits of ${m}`);
    return { measurement: m, value: v, scaler: s, origin, ...(at === undefined ? {} : { at }) };
  });
}
