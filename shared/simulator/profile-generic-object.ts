import type { SelectiveAccessDescriptor } from "../dlms/cosem-attribute-descriptor.ts";
import type { Data } from "../dlms/data.ts";
import { dateTimeIn, instantOf } from "../dlms/date-time.ts";
import type { GetDataResult } from "../dlms/get-data-result.ts";
import type { LogicalName } from "../dlms/logical-name.ts";
import { type CaptureObject, captureObject, SORT_METHOD } from "../dlms/objects/profile-generic.ts";
import { entriesOf, rangeOf } from "../dlms/selective-access.ts";
import { type CosemObject, dataResult, refusedGet } from "../dlms/server/cosem-object.ts";
import { WireError } from "../wire/wire-error.ts";
import { array, doubleLongUnsigned, enumerated, structure } from "./cosem-data.ts";
import { instantOfWall, type Zone } from "./zone.ts";

/** A column: what is captured, and its value in the entry that ends at `end`. */
export interface ProfileColumn {
  readonly object: CaptureObject;
  readonly at: (end: number) => Data;
}

/** A load profile whose entries are computed when they are asked for. */
export interface ProfileSource {
  readonly logicalName: LogicalName;
  readonly columns: readonly ProfileColumn[];
  /** The column of the clock: what a range is about. */
  readonly clock: CaptureObject;
  /** Between entries, ms. */
  readonly periodMs: number;
  readonly depth: number;
  /** Ends of the oldest and the newest entry, by the meter's clock. */
  readonly held: () => { readonly firstEnd: number; readonly lastEnd: number };
  readonly zone: Zone;
  /** Told before any entry is computed for a client. */
  readonly onServed: (firstEnd: number, lastEnd: number) => void;
}

/** An instant that a client gave; without a deviation it is the meter's own local time. Undefined: no date-time. */
function instantIn(zone: Zone, data: Data): number | undefined {
  try {
    const given = dateTimeIn(data);
    if (given === undefined) return undefined;
    if (given.deviation !== undefined) return instantOf(given);
    const asUtc = instantOf(given, "utc", 0);
    if (asUtc === undefined) return undefined;
    const wall = new Date(asUtc);
    return instantOfWall(zone, {
      year: wall.getUTCFullYear(),
      month: wall.getUTCMonth() + 1,
      day: wall.getUTCDate(),
      hour: wall.getUTCHours(),
      minute: wall.getUTCMinutes(),
      second: wall.getUTCSeconds(),
    });
  } catch (error) {
    if (error instanceof WireError) return undefined; // a deviation outside its range
    throw error;
  }
}

const same = (left: CaptureObject, right: CaptureObject): boolean =>
  left.classId === right.classId &&
  left.logicalName === right.logicalName &&
  left.attributeIndex === right.attributeIndex &&
  left.dataIndex === right.dataIndex;

function rows(source: ProfileSource, columns: readonly ProfileColumn[], firstEnd: number, lastEnd: number): Data {
  const entries: Data[] = [];
  for (let end = firstEnd; end <= lastEnd; end += source.periodMs)
    entries.push(structure(...columns.map((column) => column.at(end))));
  return array(...entries);
}

function byRange(source: ProfileSource, selection: SelectiveAccessDescriptor): GetDataResult {
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
  const { firstEnd, lastEnd } = source.held();
  source.onServed(firstEnd, lastEnd);
  const begin = Math.ceil(from / source.periodMs) * source.periodMs;
  return dataResult(rows(source, columns, Math.max(firstEnd, begin), Math.min(lastEnd, to)));
}

/** Entry 1 is the oldest (sort method FIFO). Numbers past the end are cut to it, as are columns. */
function byEntry(source: ProfileSource, selection: SelectiveAccessDescriptor): GetDataResult {
  const wanted = entriesOf(selection);
  if (wanted === undefined) return refusedGet("type-unmatched");
  const { fromEntry, toEntry, fromSelectedValue, toSelectedValue } = wanted;
  if (fromEntry === 0 || fromSelectedValue === 0) return refusedGet("scope-of-access-violated");
  const { firstEnd, lastEnd } = source.held();
  source.onServed(firstEnd, lastEnd);
  const columns = source.columns.slice(fromSelectedValue - 1, toSelectedValue === 0 ? undefined : toSelectedValue);
  const last = toEntry === 0 ? lastEnd : Math.min(lastEnd, firstEnd + (toEntry - 1) * source.periodMs);
  return dataResult(rows(source, columns, firstEnd + (fromEntry - 1) * source.periodMs, last));
}

/** Profile generic, class_id 7 version 1: buffer with selective access by range and by entry. */
export function profileGenericObject(source: ProfileSource): CosemObject {
  const entriesInUse = (): number => {
    const { firstEnd, lastEnd } = source.held();
    return Math.floor((lastEnd - firstEnd) / source.periodMs) + 1;
  };
  return {
    classId: 7,
    version: 1,
    logicalName: source.logicalName,
    attributes: {
      2: {
        selectors: [1, 2],
        get: (selection) => {
          if (selection?.accessSelector === 1) return byRange(source, selection);
          if (selection?.accessSelector === 2) return byEntry(source, selection);
          const { firstEnd, lastEnd } = source.held();
          source.onServed(firstEnd, lastEnd);
          return dataResult(rows(source, source.columns, firstEnd, lastEnd));
        },
      },
      3: { get: () => dataResult(array(...source.columns.map((column) => captureObject.write(column.object)))) },
      4: { get: () => dataResult(doubleLongUnsigned(source.periodMs / 1000)) },
      5: { get: () => dataResult(enumerated(SORT_METHOD.fifo)) },
      6: { get: () => dataResult(captureObject.write(source.clock)) },
      7: { get: () => dataResult(doubleLongUnsigned(entriesInUse())) },
      8: { get: () => dataResult(doubleLongUnsigned(source.depth)) },
    },
  };
}
