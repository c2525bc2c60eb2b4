import { SessionError } from "../../metering/failure.ts";
import type { TimeRange } from "../../metering/operation.ts";
import type { DlmsLoadProfile } from "../../metering/profile.ts";
import { INTERVAL_STATUS, type IntervalEntry, type IntervalSet } from "../../metering/result.ts";
import type { Data } from "../data.ts";
import { dateTimeData, dateTimeIn } from "../date-time.ts";
import { Clock } from "../objects/clock.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { type CaptureObject, ProfileGeneric } from "../objects/profile-generic.ts";
import { byRange } from "../selective-access.ts";
import { atScaler, integerIn } from "./integer-value.ts";
import { type MeterTime, meterDateTime, type Placed, placed } from "./meter-time.ts";
import { type Row, rowsOf } from "./profile-buffer.ts";
import { type Refusal, refusalOf } from "./read-registers.ts";
import type { DlmsSession } from "./session.ts";

export interface IntervalsRead {
  readonly intervals: IntervalSet | undefined;
  readonly refusals: readonly Refusal[];
}

/** Where the profile's words stand in the meter's columns. */
interface Columns {
  readonly count: number;
  readonly clock: CaptureObject;
  readonly clockIndex: number;
  readonly statusIndex: number | undefined;
  /** One a channel, in the channels' order; undefined: the meter does not capture it. */
  readonly channels: readonly (number | undefined)[];
}

type FindColumn = (classId: number, logicalName: string, attribute: number) => number | undefined;

/** Looks for the column of a whole attribute. */
export const columnFinder =
  (captured: readonly CaptureObject[]): FindColumn =>
  (classId, logicalName, attribute) => {
    const index = captured.findIndex(
      (object) =>
        object.classId === classId &&
        object.logicalName === logicalName &&
        object.attributeIndex === attribute &&
        object.dataIndex === 0,
    );
    return index < 0 ? undefined : index;
  };

/** The column that says when an entry was captured. Throws `SessionError` `dlms.no-clock-column`. */
export function clockColumn(obis: string, clock: string, captured: readonly CaptureObject[]): number {
  const index = columnFinder(captured)(Clock.classId, clock, Clock.attributes.time.id);
  if (index === undefined)
    throw new SessionError("protocol", "dlms.no-clock-column", `expected ${obis} to capture the clock ${clock}`, {
      detail: { profile: obis, columns: captured.length },
    });
  return index;
}

/**
 * Matches the columns that the meter captures with the profile's channels. Throws `SessionError` `dlms.no-clock-column`.
 */
export function columnsOf(profile: DlmsLoadProfile, clock: string, captured: readonly CaptureObject[]): Columns {
  const find = columnFinder(captured);
  const clockIndex = clockColumn(profile.obis, clock, captured);
  return {
    count: captured.length,
    clock: captured[clockIndex] as CaptureObject,
    clockIndex,
    statusIndex: profile.status === undefined ? undefined : find(1, profile.status, 2),
    channels: profile.channels.map((channel) => find(channel.classId, channel.obis, channel.attribute)),
  };
}

/** Entries that one request asks for: a longer range is asked for in parts, so that neither side holds all of it at once. */
const ENTRIES_A_REQUEST = 400;

/** A range in parts of so many periods, in order. */
export function partsOf({ from, to }: TimeRange, period: number): readonly TimeRange[] {
  const step = ENTRIES_A_REQUEST * period * 1000;
  const parts: TimeRange[] = [];
  for (let begin = from; begin < to; begin += step) parts.push({ from: begin, to: Math.min(to, begin + step) });
  return parts;
}

/** Reads the intervals of one load profile whose end lies in (from, to]. `onPart`: told of each part of a long range. */
export async function readIntervals(
  session: DlmsSession,
  profile: DlmsLoadProfile,
  clock: string,
  captured: readonly CaptureObject[],
  time: MeterTime,
  range: TimeRange,
  onPart: (part: IntervalSet) => void = () => undefined,
): Promise<IntervalsRead> {
  const columns = columnsOf(profile, clock, captured);
  const entries: IntervalEntry[] = [];
  let refusals: readonly Refusal[] = [];
  let set: IntervalSet | undefined;
  for (const part of partsOf(range, profile.period)) {
    const read = await readPart(session, profile, columns, time, part);
    refusals = read.refusals;
    if (read.intervals === undefined) break; // refused: the rest would be too
    set = read.intervals;
    entries.push(...read.intervals.entries);
    onPart(read.intervals);
  }
  return { intervals: set && { ...set, entries }, refusals };
}

