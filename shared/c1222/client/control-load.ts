import { parseDescription } from "../../c1219/description.ts";
import { valueAt, writeTable } from "../../c1219/table-layout.ts";
import type { C1222LoadControl, C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { LoadControl, LoadControlState } from "../../metering/load-control.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Procedures } from "./procedures.ts";
import { integerIn } from "./read-registers.ts";
import type { TableReader } from "./table-reader.ts";

const MINUTE_MS = 60_000;
const MINUTES_MAX = 0xffff;
/** The level of a load that does as it likes. */
const FREE = 100;

export interface LoadControlParts {
  readonly reader: TableReader;
  readonly procedures: Procedures;
  readonly clock: Clock;
  readonly profile: C1222Profile["c1222"];
  /** Asked right before the procedure is run; throws where it may not be. */
  readonly mayChange: () => Promise<void>;
}

/** Level and whole minutes of an order. Throws `SessionError`. */
function orderOf(
  point: C1222LoadControl,
  control: LoadControl,
  now: number,
): { readonly level: number; readonly minutes: number } {
  if (control.mode === "release") return { level: FREE, minutes: 0 };
  if (control.until <= now) throw new SessionError("refused", "load-control.over", "the control is over");
  if (control.mode === "limit")
    throw new SessionError("unsupported", "c1222.load-limit", "this model sheds by level and knows no watts");
  const minutes = Math.ceil((control.until - now) / MINUTE_MS);
  if (minutes > MINUTES_MAX)
    throw new SessionError("unsupported", "c1222.load-duration", `expected at most ${MINUTES_MAX} minutes`);
  if (control.mode === "off") return { level: 0, minutes };
  if (control.periodSeconds !== point.cyclePeriod)
    throw new SessionError(
      "unsupported",
      "c1222.load-cycle",
      point.cyclePeriod === undefined
        ? "this model does not cycle"
        : `this model cycles each ${point.cyclePeriod} s, got ${control.periodSeconds} s`,
    );
  return { level: Math.round(FREE * (1 - control.offSeconds / control.periodSeconds)), minutes };
}

/** Runs the direct load control of the profile, and reads what its control point shows then. Throws `SessionError`. */
export async function controlLoad(
  { reader, procedures, clock, profile, mayChange }: LoadControlParts,
  control: LoadControl,
): Promise<LoadControlState> {
  const { loadControl: point } = profile;
  if (point === undefined)
    throw new SessionError("unsupported", "profile.no-load-control", "the device profile describes no load control");
  if (profile.access.security === "clear")
    throw new SessionError("unsafe", "c1222.unproved-session", "expected messages that the meter's own key secures");
  const { level, minutes } = orderOf(point, control, clock.now());
  const parameters = writeTable(parseDescription(point.parameters), reader.context, {
    CONTROL_POINT: point.controlPoint,
    LEVEL: level,
    DURATION: minutes,
  });
  await mayChange();
  const answer = await procedures.run(point.procedure, parameters);
  if (answer.kind === "refused")
    throw new SessionError(answer.reason, answer.code, "the meter refused to control its load", {
      retry: answer.retry,
    });
  const state = await shownState(reader, point);
  // The minutes begin to run down at once.
  if (state.level !== level || Math.abs(state.minutesLeft - minutes) > 1)
    throw new SessionError("refused", "c1222.load-not-moved", "the meter accepted the control and shows another", {
      detail: { level: state.level, minutesLeft: state.minutesLeft },
    });
  if (control.mode === "release") return { shows: "released" };
  return { shows: level === 0 ? "off" : "cycling", until: control.until };
}

async function shownState(
  reader: TableReader,
  { state }: C1222LoadControl,
): Promise<{ readonly level: number; readonly minutesLeft: number }> {
  const answer = (await reader.readRecords([state.table])).get(state.table);
  const at = (element: string): number => {
    const value = answer?.kind === "record" ? integerIn(valueAt(answer.record, element)) : undefined;
    if (value === undefined)
      throw new SessionError("unsupported", "c1222.load-control-unread", "the meter does not show its control point");
    return Number(value.value) * 10 ** value.exponent;
  };
  return { level: at(state.level), minutesLeft: at(state.minutesLeft) };
}
