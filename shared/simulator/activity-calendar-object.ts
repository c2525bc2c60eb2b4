import type { Data } from "../dlms/data.ts";
import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { type DateTime, dateTimeData, dateTimeIn } from "../dlms/date-time.ts";
import { ActivityCalendar } from "../dlms/objects/activity-calendar.ts";
import { SpecialDaysTable } from "../dlms/objects/schedule.ts";
import type { Shape, ShapeValue } from "../dlms/objects/shape.ts";
import { actionResult, type CosemAttribute, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import type { DlmsTariff } from "../metering/dlms-equipment.ts";
import { WireError } from "../wire/wire-error.ts";
import { instantIn } from "./meter-instant.ts";
import type { MeterState } from "./meter-state.ts";
import { wallTime, type Zone } from "./zone.ts";

/** The Activity calendar, its Special days table, and which tier they say counts: read from COSEM data alone. */

const { attributes } = ActivityCalendar;
const seasonShape = attributes.seasonProfileActive.shape;
const weekShape = attributes.weekProfileTableActive.shape;
const dayShape = attributes.dayProfileTableActive.shape;
const entriesShape = SpecialDaysTable.attributes.entries.shape;

interface Side {
  name: Uint8Array;
  seasons: ShapeValue<typeof seasonShape>;
  weeks: ShapeValue<typeof weekShape>;
  days: ShapeValue<typeof dayShape>;
}
type SpecialDays = ShapeValue<typeof entriesShape>;

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (name: Uint8Array): string => new TextDecoder().decode(name);
const NEVER: DateTime = {
  year: undefined,
  month: undefined,
  dayOfMonth: undefined,
  dayOfWeek: undefined,
  hour: undefined,
  minute: undefined,
  second: undefined,
  hundredths: undefined,
  deviation: undefined,
  clockStatus: undefined,
};

/** How the meter leaves its factory: one season, rate 2 on working days, rate 1 at weekends. */
function factory({ scriptTable, tiers }: DlmsTariff): Side {
  const day = (dayId: number, tier: number) => ({
    dayId,
    daySchedule: [
      {
        startTime: { hour: 0, minute: 0, second: 0, hundredths: 0 },
        scriptLogicalName: scriptTable,
        scriptSelector: tiers[tier - 1] ?? 0,
      },
    ],
  });
  return {
    name: octets("FACTORY"),
    seasons: [
      {
        seasonProfileName: octets("S1"),
        seasonStart: {
          ...NEVER,
          month: 1,
          dayOfMonth: 1,
          hour: 0,
          minute: 0,
          second: 0,
          hundredths: 0,
          clockStatus: 0,
        },
        weekName: octets("W1"),
      },
    ],
    weeks: [
      {
        weekProfileName: octets("W1"),
        ...{ monday: 2, tuesday: 2, wednesday: 2, thursday: 2, friday: 2, saturday: 1, sunday: 1 },
      },
    ],
    days: [day(1, 1), day(2, 2)],
  };
}

const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

/** A calendar can only become active whole: every week, day and script that it names has to be there. */
function isWhole({ seasons, weeks, days }: Side, { scriptTable, tiers }: DlmsTariff): boolean {
  const weekNames = new Set(weeks.map(({ weekProfileName }) => text(weekProfileName)));
  const dayIds = new Set(days.map(({ dayId }) => dayId));
  return (
    seasons.length > 0 &&
    seasons.every(({ weekName }) => weekNames.has(text(weekName))) &&
    weeks.every((week) => WEEKDAYS.every((name) => dayIds.has(week[name]))) &&
    days.every(({ daySchedule }) =>
      daySchedule.every(
        ({ scriptLogicalName, scriptSelector }) => scriptLogicalName === scriptTable && tiers.includes(scriptSelector),
      ),
    )
  );
}

/** The tier that counts at an instant, by a calendar and special days as they were then. */
function tierIn(
  zone: Zone,
  { seasons, weeks, days }: Side,
  special: SpecialDays,
  { tiers }: DlmsTariff,
  instant: number,
) {
  const wall = wallTime(zone, instant);
  const today = wall.month * 100 + wall.day;
  const begins = seasons
    .map((season) => ({ season, at: (season.seasonStart.month ?? 1) * 100 + (season.seasonStart.dayOfMonth ?? 1) }))
    .sort((left, right) => left.at - right.at);
  const season = (begins.findLast(({ at }) => at <= today) ?? begins.at(-1))?.season;
  const week = weeks.find(({ weekProfileName }) => season && text(weekProfileName) === text(season.weekName));
  const dated = special.filter(
    ({ specialdayDate: { month, dayOfMonth } }) => month === wall.month && dayOfMonth === wall.day,
  );
  const exception =
    dated.find(({ specialdayDate }) => specialdayDate.year === wall.year) ??
    dated.find(({ specialdayDate }) => specialdayDate.year === undefined);
  const dayId = exception?.dayId ?? week?.[WEEKDAYS[wall.dayOfWeek - 1] ?? "monday"];
  const minute = wall.hour * 60 + wall.minute;
  const action = days
    .find((day) => day.dayId === dayId)
    ?.daySchedule.findLast(({ startTime }) => (startTime.hour ?? 0) * 60 + (startTime.minute ?? 0) <= minute);
  return action === undefined ? 1 : tiers.indexOf(action.scriptSelector) + 1;
}

/** Pretences: it acknowledges and keeps what it had. */
export class ActivityCalendarMemory {
  readonly #state: MeterState;
  readonly #tariff: DlmsTariff;
  readonly #hollow: boolean;
  #active: Side;
  #passive: Side;
  #special: SpecialDays = [];
  #activation: { readonly time: DateTime; readonly at: number } | undefined;

  constructor(state: MeterState, tariff: DlmsTariff, hollow = false) {
    this.#state = state;
    this.#tariff = tariff;
    this.#hollow = hollow;
    this.#active = factory(tariff);
    this.#passive = { ...factory(tariff), name: octets("") };
  }

  /** Whether the passive calendar was whole, and is now the active one, since `at` by the meter's clock. */
  #activate(at: number): boolean {
    if (!isWhole(this.#passive, this.#tariff)) return false;
    if (this.#hollow) return true;
    const side = { ...this.#passive };
    this.#active = side;
    const { zone, tariff, events } = this.#state;
    tariff.activate(at, (instant) => tierIn(zone, side, this.#special, this.#tariff, instant));
    events.record("program.tariff-activated", at);
    return true;
  }

  /** Looked at before whatever depends on it: a calendar whose time has come becomes active at that time. */
  look(): void {
    const due = this.#activation;
    if (due === undefined || this.#state.now() < due.at) return;
    this.#activation = undefined;
    this.#activate(due.at);
  }

  #of<K extends keyof Side>(side: "active" | "passive", key: K, shape: Shape<Side[K]>): CosemAttribute {
    const get = () => {
      this.look();
      return dataResult(shape.write((side === "active" ? this.#active : this.#passive)[key]));
    };
    if (side === "active") return { get };
    return {
      get,
      set: (value: Data) => {
        this.look();
        const found = strictly(shape, value);
        if (found === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
        if (!this.#hollow) this.#passive = { ...this.#passive, [key]: found };
        return DATA_ACCESS_RESULT.success;
      },
    };
  }

  #setActivation(value: Data): number {
    const time = strictly({ read: dateTimeIn }, value);
    if (time === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
    const at = instantIn(this.#state.zone, value);
    if (at === undefined && time.year !== undefined) return DATA_ACCESS_RESULT["type-unmatched"];
    if (at !== undefined && at <= this.#state.now()) return DATA_ACCESS_RESULT["other-reason"];
    this.#activation = at === undefined ? undefined : { time, at };
    return DATA_ACCESS_RESULT.success;
  }

  objects(): readonly CosemObject[] {
    const name = attributes.calendarNameActive.shape;
    return [
      {
        classId: 20,
        version: 0,
        logicalName: this.#tariff.calendar,
        attributes: {
          2: this.#of("active", "name", name),
          3: this.#of("active", "seasons", seasonShape),
          4: this.#of("active", "weeks", weekShape),
          5: this.#of("active", "days", dayShape),
          6: this.#of("passive", "name", name),
          7: this.#of("passive", "seasons", seasonShape),
          8: this.#of("passive", "weeks", weekShape),
          9: this.#of("passive", "days", dayShape),
          10: {
            get: () => {
              this.look();
              return dataResult(dateTimeData(this.#activation?.time ?? NEVER));
            },
            set: (value) => this.#setActivation(value),
          },
        },
        methods: {
          1: (parameters) => {
            if (parameters?.type !== "integer") return actionResult("type-unmatched");
            this.#activation = undefined;
            return actionResult(this.#activate(this.#state.now()) ? "success" : "other-reason");
          },
        },
      },
      {
        classId: 11,
        version: 0,
        logicalName: this.#tariff.specialDays,
        attributes: {
          2: {
            get: () => dataResult(entriesShape.write(this.#special)),
            set: (value) => {
              const found = strictly(entriesShape, value);
              if (found === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
              const { size } = new Set(found.map(({ index }) => index));
              if (size !== found.length) return DATA_ACCESS_RESULT["other-reason"];
              if (!this.#hollow) this.#special = found;
              return DATA_ACCESS_RESULT.success;
            },
          },
        },
      },
    ];
  }
}

/** Octets that are no date are data of another type. */
function strictly<T>(shape: Pick<Shape<T>, "read">, value: Data): T | undefined {
  try {
    return shape.read(value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
