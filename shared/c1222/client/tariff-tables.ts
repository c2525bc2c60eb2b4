import { type TableRecord, valueAt, writeTable } from "../../c1219/table-layout.ts";
import type { C1222Profile, C1222Tariff } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import { checkPrice, priceText } from "../../metering/price-message.ts";
import {
  calendarText,
  canonicalCalendar,
  type ShownCalendar,
  type ShownTariff,
  TariffCalendar,
} from "../../metering/tariff-calendar.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { toHex } from "../../ports/octets.ts";
import { OK, responseName } from "../response-code.ts";
import { tableName } from "../services/table-data.ts";
import type { MeterClock } from "./meter-clock.ts";
import type { TableReader } from "./table-reader.ts";

/**
 * Calendars in a manufacturer's tables of one layout (`metering/us-calendar.ts`), one that counts and one that waits. No two
 * public sources agree on all of the standard's own, table 54 (docs/standards.md): a profile without these tables has no
 * tariff.
 */
const MESSAGE_OCTETS = 80;
/** ARMED: waits for nothing, for ACTIVATE_AT, or becomes active as soon as it is written. */
export const ARMED = { never: 0, later: 1, now: 2 } as const;

type ProgramTariff = Extract<Operation, { readonly kind: "programTariff" }>;

export interface TariffParts {
  readonly reader: TableReader;
  readonly profile: C1222Profile["c1222"];
  readonly crypto: Crypto;
  readonly clock: MeterClock;
  readonly now: () => number;
}

/** A calendar as a record of the layout; `activateAt`: wall time of the meter. */
export function calendarRecord(calendar: TariffCalendar, armed: number, activateAt: number): TableRecord {
  const { name, seasons, weeks, days, specialDays } = canonicalCalendar(calendar);
  const switches = days.flatMap(({ day, switches: all }) =>
    all.map(({ minute, tier }) => ({ DAY: day, MINUTE: minute, TIER: tier })),
  );
  const text = (value: string): string => value.padEnd(8, " ");
  return {
    CAL_NAME: text(name),
    ARMED: armed,
    ACTIVATE_AT: activateAt,
    NBR_SEASONS: seasons.length,
    NBR_WEEKS: weeks.length,
    NBR_SWITCHES: switches.length,
    NBR_SPECIAL: specialDays.length,
    SEASONS: seasons.map(({ name: season, from, week }) => ({
      NAME: text(season),
      MONTH: from.month,
      DAY: from.day,
      WEEK: text(week),
    })),
    WEEKS: weeks.map(({ name: week, days: ids }) => ({ NAME: text(week), DAYS: ids })),
    SWITCHES: switches,
    SPECIAL: specialDays.map(({ year = 0, month, day, dayId }) => ({
      YEAR: year,
      MONTH: month,
      DAY: day,
      DAY_ID: dayId,
    })),
  };
}

const textIn = (value: unknown): string => (typeof value === "string" ? value.trimEnd() : "");
const listIn = (record: TableRecord, path: string): readonly TableRecord[] =>
  (valueAt(record, path) ?? []) as readonly TableRecord[];

/** Undefined: it holds something that no neutral calendar is. */
export function calendarIn(record: TableRecord): TariffCalendar | undefined {
  const switches = listIn(record, "SWITCHES");
  const dayIds = [...new Set(switches.map(({ DAY }) => DAY as number))];
  const found = TariffCalendar.safeParse({
    name: textIn(record.CAL_NAME),
    seasons: listIn(record, "SEASONS").map(({ NAME, MONTH, DAY, WEEK }) => ({
      name: textIn(NAME),
      from: { month: MONTH, day: DAY },
      week: textIn(WEEK),
    })),
    weeks: listIn(record, "WEEKS").map(({ NAME, DAYS }) => ({ name: textIn(NAME), days: DAYS })),
    days: dayIds.map((day) => ({
      day,
      switches: switches.filter(({ DAY }) => DAY === day).map(({ MINUTE, TIER }) => ({ minute: MINUTE, tier: TIER })),
    })),
    specialDays: listIn(record, "SPECIAL").map(({ YEAR, MONTH, DAY, DAY_ID }) => ({
      ...(YEAR === 0 ? {} : { year: YEAR }),
      month: MONTH,
      day: DAY,
      dayId: DAY_ID,
    })),
  });
  return found.success ? found.data : undefined;
}

function tariffOf({ tariff }: C1222Profile["c1222"]): C1222Tariff {
  if (tariff === undefined)
    throw new SessionError("unsupported", "profile.no-tariff", "the device profile describes no tables of a calendar");
  return tariff;
}

