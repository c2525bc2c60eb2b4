import { type ClockedSet, checkSetsADay, clockStep } from "../../metering/clock-step.ts";
import type { DlmsClockSetting } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { OperationResult } from "../../metering/result.ts";
import { CLOCK_STATUS, type DateTime, dateTimeAt } from "../date-time.ts";
import { Clock } from "../objects/clock.ts";
import { attributeOf, methodOf } from "../objects/interface-class.ts";
import { requireSuccess } from "./action-answer.ts";
import type { MeterTime } from "./meter-time.ts";
import { requireProof } from "./proven-session.ts";
import type { DlmsSession } from "./session.ts";

type SetClock = Extract<Operation, { readonly kind: "setClock" }>;

/** What shift_time takes at most, s. */
const SHIFT_MAX_S = 900;
/** Shifts one after the other: farther off, a clock is written or left alone. */
const SHIFTS_MAX = 8;
/** How far off a clock may be after it was set, ms: writing has a second's resolution, and the answer takes its time. */
const SET_TOLERANCE_MS = 2_000;

export interface ClockReads {
  /** Reads the meter's clock anew: meter clock minus ours, ms, give or take, and how it counts. */
  offset(): Promise<{ readonly offsetMs: number; readonly uncertaintyMs: number; readonly time: MeterTime }>;
  /** How often its own log says that it was set in the last 24 h. */
  setsToday(): Promise<number>;
  readonly now: () => number;
}

/** Whether the entries of the load profiles say that the clock was adjusted. */
export const clockedSets = ({ loadProfiles }: DlmsProfile["dlms"]): readonly ClockedSet[] =>
  loadProfiles.map(({ channelSet, period, status, statusBits }) => ({
    channelSet,
    period,
    marked: status !== undefined && Object.values(statusBits).includes("clockAdjusted"),
  }));

/** The time of `instant` as the meter itself would write it, summer time marked. */
function ownTime({ sign, deviation, standardDeviation }: MeterTime, instant: number): DateTime {
  const minutes = deviation ?? standardDeviation ?? 0;
  const summer = standardDeviation !== undefined && minutes !== standardDeviation;
  return dateTimeAt(instant, minutes, { sign, clockStatus: summer ? CLOCK_STATUS.daylightSavingActive : 0 });
}

const shiftsFor = (offsetMs: number): readonly number[] => {
  const shifts: number[] = [];
  for (let left = -Math.round(offsetMs / 1000); left !== 0; ) {
    const step = Math.max(-SHIFT_MAX_S, Math.min(SHIFT_MAX_S, left));
    shifts.push(step);
    left -= step;
  }
  return shifts;
};

/** Whether this difference is shifted away, or the time is written. Throws `SessionError` `dlms.clock-too-far`. */
function shifted(setting: DlmsClockSetting, offsetMs: number): boolean {
  if (setting.method === "write") return false;
  const steps = Math.ceil(Math.abs(offsetMs) / 1000 / SHIFT_MAX_S);
  if (setting.method === "shift-or-write") return steps <= 1;
  if (steps > SHIFTS_MAX)
    throw new SessionError(
      "unsupported",
      "dlms.clock-too-far",
      "the clock is farther off than this model can be shifted",
      {
        detail: { offsetMs },
      },
    );
  return true;
}

/**
 * Sets the meter's clock to ours, as the profile allows it. Answers meter clock minus ours before and after, ms; nothing
 * is sent where it is within the profile's tolerance. Throws `SessionError`.
 */
export async function setClock(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
  order: SetClock,
  reads: ClockReads,
): Promise<NonNullable<OperationResult["clockSet"]>> {
  const { clockSetting: setting, clock } = profile;
  if (setting === undefined)
    throw new SessionError("unsupported", "profile.no-clock-setting", "the device profile does not say how to set it");
  requireProof(profile);
  const { offsetMs: beforeMs, uncertaintyMs, time } = await reads.offset();
  const { toleranceMs } = setting;
  const { due, over } = clockStep(order, clockedSets(profile), {
    offsetMs: beforeMs,
    uncertaintyMs,
    toleranceMs,
    shown: reads.now() + beforeMs,
  });
  if (!due) return { beforeMs, afterMs: beforeMs };
  checkSetsADay(order, await reads.setsToday());
  if (shifted(setting, beforeMs)) {
    for (const seconds of shiftsFor(beforeMs)) {
      const { result } = await session.invoke(methodOf(Clock, Clock.methods.shiftTime, clock), seconds);
      requireSuccess("shift_time", result);
    }
  } else {
    const written = await session.write(
      attributeOf(Clock, Clock.attributes.time, clock),
      ownTime(time, reads.now() + uncertaintyMs),
    );
    requireSuccess("its time", written);
  }
  const { offsetMs: afterMs } = await reads.offset();
  if (Math.abs(afterMs) > Math.max(setting.toleranceMs, SET_TOLERANCE_MS))
    throw new SessionError("refused", "dlms.clock-not-set", "the meter accepted another time and does not show it", {
      detail: { beforeMs, afterMs },
    });
  return { beforeMs, afterMs, ...(over.length === 0 ? {} : { over: over.map(({ channelSet }) => channelSet) }) };
}