async function readPart(
  session: DlmsSession,
  profile: DlmsLoadProfile,
  columns: Columns,
  time: MeterTime,
  range: TimeRange,
): Promise<IntervalsRead> {
  const selection = byRange({
    restrictingObject: columns.clock,
    fromValue: dateTimeData(meterDateTime(time, range.from)),
    toValue: dateTimeData(meterDateTime(time, range.to)),
    selectedValues: [],
  });
  const buffer = attributeOf(ProfileGeneric, ProfileGeneric.attributes.buffer, profile.obis);
  const answer = await session.read(buffer, selection);
  if (answer.kind === "refused")
    return { intervals: undefined, refusals: [refusalOf(profile.channelSet, answer.result)] };
  const refusals = profile.channels.flatMap((channel, index) =>
    columns.channels[index] === undefined ? [{ item: channel.measurement, code: "dlms.not-captured" }] : [],
  );
  const entries = entriesOf(profile, columns, rowsOf(answer.value, columns.count), time);
  const intervals: IntervalSet = {
    channelSet: profile.channelSet,
    period: profile.period,
    channels: profile.channels.map(({ measurement, scaler }) => ({ measurement, scaler })),
    // Some meters answer whole blocks of entries, or the newest first.
    entries: entries
      .filter(({ end }) => end > range.from && end <= range.to)
      .sort((left, right) => left.end - right.end),
  };
  return { intervals, refusals };
}

/** Entries in the meter's order, with ends in UTC. Throws `SessionError` `dlms.bad-buffer`. */
export function entriesOf(
  profile: DlmsLoadProfile,
  columns: Columns,
  rows: readonly Row[],
  time: MeterTime,
): readonly IntervalEntry[] {
  let before: number | undefined;
  let step: number | undefined;
  const map = statusMapOf(profile);
  const flagsOf = (row: Row) => (columns.statusIndex === undefined ? 0 : statusOf(map, row.cells[columns.statusIndex]));
  const ownEnd = (row: Row, index: number, flags: number) => endOf(row, index, columns, profile, flags, time);
  /** Null in the clock's column means one capture period from the entry before; some meters sort newest first. */
  const stepOf = () => {
    const [first, second] = rows.flatMap((row, index) =>
      row.repeated[columns.clockIndex] === true ? [] : [ownEnd(row, index, flagsOf(row)).instant],
    );
    return profile.period * (first !== undefined && second !== undefined && second < first ? -1000 : 1000);
  };
  return rows.map((row, index) => {
    const flags = flagsOf(row);
    let end: Placed;
    if (before !== undefined && row.repeated[columns.clockIndex] === true) {
      step ??= stepOf();
      end = { instant: before + step, ambiguous: false };
    } else end = ownEnd(row, index, flags);
    before = end.instant;
    let status = flags | (end.ambiguous ? INTERVAL_STATUS.timeAmbiguous : 0);
    const values = profile.channels.map((_, at) => {
      const column = columns.channels[at];
      const cell = column === undefined ? undefined : row.cells[column];
      if (cell === undefined) return undefined;
      const number = integerIn(cell);
      // Raw × 10^scaler is the value: what counts is that the raw number is whole.
      const value = number && atScaler(number, 0);
      if (value === undefined) status |= INTERVAL_STATUS.dataInvalid;
      return value;
    });
    return { end: end.instant, values, status };
  });
}

function endOf(
  row: Row,
  index: number,
  columns: Columns,
  profile: DlmsLoadProfile,
  flags: number,
  time: MeterTime,
): Placed {
  const { clockIndex } = columns;
  const cell = row.cells[clockIndex];
  const stamp = cell && dateTimeIn(cell);
  const summer = columns.statusIndex === undefined ? undefined : (flags & INTERVAL_STATUS.daylightSaving) !== 0;
  const found = stamp && placed(time, stamp, summer);
  if (found === undefined)
    throw new SessionError(
      "protocol",
      "dlms.bad-buffer",
      `expected entry ${index} of ${profile.obis} to say when it ended`,
      {
        detail: { profile: profile.obis, entry: index },
      },
    );
  return found;
}

type StatusMap = readonly (readonly [mask: number, flag: number])[];

/** The profile's map of the meter's status bits, as numbers; names that are no neutral flag are passed over. */
const statusMapOf = (profile: DlmsLoadProfile): StatusMap =>
  Object.entries(profile.statusBits).flatMap(([mask, name]) =>
    name in INTERVAL_STATUS ? [[Number(mask), INTERVAL_STATUS[name as keyof typeof INTERVAL_STATUS]] as const] : [],
  );

/** The meter's status octet in neutral bits. */
function statusOf(map: StatusMap, data: Data | undefined): number {
  if (data === undefined) return 0;
  const bits =
    data.type === "bit-string"
      ? data.value.octets.reduce((all, octet) => all * 0x100 + octet, 0)
      : Number(integerIn(data)?.value ?? 0n);
  let status = 0;
  for (const [mask, flag] of map) if ((bits & mask) !== 0) status |= flag;
  return status;
}