/** Only in messages that the meter's key secures. */
function requireSecured({ access }: C1222Profile["c1222"]): void {
  if (access.security === "clear")
    throw new SessionError("unsafe", "c1222.unproved-session", "expected messages that the meter's own key secures");
}

async function recordOf(reader: TableReader, table: number): Promise<TableRecord> {
  const answer = (await reader.readRecords([table])).get(table);
  if (answer?.kind === "record") return answer.record;
  throw new SessionError("refused", answer?.code ?? "c1222.err", `the meter refused ${tableName(table)}`);
}

async function write(reader: TableReader, table: number, record: TableRecord): Promise<void> {
  const data = writeTable(reader.layout(table).fields, reader.context, record);
  const [answer] = await reader.ask([{ service: "fullWrite", tableId: table, data }], [tableName(table)]);
  if (answer?.code === OK) return;
  const name = answer === undefined ? "err" : responseName(answer.code);
  throw new SessionError("refused", `c1222.${name}`, `the meter refused to take ${tableName(table)}`);
}

const digestOf = (crypto: Crypto, calendar: TariffCalendar): string =>
  toHex(crypto.hash("sha256", new TextEncoder().encode(calendarText(calendar))));

export async function readTariff({ reader, profile, crypto, clock }: TariffParts): Promise<ShownTariff> {
  const tariff = tariffOf(profile);
  const [active, pending] = [await recordOf(reader, tariff.active), await recordOf(reader, tariff.pending)];
  const shown = (record: TableRecord): ShownCalendar => {
    const calendar = calendarIn(record);
    const name = textIn(record.CAL_NAME);
    return calendar === undefined ? { name } : { name, digest: digestOf(crypto, calendar) };
  };
  const { ACTIVATE_AT: wall, ARMED: armed } = pending;
  const activatesAt = armed === ARMED.later && typeof wall === "number" ? clock.placed(wall)?.instant : undefined;
  return { active: shown(active), passive: shown(pending), ...(activatesAt === undefined ? {} : { activatesAt }) };
}

/** Writes the pending calendar whole, with when it is to count, and reads it back. An absolute set. Throws `SessionError`. */
export async function programTariff(parts: TariffParts, order: ProgramTariff): Promise<ShownTariff> {
  const { reader, profile, crypto, clock } = parts;
  const tariff = tariffOf(profile);
  requireSecured(profile);
  if (order.calendar.days.some(({ switches }) => switches.some(({ tier }) => tier > tariff.tiers)))
    throw new SessionError("unsupported", "tariff.tiers", "the calendar has more tiers than the model");
  const wanted = digestOf(crypto, order.calendar);
  const was = await readTariff(parts);
  const later = order.activateAt !== undefined && order.activateAt > parts.now() ? order.activateAt : undefined;
  if (was.active.digest === wanted) return was;
  if (later !== undefined && was.passive?.digest === wanted && was.activatesAt === later) return was;
  const wall = later === undefined ? 0 : clock.wallOf(later);
  if (wall === undefined)
    throw new SessionError("unsupported", "c1222.local-time", "expected a meter whose times are instants");
  await write(
    reader,
    tariff.pending,
    calendarRecord(order.calendar, later === undefined ? ARMED.now : ARMED.later, wall),
  );
  const now = await readTariff(parts);
  const isWritten = later === undefined ? now.active.digest === wanted : now.passive?.digest === wanted;
  if (!isWritten)
    throw new SessionError("refused", "tariff.not-written", "the meter accepted another calendar and does not show it");
  if (later !== undefined && now.activatesAt !== later)
    throw new SessionError("refused", "tariff.not-activated", "the meter does not show when the calendar is to count");
  return now;
}

/** Writes the price to the display's table and reads it back. Answers what the display holds. Throws `SessionError`. */
export async function showPrice(
  { reader, profile, now }: TariffParts,
  order: Extract<Operation, { readonly kind: "sendPrice" }>,
): Promise<string> {
  const { priceDisplay } = profile;
  if (priceDisplay === undefined)
    throw new SessionError(
      "unsupported",
      "profile.no-price-display",
      "the device profile describes no display of prices",
    );
  requireSecured(profile);
  const text = priceText(order);
  if (text.length > MESSAGE_OCTETS)
    throw new SessionError("unsupported", "price.too-long", "the message is longer than the model shows");
  checkPrice(order, now());
  await write(reader, priceDisplay.table, { MESSAGE: text.padEnd(MESSAGE_OCTETS, " ") });
  const shown = textIn((await recordOf(reader, priceDisplay.table)).MESSAGE);
  if (shown !== text)
    throw new SessionError("refused", "price.not-shown", "the meter accepted another message and does not show it");
  return text;
}
