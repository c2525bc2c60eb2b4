import { parseDescription } from "../../c1219/description.ts";
import { type TableRecord, writeTable } from "../../c1219/table-layout.ts";
import { QUALIFIER } from "../../c1219/tables/decade-5.ts";
import type { C1222ClockSetting } from "../../metering/c1222-profile.ts";
import { type ClockedSet, checkSetsADay, clockStep } from "../../metering/clock-step.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import type { OperationResult } from "../../metering/result.ts";
import type { Clock } from "../../ports/clock.ts";
import type { MeterClock } from "./meter-clock.ts";
import type { Procedures } from "./procedures.ts";
import type { TableReader } from "./table-reader.ts";

/** Parameters of procedure 10: which of time, date and qualifier are set, and all three. */
export const SET_DATE_TIME = parseDescription(
  `SET_MASK : UINT8 { SET_TIME_FLAG : 0; SET_DATE_FLAG : 1; SET_TIME_DATE_QUAL : 2; };
   CLOCK_CALENDAR : LTIME_DATE;
   ${QUALIFIER}`,
);

export interface ClockParts {
  readonly reader: TableReader;
  readonly procedures: Procedures;
  readonly clock: Clock;
  /** The meter's clock, read anew. */
  readonly read: () => Promise<MeterClock>;
  readonly sets: readonly ClockedSet[];
  /** How often its own log says that it was set in the last 24 h. */
  readonly setsToday: () => Promise<number>;
}

/** Sets the meter's clock by its procedure where it is more wrong than the profile tolerates, and reads it again. */
export async function setClock(
  { reader, procedures, clock, read, sets, setsToday }: ClockParts,
  setting: C1222ClockSetting,
  order: Extract<Operation, { readonly kind: "setClock" }>,
): Promise<NonNullable<OperationResult["clockSet"]>> {
  const before = await read();
  const { shown, difference } = before;
  if (shown === undefined || difference === undefined)
    throw new SessionError("unsupported", "c1222.local-time", "expected a meter whose clock is an instant");
  const { clockOffsetMs: beforeMs, clockUncertaintyMs: uncertaintyMs } = difference;
  const { toleranceMs } = setting;
  const { due, over } = clockStep(order, sets, { offsetMs: beforeMs, uncertaintyMs, toleranceMs, shown });
  if (!due) return { beforeMs, afterMs: beforeMs };
  if (setting.stepMaxMs !== undefined && Math.abs(beforeMs) > setting.stepMaxMs)
    throw new SessionError(
      "unsafe",
      "c1222.clock-step",
      "the meter's clock is more wrong than may be set in one step",
      {
        detail: { beforeMs },
      },
    );
  checkSetsADay(order, await setsToday());
  const instant = Math.round((clock.now() + uncertaintyMs) / 1000) * 1000;
  const wall = before.wallOf(instant) ?? instant;
  const record: TableRecord = {
    SET_MASK: { SET_TIME_FLAG: true, SET_DATE_FLAG: true, SET_TIME_DATE_QUAL: false },
    CLOCK_CALENDAR: wall,
    TIME_DATE_QUAL: { ...before.qualifier, DAY_OF_WEEK: new Date(wall).getUTCDay() },
  };
  const answer = await procedures.run(setting.procedure, writeTable(SET_DATE_TIME, reader.context, record));
  if (answer.kind === "refused")
    throw new SessionError(answer.reason, answer.code, "the meter refused to set its clock", { retry: answer.retry });
  const after = await read();
  if (after.difference === undefined)
    throw new SessionError("protocol", "c1222.clock", "expected the clock to tell its time after it was set");
  const afterMs = after.difference.clockOffsetMs;
  return { beforeMs, afterMs, ...(over.length === 0 ? {} : { over: over.map(({ channelSet }) => channelSet) }) };
}
