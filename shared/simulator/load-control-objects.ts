import type { Data } from "../dlms/data.ts";
import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { dateData, dateIn, dateTimeAt, instantOf, timeData, timeIn } from "../dlms/date-time.ts";
import { obisOf } from "../dlms/logical-name.ts";
import { actionResult, type CosemMethod, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import type { DlmsLoadControl } from "../metering/dlms-equipment.ts";
import {
  array,
  bool,
  doubleLongUnsigned,
  enumerated,
  integer,
  longUnsigned,
  meterTimeData,
  name,
  structure,
} from "./cosem-data.ts";
import type { LoadRelay } from "./load-relay.ts";
import { instantIn } from "./meter-instant.ts";
import { wallTime, type Zone } from "./zone.ts";

const REGISTER_CLASS = 3;
const IMPORT_POWER = "1.0.1.7.0.255";
const UNLIMITED = 0xffff_ffff;
const DISCONNECTED = 0;
const CONNECTED = 1;
/** Execution times that a schedule of this maker holds. */
const TIMES_MAX = 64;

export interface LoadControlOptions {
  readonly relay: LoadRelay;
  readonly zone: Zone;
  /** Orders are acknowledged and not done. */
  readonly hollow: boolean;
}

/** Relay, scripts, schedules and limiter of a load, as the device profile names them. */
export function loadControlObjects(point: DlmsLoadControl, options: LoadControlOptions): readonly CosemObject[] {
  return [
    relayObject(point, options),
    scriptTableObject(point, options),
    scheduleObject(point, point.schedules.off, point.scripts.off, options),
    scheduleObject(point, point.schedules.on, point.scripts.on, options),
    ...(point.limiter === undefined ? [] : [limiterObject(point, point.limiter, options)]),
  ];
}

const told = ({ relay, hollow }: LoadControlOptions, on: boolean) => {
  if (!hollow) relay.turn(on);
  return actionResult("success");
};

/** Disconnect control, class_id 70 version 0, of the load: control_mode 4, remotely only. */
function relayObject({ relay: logicalName }: DlmsLoadControl, options: LoadControlOptions): CosemObject {
  const method =
    (on: boolean): CosemMethod =>
    (parameters) =>
      parameters?.type === "integer" ? told(options, on) : actionResult("type-unmatched");
  return {
    classId: 70,
    version: 0,
    logicalName,
    attributes: {
      2: { get: () => dataResult(bool(options.relay.closed)) },
      3: { get: () => dataResult(enumerated(options.relay.closed ? CONNECTED : DISCONNECTED)) },
      4: { get: () => dataResult(enumerated(4)) },
    },
    methods: { 1: method(false), 2: method(true) },
  };
}

/** Script table, class_id 9 version 0: one script a direction, each a method of the relay. */
function scriptTableObject(point: DlmsLoadControl, options: LoadControlOptions): CosemObject {
  const script = (id: number, method: number): Data =>
    structure(
      longUnsigned(id),
      array(structure(enumerated(2), longUnsigned(70), name(point.relay), integer(method), integer(0))),
    );
  return {
    classId: 9,
    version: 0,
    logicalName: point.scriptTable,
    attributes: { 2: { get: () => dataResult(array(script(point.scripts.off, 1), script(point.scripts.on, 2))) } },
    methods: {
      1: (parameters) => {
        if (parameters?.type !== "long-unsigned") return actionResult("type-unmatched");
        const { off, on } = point.scripts;
        if (parameters.value !== off && parameters.value !== on) return actionResult("object-unavailable");
        return told(options, parameters.value === on);
      },
    },
  };
}

/** The instant of an execution time; undefined: a wildcard, or none that there is. */
function executionInstant(zone: Zone, entry: Data): number | undefined {
  const [ofDay, onDate] = entry.type === "structure" && entry.value.length === 2 ? entry.value : [];
  const time = ofDay && timeIn(ofDay);
  const date = onDate && dateIn(onDate);
  if (time === undefined || date === undefined) return undefined;
  const local = { ...date, ...time, clockStatus: undefined, deviation: undefined };
  const guess = instantOf(local, "utc", 0);
  if (guess === undefined) return undefined;
  return guess - wallTime(zone, guess - wallTime(zone, guess).offsetMinutes * 60_000).offsetMinutes * 60_000;
}

/** Single action schedule, class_id 22 version 0; type 4: any times, no wildcards. */
function scheduleObject(
  point: DlmsLoadControl,
  logicalName: string,
  selector: number,
  { relay, zone, hollow }: LoadControlOptions,
): CosemObject {
  let script = { table: point.scriptTable, selector };
  let type = 4;
  let times: readonly number[] = (relay.kept.planned[logicalName] ?? []).map(({ at }) => at);
  const plan = (): void => {
    const own = script.table === point.scriptTable && Object.values(point.scripts).includes(script.selector);
    const on = script.selector === point.scripts.on;
    if (!hollow) relay.plan(logicalName, own ? times.map((at) => ({ at, on })) : []);
  };
  return {
    classId: 22,
    version: 0,
    logicalName,
    attributes: {
      2: {
        get: () => dataResult(structure(name(script.table), longUnsigned(script.selector))),
        set: (value) => {
          const [table, number] = value.type === "structure" && value.value.length === 2 ? value.value : [];
          if (table?.type !== "octet-string" || table.value.length !== 6 || number?.type !== "long-unsigned")
            return DATA_ACCESS_RESULT["type-unmatched"];
          script = { table: obisOf(table.value), selector: number.value };
          plan();
          return DATA_ACCESS_RESULT.success;
        },
      },
      3: {
        get: () => dataResult(enumerated(type)),
        set: (value) => {
          if (value.type !== "enum") return DATA_ACCESS_RESULT["type-unmatched"];
          if (value.value !== 4) return DATA_ACCESS_RESULT["other-reason"];
          type = value.value;
          return DATA_ACCESS_RESULT.success;
        },
      },
      4: {
        get: () =>
          dataResult(
            array(
              ...times.map((at) => {
                const { offsetMinutes } = wallTime(zone, at);
                const { hour, minute, second, year, month, dayOfMonth, dayOfWeek } = dateTimeAt(at, -offsetMinutes);
                return turnData({ hour, minute, second }, { year, month, dayOfMonth, dayOfWeek });
              }),
            ),
          ),
        set: (value) => {
          if (value.type !== "array") return DATA_ACCESS_RESULT["type-unmatched"];
          if (value.value.length > TIMES_MAX) return DATA_ACCESS_RESULT["other-reason"];
          const instants = value.value.map((entry) => executionInstant(zone, entry));
          if (instants.includes(undefined)) return DATA_ACCESS_RESULT["type-unmatched"];
          times = instants as number[];
          plan();
          return DATA_ACCESS_RESULT.success;
        },
      },
    },
  };
}

type Wall = ReturnType<typeof dateTimeAt>;
function turnData(
  { hour, minute, second }: Pick<Wall, "hour" | "minute" | "second">,
  { year, month, dayOfMonth, dayOfWeek }: Pick<Wall, "year" | "month" | "dayOfMonth" | "dayOfWeek">,
): Data {
  return structure(timeData({ hour, minute, second, hundredths: 0 }), dateData({ year, month, dayOfMonth, dayOfWeek }));
}

/** Limiter, class_id 71 version 0, of the load: its emergency profile is the one way to limit. */
function limiterObject(
  point: DlmsLoadControl,
  logicalName: string,
  { relay, zone, hollow }: LoadControlOptions,
): CosemObject {
  let watts = UNLIMITED;
  let groups: readonly number[] = [];
  let profile = { group: 0, from: 0, until: 0 };
  const active = (): number => {
    const limit = relay.spans.findLast((span) => "watts" in span);
    return relay.current === limit && limit !== undefined && "watts" in limit ? limit.watts : UNLIMITED;
  };
  const apply = (): void => {
    if (!hollow && groups.includes(profile.group)) relay.limit(watts, profile.from, profile.until);
  };
  const script = (selector: number): Data => structure(name(point.scriptTable), longUnsigned(selector));
  return {
    classId: 71,
    version: 0,
    logicalName,
    attributes: {
      2: { get: () => dataResult(structure(longUnsigned(REGISTER_CLASS), name(IMPORT_POWER), integer(2))) },
      3: { get: () => dataResult(doubleLongUnsigned(active())) },
      4: { get: () => dataResult(doubleLongUnsigned(UNLIMITED)) },
      5: {
        get: () => dataResult(doubleLongUnsigned(watts)),
        set: (value) => {
          if (value.type !== "double-long-unsigned") return DATA_ACCESS_RESULT["type-unmatched"];
          watts = value.value;
          return DATA_ACCESS_RESULT.success;
        },
      },
      6: { get: () => dataResult(doubleLongUnsigned(0)) },
      7: { get: () => dataResult(doubleLongUnsigned(0)) },
      8: {
        get: () =>
          dataResult(
            structure(
              longUnsigned(profile.group),
              meterTimeData(zone, profile.from),
              doubleLongUnsigned((profile.until - profile.from) / 1000),
            ),
          ),
        set: (value) => {
          const [group, begin, duration] = value.type === "structure" && value.value.length === 3 ? value.value : [];
          const from = begin === undefined ? undefined : instantIn(zone, begin);
          if (group?.type !== "long-unsigned" || from === undefined || duration?.type !== "double-long-unsigned")
            return DATA_ACCESS_RESULT["type-unmatched"];
          profile = { group: group.value, from, until: from + duration.value * 1000 };
          apply();
          return DATA_ACCESS_RESULT.success;
        },
      },
      9: {
        get: () => dataResult(array(...groups.map(longUnsigned))),
        set: (value) => {
          if (value.type !== "array" || !value.value.every((each) => each.type === "long-unsigned"))
            return DATA_ACCESS_RESULT["type-unmatched"];
          groups = value.value.map((each) => each.value as number);
          return DATA_ACCESS_RESULT.success;
        },
      },
      10: { get: () => dataResult(bool(active() !== UNLIMITED)) },
      11: { get: () => dataResult(structure(script(point.scripts.off), script(point.scripts.on))) },
    },
  };
}
