import { type TableRecord, valueAt } from "../../c1219/table-layout.ts";
import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { clockDifference, type ReadSpan } from "../../metering/clock-step.ts";
import type { TableAnswer, TableReader } from "./table-reader.ts";
import { isUsSummer } from "./us-summer-time.ts";

/** A wall time of the meter as an instant. `ambiguous`: it could be another one, an hour away. */
export interface Placed {
  readonly instant: number;
  readonly ambiguous: boolean;
}

/** The meter's clock as one session found it. */
export interface MeterClock {
  /** Its instant when it was read, clock milliseconds; undefined: it does not say, or in local time. */
  readonly shown: number | undefined;
  /** The same minus ours. */
  readonly difference?: ReturnType<typeof clockDifference>;
  /** A wall time of this meter; undefined: local time, whose offset is not known. */
  placed(wall: number): Placed | undefined;
  /** An instant as this meter would write it; undefined as above. */
  wallOf(instant: number): number | undefined;
  /** Its qualifier, as it was read. */
  readonly qualifier: TableRecord | undefined;
}

type LocalTime = C1222Profile["c1222"]["localTime"];

const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;

/** Other tables that are read in the same message. */
interface Beside {
  readonly tables: readonly number[];
  readonly tell: (answers: readonly TableAnswer[]) => void;
}

/**
 * Reads the clock table. A meter that keeps UTC says so (GMT_FLAG). For one that keeps local time the device profile has
 * to name the rule of its summer time: then its standard time is what it shows less ours, to a quarter of an hour. Without
 * the rule its times are no instants: nothing is guessed.
 */
export async function readClock(
  reader: TableReader,
  { clock, localTime }: Pick<C1222Profile["c1222"], "clock" | "localTime">,
  now: () => number,
  beside?: Beside,
): Promise<MeterClock> {
  const sentAt = now();
  const [answer, ...others] = await reader.readOctets([clock, ...(beside?.tables ?? [])]);
  beside?.tell(others);
  const span: ReadSpan = { sentAt, answeredAt: now() };
  const record = answer?.kind === "octets" ? reader.interpret(clock, answer.octets) : {};
  const wall = valueAt(record, "CLOCK_CALENDAR");
  const qualifier = valueAt(record, "TIME_DATE_QUAL") as TableRecord | undefined;
  const shown = typeof wall === "number" ? wall : undefined;
  if (valueAt(record, "TIME_DATE_QUAL.GMT_FLAG") === true)
    return {
      shown,
      ...(shown === undefined ? {} : { difference: clockDifference(shown, span) }),
      placed: (time) => ({ instant: time, ambiguous: false }),
      wallOf: (instant) => instant,
      qualifier,
    };
  if (shown === undefined || localTime === undefined)
    return { shown: undefined, placed: () => undefined, wallOf: () => undefined, qualifier };
  const summer = qualifier?.DST_FLAG === true && qualifier.DST_APPLIED_FLAG === true ? HOUR_MS : 0;
  const standardMs = Math.round((shown - summer - now()) / QUARTER_MS) * QUARTER_MS;
  const rule = localRule(standardMs, localTime);
  const { instant } = rule.placed(shown);
  return { shown: instant, difference: clockDifference(instant, span), ...rule, qualifier };
}

/** Local time with a known standard offset and rule of summer time. */
export function localRule(standardMs: number, localTime: NonNullable<LocalTime>) {
  const offsetAt = (instant: number): number =>
    standardMs + (localTime.summerTime === "us" && isUsSummer(instant + standardMs) ? HOUR_MS : 0);
  return {
    wallOf: (instant: number): number => instant + offsetAt(instant),
    /** The earlier one of two in the hour that comes twice; of the hour that does not come, the instant an hour on. */
    placed: (wall: number): Placed => {
      const first = wall - standardMs - HOUR_MS;
      const second = wall - standardMs;
      const isFirst = first + offsetAt(first) === wall;
      return { instant: isFirst ? first : second, ambiguous: isFirst && second + offsetAt(second) === wall };
    },
  };
}
