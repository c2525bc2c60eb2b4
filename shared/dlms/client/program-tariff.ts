import type { DlmsTariff } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import {
  calendarText,
  earliestChange,
  type ShownCalendar,
  type ShownTariff,
  type SpecialDay,
  type TariffCalendar,
} from "../../metering/tariff-calendar.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { toHex } from "../../ports/octets.ts";
import { type DateTime, dateTimeAt, instantOf } from "../date-time.ts";
import { ActivityCalendar } from "../objects/activity-calendar.ts";
import { attributeOf, methodOf } from "../objects/interface-class.ts";
import { SpecialDaysTable } from "../objects/schedule.ts";
import { requireSuccess } from "./action-answer.ts";
import type { MeterTime } from "./meter-time.ts";
import { requireProof } from "./proven-session.ts";
import type { DlmsSession } from "./session.ts";
import {
  type CalendarData,
  calendarData,
  calendarIn,
  NOT_SPECIFIED,
  nameText,
  specialDayData,
  specialDaysIn,
} from "./tariff-data.ts";

type ProgramTariff = Extract<Operation, { readonly kind: "programTariff" }>;

export interface TariffParts {
  readonly session: DlmsSession;
  readonly profile: DlmsProfile["dlms"];
  readonly crypto: Crypto;
  readonly time: MeterTime;
  readonly now: () => number;
}

const { attributes, methods } = ActivityCalendar;
const SIDES = {
  active: [
    attributes.calendarNameActive,
    attributes.seasonProfileActive,
    attributes.weekProfileTableActive,
    attributes.dayProfileTableActive,
  ],
  passive: [
    attributes.calendarNamePassive,
    attributes.seasonProfilePassive,
    attributes.weekProfileTablePassive,
    attributes.dayProfileTablePassive,
  ],
} as const;

function tariffOf({ tariff }: DlmsProfile["dlms"]): DlmsTariff {
  if (tariff === undefined)
    throw new SessionError("unsupported", "profile.no-tariff", "the device profile describes no activity calendar");
  return tariff;
}

interface Held {
  readonly active: CalendarData;
  readonly passive: CalendarData;
  readonly specialDays: readonly SpecialDay[] | undefined;
  readonly activatesAt: number | undefined;
}

/** All that the meter holds of its tariff. Throws `SessionError` where it refuses a part of it. */
async function read({ session, profile, time }: TariffParts): Promise<Held> {
  const { calendar, specialDays } = tariffOf(profile);
  const answers = await session.readAll([
    ...[...SIDES.active, ...SIDES.passive, attributes.activatePassiveCalendarTime].map((one) =>
      attributeOf(ActivityCalendar, one as typeof attributes.calendarNameActive, calendar),
    ),
    attributeOf(SpecialDaysTable, SpecialDaysTable.attributes.entries, specialDays),
  ]);
  const values = answers.map((answer) => {
    if (answer.kind === "value") return answer.value;
    requireSuccess("to show its tariff", answer.result);
    return undefined;
  });
  const side = (at: number) =>
    ({ name: values[at], seasons: values[at + 1], weeks: values[at + 2], days: values[at + 3] }) as CalendarData;
  return {
    active: side(0),
    passive: side(4),
    activatesAt: instantOf(values[8] as DateTime, time.sign, time.deviation),
    specialDays: specialDaysIn(values[9] as Parameters<typeof specialDaysIn>[0]),
  };
}

const digestOf = (crypto: Crypto, calendar: TariffCalendar): string =>
  toHex(crypto.hash("sha256", new TextEncoder().encode(calendarText(calendar))));

function shownOf(parts: TariffParts, { active, passive, specialDays, activatesAt }: Held): ShownTariff {
  const tariff = tariffOf(parts.profile);
  const shown = (data: CalendarData): ShownCalendar => {
    const calendar = calendarIn(data, specialDays, tariff);
    const name = nameText(data.name).slice(0, 64);
    return calendar === undefined ? { name } : { name, digest: digestOf(parts.crypto, calendar) };
  };
  return { active: shown(active), passive: shown(passive), ...(activatesAt === undefined ? {} : { activatesAt }) };
}

export const readTariff = async (parts: TariffParts): Promise<ShownTariff> => shownOf(parts, await read(parts));

/**
 * Writes the calendar to the passive side, reads it back, and has it become active: now, or at an instant by the meter's own
 * clock. While it is written no time of activation is set. An absolute set: what is there already is not written again.
 * Throws `SessionError`.
 */
export async function programTariff(parts: TariffParts, order: ProgramTariff): Promise<ShownTariff> {
  const { session, profile, time, crypto } = parts;
  const tariff = tariffOf(profile);
  requireProof(profile);
  const wanted = digestOf(crypto, order.calendar);
  const data = calendarData(order.calendar, tariff);
  if (data === undefined)
    throw new SessionError("unsupported", "tariff.tiers", "the calendar has more tiers than the model");
  const before = await read(parts);
  const was = shownOf(parts, before);
  const later = order.activateAt !== undefined && order.activateAt > parts.now() ? order.activateAt : undefined;
  if (was.active.digest === wanted) return was;
  if (later !== undefined && was.passive?.digest === wanted && was.activatesAt === later) return was;
  // The Special days table has no passive side: before the new calendar it may not say anything else than now.
  if (later !== undefined) {
    const earliest = earliestChange(before.specialDays ?? [], order.calendar.specialDays, parts.now() - minutes(time));
    if (before.specialDays === undefined || earliest < later - minutes(time))
      throw new SessionError("unsafe", "tariff.special-days", "special days would change before the calendar does");
  }
  const calendarTime = attributeOf(ActivityCalendar, attributes.activatePassiveCalendarTime, tariff.calendar);
  const put = async <T>(what: string, attribute: Parameters<typeof session.write<T>>[0], value: T): Promise<void> =>
    requireSuccess(what, await session.write(attribute, value));
  await put("to set no activation", calendarTime, NOT_SPECIFIED);
  await put(
    "a calendar name",
    attributeOf(ActivityCalendar, attributes.calendarNamePassive, tariff.calendar),
    data.name,
  );
  await put("seasons", attributeOf(ActivityCalendar, attributes.seasonProfilePassive, tariff.calendar), data.seasons);
  await put("weeks", attributeOf(ActivityCalendar, attributes.weekProfileTablePassive, tariff.calendar), data.weeks);
  await put("days", attributeOf(ActivityCalendar, attributes.dayProfileTablePassive, tariff.calendar), data.days);
  await put(
    "special days",
    attributeOf(SpecialDaysTable, SpecialDaysTable.attributes.entries, tariff.specialDays),
    specialDayData(order.calendar.specialDays),
  );
  const written = shownOf(parts, await read(parts));
  if (written.passive?.digest !== wanted)
    throw new SessionError("refused", "tariff.not-written", "the meter accepted another calendar and does not show it");
  if (later === undefined) {
    const method = methodOf(ActivityCalendar, methods.activatePassiveCalendar, tariff.calendar);
    const { result } = await session.invoke(method, 0);
    requireSuccess("to activate its calendar", result);
  } else await put("when to activate", calendarTime, dateTimeAt(later, minutesOf(time), { sign: time.sign }));
  const now = shownOf(parts, await read(parts));
  const proved = later === undefined ? now.active.digest === wanted : now.activatesAt === later;
  if (!proved)
    throw new SessionError("refused", "tariff.not-activated", "the meter does not show that the calendar is to count");
  return now;
}

const minutesOf = ({ deviation, standardDeviation }: MeterTime): number => deviation ?? standardDeviation ?? 0;
const minutes = (time: MeterTime): number => minutesOf(time) * 60_000;
