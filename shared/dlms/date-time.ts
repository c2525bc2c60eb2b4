import type { Codec } from "../wire/codec.ts";
import { decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Data } from "./data.ts";

/**
 * COSEM date-time, 12 octets (IEC 62056-6-2, date and time notations). Undefined: not specified (0xFF, 0xFFFF, 0x8000).
 * `month` may be 0xFD (DST end) or 0xFE (DST begin), `dayOfMonth` 0xFD (second last) or 0xFE (last).
 */
export interface DateTime {
  readonly year: number | undefined;
  readonly month: number | undefined;
  readonly dayOfMonth: number | undefined;
  /** 1 Monday .. 7 Sunday. */
  readonly dayOfWeek: number | undefined;
  readonly hour: number | undefined;
  readonly minute: number | undefined;
  readonly second: number | undefined;
  readonly hundredths: number | undefined;
  /** Minutes from local time to UTC, DST included: UTC = local + deviation. UTC+1 is -60. */
  readonly deviation: number | undefined;
  readonly clockStatus: number | undefined;
}

/** Bits of `clockStatus`. */
export const CLOCK_STATUS = {
  invalidValue: 0x01,
  doubtfulValue: 0x02,
  differentClockBase: 0x04,
  invalidClockStatus: 0x08,
  daylightSavingActive: 0x80,
} as const;

const DEVIATION_UNSPECIFIED = 0x8000;
const given = (octet: number): number | undefined => (octet === 0xff ? undefined : octet);

/** The 12 octets of a date-time, without tag or length. */
export const DateTimeCodec: Codec<DateTime> = {
  read: (source) => {
    const year = source.unsigned16("a year");
    const part = () => given(source.unsigned8("a date-time"));
    const [month, dayOfMonth, dayOfWeek] = [part(), part(), part()];
    const [hour, minute, second, hundredths] = [part(), part(), part(), part()];
    const deviationAt = source.offset;
    const deviation = source.unsigned16("a deviation");
    const signed = (deviation << 16) >> 16;
    if (deviation !== DEVIATION_UNSPECIFIED && (signed < -840 || signed > 840))
      throw new WireError("wire.value", `expected a deviation of -840..840 minutes, got ${signed}`, deviationAt);
    return {
      year: year === 0xffff ? undefined : year,
      month,
      dayOfMonth,
      dayOfWeek,
      hour,
      minute,
      second,
      hundredths,
      deviation: deviation === DEVIATION_UNSPECIFIED ? undefined : signed,
      clockStatus: given(source.unsigned8("a clock status")),
    };
  },
  write: (target, value) => {
    target.unsigned16(value.year ?? 0xffff);
    for (const octet of [
      value.month,
      value.dayOfMonth,
      value.dayOfWeek,
      value.hour,
      value.minute,
      value.second,
      value.hundredths,
    ])
      target.unsigned8(octet ?? 0xff);
    target.unsigned16(value.deviation === undefined ? DEVIATION_UNSPECIFIED : value.deviation & 0xffff);
    target.unsigned8(value.clockStatus ?? 0xff);
  },
};

/** A date without time: 5 octets, wildcards as in `DateTime`. */
export type CosemDate = Pick<DateTime, "year" | "month" | "dayOfMonth" | "dayOfWeek">;
export const DateCodec: Codec<CosemDate> = {
  read: (source) => {
    const year = source.unsigned16("a year");
    return {
      year: year === 0xffff ? undefined : year,
      month: given(source.unsigned8("a date")),
      dayOfMonth: given(source.unsigned8("a date")),
      dayOfWeek: given(source.unsigned8("a date")),
    };
  },
  write: (target, value) => {
    target.unsigned16(value.year ?? 0xffff);
    for (const octet of [value.month, value.dayOfMonth, value.dayOfWeek]) target.unsigned8(octet ?? 0xff);
  },
};

/** A time of day: 4 octets, wildcards as in `DateTime`. */
export type CosemTime = Pick<DateTime, "hour" | "minute" | "second" | "hundredths">;
export const TimeCodec: Codec<CosemTime> = {
  read: (source) => ({
    hour: given(source.unsigned8("a time")),
    minute: given(source.unsigned8("a time")),
    second: given(source.unsigned8("a time")),
    hundredths: given(source.unsigned8("a time")),
  }),
  write: (target, value) => {
    for (const octet of [value.hour, value.minute, value.second, value.hundredths]) target.unsigned8(octet ?? 0xff);
  },
};

/** Tagged, or as meters mostly send it, an octet-string of its length. Undefined: it is neither. */
const taggedOrOctets =
  <T>(type: "date-time" | "date" | "time", length: number, codec: Codec<T>) =>
  (data: Data): T | undefined =>
    data.type === type || (data.type === "octet-string" && data.value.length === length)
      ? decode(codec, data.value)
      : undefined;
const asOctets =
  <T>(codec: Codec<T>) =>
  (value: T): Data => ({ type: "octet-string", value: encode(codec, value) });

/** The date-time in a `Data`, tagged 25 or an octet-string of 12; so `dateIn` (26, 5) and `timeIn` (27, 4). */
export const dateTimeIn = taggedOrOctets("date-time", 12, DateTimeCodec);
export const dateIn = taggedOrOctets("date", 5, DateCodec);
export const timeIn = taggedOrOctets("time", 4, TimeCodec);

/** As most attributes carry it: an octet-string. */
export const dateTimeData = asOctets(DateTimeCodec);
export const dateData = asOctets(DateCodec);
export const timeData = asOctets(TimeCodec);

/** Which sign the meter gives the deviation: `utc` is the standard's. */
export type DeviationSign = "utc" | "local";

/**
 * The UTC instant, ms since 1970, or undefined when a part of date or time is a wildcard or the local time cannot be
 * placed: no deviation and no `fallbackDeviation` (minutes, standard sign).
 */
export function instantOf(
  value: DateTime,
  sign: DeviationSign = "utc",
  fallbackDeviation?: number,
): number | undefined {
  const { year, month, dayOfMonth, hour, minute } = value;
  if (
    year === undefined ||
    month === undefined ||
    dayOfMonth === undefined ||
    hour === undefined ||
    minute === undefined
  )
    return undefined;
  const own = value.deviation === undefined ? undefined : sign === "utc" ? value.deviation : -value.deviation;
  const deviation = own ?? fallbackDeviation;
  if (deviation === undefined) return undefined;
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, dayOfMonth);
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== dayOfMonth) return undefined;
  const second = value.second ?? 0;
  if (hour > 24 || minute > 59 || second > 59 || (hour === 24 && minute + second > 0)) return undefined;
  local.setUTCHours(hour, minute, second, (value.hundredths ?? 0) * 10);
  return local.getTime() + deviation * 60_000;
}

/** An instant as a meter whose local time is `deviation` minutes from UTC (UTC = local + deviation) writes it. */
export function dateTimeAt(
  instant: number,
  deviation: number,
  options: { readonly clockStatus?: number; readonly sign?: DeviationSign } = {},
): DateTime {
  const local = new Date(instant - deviation * 60_000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    dayOfMonth: local.getUTCDate(),
    dayOfWeek: local.getUTCDay() === 0 ? 7 : local.getUTCDay(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    hundredths: Math.floor(local.getUTCMilliseconds() / 10),
    deviation: options.sign === "local" ? -deviation + 0 : deviation,
    clockStatus: options.clockStatus ?? 0,
  };
}
