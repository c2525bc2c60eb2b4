import type { DlmsAlarm, DlmsEventLog, DlmsPush } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { DlmsLoadProfile, DlmsProfile } from "../../metering/profile.ts";
import type { IntervalSet, MeterEvent, RegisterValue } from "../../metering/result.ts";
import type { Data } from "../data.ts";
import { type DateTime, dateTimeIn, instantOf } from "../date-time.ts";
import { Clock } from "../objects/clock.ts";
import { DataObject } from "../objects/data.ts";
import { type CaptureObject, ProfileGeneric } from "../objects/profile-generic.ts";
import { integerIn } from "./integer-value.ts";
import { type MeterTime, meterTimeOf } from "./meter-time.ts";
import { rowsOf } from "./profile-buffer.ts";
import type { Pushed } from "./push-receiver.ts";
import type { PushedValue } from "./pushed-values.ts";
import { columnsOf, entriesOf } from "./read-intervals.ts";

/** Whose device profiles these pushes are read by. */
export const PUSH_PROTOCOL = "dlms" as const;

/** What a push says in the words of a read. */
export interface PushContent {
  readonly registers: readonly RegisterValue[];
  readonly intervals: readonly IntervalSet[];
  readonly events: readonly MeterEvent[];
  /** When the meter says that it was sent, clock ms. */
  readonly sentAt: number | undefined;
}

/** push_object_list of each Push setup of the device profile. */
export const pushLists = ({ dlms: { pushes = [] } }: DlmsProfile): readonly (readonly CaptureObject[])[] =>
  pushes.map(pushList);

export const pushList = ({ objects }: Pick<DlmsPush, "objects">): readonly CaptureObject[] =>
  objects.map(({ classId, obis, attribute }) => ({
    classId,
    logicalName: obis,
    attributeIndex: attribute,
    dataIndex: 0,
  }));

/**
 * `receivedAt`: clock ms; it is when an alarm happened whose meter does not say so. Values that the device profile does not
 * name are left out. Throws `SessionError` `dlms.bad-buffer`.
 */
export function pushContent(
  pushed: Pick<Pushed, "sentAt" | "values">,
  profile: DlmsProfile,
  receivedAt: number,
): PushContent {
  const { clock, access, loadProfiles } = profile.dlms;
  const sign = access.deviationSign;
  const own = pushed.values.find(({ attribute }) => isOf(attribute, Clock.classId, clock));
  const stamp: DateTime | undefined = (own && dateTimeIn(own.data)) ?? pushed.sentAt;
  const time = meterTimeOf(sign, stamp, undefined);
  const sentAt = stamp && instantOf(stamp, sign);
  return {
    registers: pushed.values.flatMap(({ measurement, number }) =>
      measurement === undefined || number === undefined
        ? []
        : [{ measurement, ...number, ...(sentAt === undefined ? {} : { at: sentAt }) }],
    ),
    intervals: loadProfiles.flatMap((load) => {
      const buffer = pushed.values.find(({ attribute }) => isOf(attribute, ProfileGeneric.classId, load.obis));
      return buffer === undefined ? [] : [intervalsIn(buffer.data, load, clock, time)];
    }),
    events: pushed.values.flatMap((value) => eventsIn(value, profile, sentAt ?? receivedAt)),
    sentAt,
  };
}

/** Attribute 2 of the object. */
const isOf = (attribute: PushedValue["attribute"], classId: number, logicalName: string): boolean =>
  attribute?.classId === classId && attribute.logicalName === logicalName && attribute.attributeId === 2;

/** The columns of a pushed buffer: nobody has read capture_objects, so the device profile's order counts. */
export function pushedColumns({ status, channels }: DlmsLoadProfile, clock: string): readonly CaptureObject[] {
  const column = (classId: number, logicalName: string, attributeIndex = 2): CaptureObject => ({
    classId,
    logicalName,
    attributeIndex,
    dataIndex: 0,
  });
  return [
    column(Clock.classId, clock),
    ...(status === undefined ? [] : [column(DataObject.classId, status)]),
    ...channels.map(({ classId, obis, attribute }) => column(classId, obis, attribute)),
  ];
}

function intervalsIn(buffer: Data, load: DlmsLoadProfile, clock: string, time: MeterTime): IntervalSet {
  const captured = pushedColumns(load, clock);
  const columns = columnsOf(load, clock, captured);
  const entries = entriesOf(load, columns, rowsOf(buffer, captured.length), time);
  return {
    channelSet: load.channelSet,
    period: load.period,
    channels: load.channels.map(({ measurement, scaler }) => ({ measurement, scaler })),
    entries: [...entries].sort((left, right) => left.end - right.end),
  };
}

/** Bits of an alarm descriptor, or the code that an event log's own Data object shows. */
function eventsIn({ attribute, data }: PushedValue, { dlms }: DlmsProfile, at: number): readonly MeterEvent[] {
  if (attribute?.attributeId !== 2) return [];
  const { logicalName } = attribute;
  const alarm = dlms.alarms?.find(({ obis }) => obis === logicalName);
  if (alarm !== undefined) return alarmsIn(alarm, data, at);
  const log = dlms.events?.find(({ code }) => code === logicalName);
  return log === undefined ? [] : [codeIn(log, data, at)];
}

function alarmsIn({ log, bits, obis }: DlmsAlarm, data: Data, at: number): readonly MeterEvent[] {
  const found = integerIn(data);
  if (found?.exponent !== 0 || found.value < 0n) throw noEvent(obis);
  const events: MeterEvent[] = [];
  for (let bit = 0; bit < 32; bit++)
    if ((found.value >> BigInt(bit)) & 1n)
      events.push({ at, event: bits[String(bit)] ?? "unknown", log, code: String(bit) });
  return events;
}

function codeIn({ log, events, code }: DlmsEventLog, data: Data, at: number): MeterEvent {
  const found = integerIn(data);
  if (found?.exponent !== 0) throw noEvent(code);
  const text = found.value.toString();
  return { at, event: events[text] ?? "unknown", log, code: text };
}

const noEvent = (object: string): SessionError =>
  new SessionError("protocol", "dlms.bad-buffer", `expected a number of alarms or of an event in ${object}`, {
    detail: { object },
  });
