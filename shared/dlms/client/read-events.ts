import type { DlmsEventLog } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { TimeRange } from "../../metering/operation.ts";
import type { MeterEvent } from "../../metering/result.ts";
import { toHex } from "../../ports/octets.ts";
import { encode } from "../../wire/codec.ts";
import { type Data, DataCodec } from "../data.ts";
import { DATA_ACCESS_RESULT } from "../data-access-result.ts";
import { dateTimeData, dateTimeIn } from "../date-time.ts";
import { Clock } from "../objects/clock.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { type CaptureObject, ProfileGeneric } from "../objects/profile-generic.ts";
import { byRange } from "../selective-access.ts";
import { integerIn } from "./integer-value.ts";
import { type MeterTime, meterDateTime, placed } from "./meter-time.ts";
import { rowsOf } from "./profile-buffer.ts";
import { type Refusal, refusalOf } from "./read-registers.ts";
import type { Answer, DlmsSession } from "./session.ts";

export interface EventsRead {
  readonly events: readonly MeterEvent[];
  readonly refusals: readonly Refusal[];
}

/** Octets of an argument that are kept. */
const ARGUMENT_MAX = 256;
/** What says that a log does not know selective access by range: it is then read whole. */
const NO_RANGE: readonly number[] = [
  DATA_ACCESS_RESULT["scope-of-access-violated"],
  DATA_ACCESS_RESULT["type-unmatched"],
  DATA_ACCESS_RESULT["other-reason"],
];

interface Columns {
  readonly count: number;
  readonly clock: number;
  readonly code: number;
  readonly clockObject: CaptureObject;
}

function columnsOf(log: DlmsEventLog, clock: string, captured: readonly CaptureObject[]): Columns | undefined {
  const find = (classId: number, name: string, attribute: number): number =>
    captured.findIndex(
      (object) => object.classId === classId && object.logicalName === name && object.attributeIndex === attribute,
    );
  const clockAt = find(Clock.classId, clock, Clock.attributes.time.id);
  const codeAt = find(DataObject.classId, log.code, DataObject.attributes.value.id);
  const clockObject = captured[clockAt];
  if (clockObject === undefined || codeAt < 0) return undefined;
  return { count: captured.length, clock: clockAt, code: codeAt, clockObject };
}

/** What the log recorded beside time and code, as one A-XDR structure; undefined: nothing. */
function argumentOf(cells: readonly (Data | undefined)[], columns: Columns): string | undefined {
  const rest = cells.filter((_, index) => index !== columns.clock && index !== columns.code);
  if (rest.length === 0) return undefined;
  const nothing: Data = { type: "null-data", value: null };
  const octets = encode(DataCodec, { type: "structure", value: rest.map((cell) => cell ?? nothing) });
  return toHex(octets.subarray(0, ARGUMENT_MAX));
}

function eventOf(
  log: DlmsEventLog,
  columns: Columns,
  cells: readonly (Data | undefined)[],
  time: MeterTime,
): MeterEvent {
  const [stamp, code] = [cells[columns.clock], cells[columns.code]];
  const dateTime = stamp === undefined ? undefined : dateTimeIn(stamp);
  const at = dateTime === undefined ? undefined : placed(time, dateTime, undefined)?.instant;
  const number = code === undefined ? undefined : integerIn(code);
  if (at === undefined || number?.exponent !== 0)
    throw new SessionError("protocol", "dlms.bad-buffer", `expected time and code in each entry of ${log.obis}`, {
      detail: { log: log.obis },
    });
  const argument = argumentOf(cells, columns);
  const text = number.value.toString();
  return {
    at,
    event: log.events[text] ?? "unknown",
    log: log.log,
    code: text,
    ...(argument === undefined ? {} : { argument }),
  };
}

/** The events of one log whose time lies in (from, to]. Throws `SessionError` `dlms.bad-buffer`. */
async function readLog(
  session: DlmsSession,
  log: DlmsEventLog,
  clock: string,
  captured: readonly CaptureObject[],
  time: MeterTime,
  range: TimeRange,
): Promise<EventsRead> {
  const columns = columnsOf(log, clock, captured);
  if (columns === undefined) return { events: [], refusals: [{ item: log.log, code: "dlms.not-captured" }] };
  const buffer = attributeOf(ProfileGeneric, ProfileGeneric.attributes.buffer, log.obis);
  const selection = byRange({
    restrictingObject: columns.clockObject,
    fromValue: dateTimeData(meterDateTime(time, range.from)),
    toValue: dateTimeData(meterDateTime(time, range.to)),
    selectedValues: [],
  });
  let answer = await session.read(buffer, selection);
  if (answer.kind === "refused" && NO_RANGE.includes(answer.result)) answer = await session.read(buffer);
  if (answer.kind === "refused") return { events: [], refusals: [refusalOf(log.log, answer.result)] };
  const events = rowsOf(answer.value, columns.count)
    .map(({ cells }) => eventOf(log, columns, cells, time))
    .filter(({ at }) => at > range.from && at <= range.to);
  return { events, refusals: [] };
}

/** The event logs of the profile, by time. Refusals of one log are in the result. */
export async function readEvents(
  session: DlmsSession,
  logs: readonly DlmsEventLog[],
  clock: string,
  time: MeterTime,
  range: TimeRange,
): Promise<EventsRead> {
  const answers = await session.readAll(
    logs.map(({ obis }) => attributeOf(ProfileGeneric, ProfileGeneric.attributes.captureObjects, obis)),
  );
  const events: MeterEvent[] = [];
  const refusals: Refusal[] = [];
  for (const [index, log] of logs.entries()) {
    const captured = answers[index] as Answer<readonly CaptureObject[]>;
    if (captured.kind === "refused") {
      refusals.push(refusalOf(log.log, captured.result));
      continue;
    }
    const read = await readLog(session, log, clock, captured.value, time, range);
    events.push(...read.events);
    refusals.push(...read.refusals);
  }
  return { events: events.sort((left, right) => left.at - right.at), refusals };
}
