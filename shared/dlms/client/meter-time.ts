import { CLOCK_STATUS, type DateTime, type DeviationSign, dateTimeAt, instantOf } from "../date-time.ts";

/** What a session knows of the meter's clock. */
export interface MeterTime {
  readonly sign: DeviationSign;
  /** Minutes from local time to UTC when the clock was read, DST included; undefined: the meter does not tell. */
  readonly deviation: number | undefined;
  /** Minutes from local *standard* time to UTC; undefined: not known. */
  readonly standardDeviation: number | undefined;
}

const DST_MINUTES = 60;

/** From the clock's `time` and `timeZone` attributes, where the meter gave them. */
export function meterTimeOf(sign: DeviationSign, time: DateTime | undefined, timeZone: number | undefined): MeterTime {
  const standardDeviation = timeZone === undefined ? undefined : sign === "utc" ? timeZone : -timeZone;
  const own = time?.deviation === undefined ? undefined : sign === "utc" ? time.deviation : -time.deviation;
  const deviation =
    own ??
    (standardDeviation === undefined ? undefined : standardDeviation - (inSummer(time) === true ? DST_MINUTES : 0));
  return { sign, deviation, standardDeviation };
}

/** Whether the date-time says that daylight saving is active; undefined: it doesn't tell. */
const inSummer = (time: DateTime | undefined): boolean | undefined =>
  time?.clockStatus === undefined ? undefined : (time.clockStatus & CLOCK_STATUS.daylightSavingActive) !== 0;

export interface Placed {
  readonly instant: number;
  /** The meter's local time could be two instants, or rests on a guess. */
  readonly ambiguous: boolean;
}

/**
 * A date-time of this meter as an instant. Its own deviation decides; without one, standard time and the DST flag of the
 * clock status or of the entry (`summer`); without these, the clock's present deviation, marked ambiguous. Undefined: it
 * names no instant.
 */
export function placed(meter: MeterTime, time: DateTime, summer: boolean | undefined): Placed | undefined {
  const own = instantOf(time, meter.sign);
  if (own !== undefined) return { instant: own, ambiguous: false };
  const daylight = inSummer(time) ?? summer;
  if (meter.standardDeviation !== undefined && daylight !== undefined) {
    const deviation = meter.standardDeviation - (daylight ? DST_MINUTES : 0);
    const instant = instantOf(time, meter.sign, deviation);
    return instant === undefined ? undefined : { instant, ambiguous: false };
  }
  const instant = instantOf(time, meter.sign, meter.deviation ?? meter.standardDeviation ?? 0);
  return instant === undefined ? undefined : { instant, ambiguous: true };
}

/** An instant as this meter would write it, for a range: some meters compare local times and ignore the deviation. */
export const meterDateTime = (meter: MeterTime, instant: number): DateTime =>
  dateTimeAt(instant, meter.deviation ?? 0, { sign: meter.sign });
