import { sameData, shortenedRows } from "../dlms/client/profile-buffer.ts";
import type { SelectiveAccessDescriptor } from "../dlms/cosem-attribute-descriptor.ts";
import type { Data } from "../dlms/data.ts";
import type { GetDataResult } from "../dlms/get-data-result.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { type CaptureObject, captureObject, SORT_METHOD } from "../dlms/objects/profile-generic.ts";
import { entriesOf, rangeOf } from "../dlms/selective-access.ts";
import { type CosemObject, dataResult, refusedGet } from "../dlms/server/cosem-object.ts";
import { array, doubleLongUnsigned, enumerated, structure } from "./cosem-data.ts";
import { instantIn } from "./meter-instant.ts";
import type { Zone } from "./zone.ts";

/** A column: what is captured, and its value in an entry. */
export interface ProfileColumn<E> {
  readonly object: CaptureObject;
  readonly at: (entry: E) => Data;
}

/** Entries, oldest first. */
export interface HeldEntries<E> {
  readonly count: number;
  /** From 0. */
  readonly entry: (index: number) => E;
  /** By the meter's clock, ms: what a range is about. */
  readonly timeOf: (index: number) => number;
}

/**
 * Null-data in the clock's column where an entry comes one capture period after the one before; `all`: in any column that
 * repeats its value, and delta types in an association that takes them.
 */
export type Shortens = "clock" | "all";

/** A profile whose entries are computed when they are asked for. */
export interface ProfileSource<E> {
  readonly logicalName: LogicalName;
  readonly columns: readonly ProfileColumn<E>[];
  /** The column of the clock: what a range is about. */
  readonly clock: CaptureObject;
  /** Seconds; 0: captured when something happens. */
  readonly period: number;
  readonly depth: number;
  /** What it holds now. */
  readonly held: () => HeldEntries<E>;
  readonly zone: Zone;
  /** How it shortens entries; absent: it does not. */
  readonly shortens?: Shortens | undefined;
  /** Told of what it holds before any entry is computed for a client. */
  readonly onServed?: (held: HeldEntries<E>) => void;
}

/** Entries at equal distances: their times, by the meter's clock, are the entries. */
export const periodicEntries = (firstEnd: number, lastEnd: number, periodMs: number): HeldEntries<number> => ({
  count: Math.max(0, Math.floor((lastEnd - firstEnd) / periodMs) + 1),
  entry: (index) => firstEnd + index * periodMs,
  timeOf: (index) => firstEnd + index * periodMs,
});

export const listedEntries = <E>(entries: readonly E[], timeOf: (entry: E) => number): HeldEntries<E> => ({
  count: entries.length,
  entry: (index) => entries[index]!,
  timeOf: (index) => timeOf(entries[index]!),
});

const same = (left: CaptureObject, right: CaptureObject): boolean =>
  left.classId === right.classId &&
  left.logicalName === right.logicalName &&
  left.attributeIndex === right.attributeIndex &&
  left.dataIndex === right.dataIndex;

function rows<E>(source: Written<E>, held: HeldEntries<E>, indexes: Iterable<number>): Data {
  const { columns, shortens, clock, period } = source;
  const numbers = [...indexes];
  const entries = numbers.map((index) => {
    const entry = held.entry(index);
    return columns.map((column) => column.at(entry));
  });
  if (shortens === undefined) return array(...entries.map((cells) => structure(...cells)));
  const clockAt = columns.findIndex(({ object }) => same(object, clock));
  const stepMs = (entry: number): number => held.timeOf(numbers[entry]!) - held.timeOf(numbers[entry - 1]!);
  const repeats = (column: number, entry: number): boolean =>
    shortens === "all" && sameData(entries[entry]![column]!, entries[entry - 1]![column]!);
  return shortenedRows(entries, {
    nulls: (column, entry) => (column === clockAt ? stepMs(entry) === period * 1000 : repeats(column, entry)),
    deltas: shortens === "all" && source.deltas,
  });
}

/** What an answer is written from: some of a profile's columns, for one association. */
type Written<E> = Pick<ProfileSource<E>, "columns" | "shortens" | "clock" | "period"> & { readonly deltas: boolean };

function* counted(from: number, to: number): Generator<number> {
  for (let index = from; index <= to; index++) yield index;
}

/** A clock that was set back makes times fall: every entry is looked at. */
function* within<E>(held: HeldEntries<E>, from: number, to: number): Generator<number> {
  for (let index = 0; index < held.count; index++) {
    const time = held.timeOf(index);
    if (time >= from && time <= to) yield index;
  }
}

function byRange<E>(source: ProfileSource<E>, selection: SelectiveAccessDescriptor, deltas: boolean): GetDataResult {
  const range = rangeOf(selection);
  if (range === undefined) return refusedGet("type-unmatched");
  if (!same(range.restrictingObject, source.clock)) return refusedGet("scope-of-access-violated");
  const from = instantIn(source.zone, range.fromValue);
  const to = instantIn(source.zone, range.toValue);
  if (from === undefined || to === undefined) return refusedGet("type-unmatched");
  let { columns } = source;
  if (range.selectedValues.length > 0) {
    columns = source.columns.filter((column) => range.selectedValues.some((wanted) => same(wanted, column.object)));
    if (columns.length !== range.selectedValues.length) return refusedGet("scope-of-access-violated");
  }
  const held = source.held();
  source.onServed?.(held);
  return dataResult(rows({ ...source, columns, deltas }, held, within(held, from, to)));
}

/** Entry 1 is the oldest (sort method FIFO). Numbers past the end are cut to it, as are columns. */
function byEntry<E>(source: ProfileSource<E>, selection: SelectiveAccessDescriptor, deltas: boolean): GetDataResult {
  const wanted = entriesOf(selection);
  if (wanted === undefined) return refusedGet("type-unmatched");
  const { fromEntry, toEntry, fromSelectedValue, toSelectedValue } = wanted;
  if (fromEntry === 0 || fromSelectedValue === 0) return refusedGet("scope-of-access-violated");
  const held = source.held();
  source.onServed?.(held);
  const columns = source.columns.slice(fromSelectedValue - 1, toSelectedValue === 0 ? undefined : toSelectedValue);
  const last = toEntry === 0 ? held.count : Math.min(held.count, toEntry);
  return dataResult(rows({ ...source, columns, deltas }, held, counted(fromEntry - 1, last - 1)));
}

/** Profile generic, class_id 7 version 1: buffer with selective access by range and by entry. */
export function profileGenericObject<E>(source: ProfileSource<E>): CosemObject {
  return {
    classId: 7,
    version: 1,
    logicalName: source.logicalName,
    attributes: {
      2: {
        selectors: [1, 2],
        get: (selection, deltas) => {
          if (selection?.accessSelector === 1) return byRange(source, selection, deltas);
          if (selection?.accessSelector === 2) return byEntry(source, selection, deltas);
          const held = source.held();
          source.onServed?.(held);
          return dataResult(rows({ ...source, deltas }, held, counted(0, held.count - 1)));
        },
      },
      3: { get: () => dataResult(array(...source.columns.map((column) => captureObject.write(column.object)))) },
      4: { get: () => dataResult(doubleLongUnsigned(source.period)) },
      5: { get: () => dataResult(enumerated(SORT_METHOD.fifo)) },
      6: { get: () => dataResult(captureObject.write(source.clock)) },
      7: { get: () => dataResult(doubleLongUnsigned(source.held().count)) },
      8: { get: () => dataResult(doubleLongUnsigned(source.depth)) },
    },
  };
}
