import type { DlmsLoadControl } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { LoadControl, LoadControlState } from "../../metering/load-control.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CosemDate, CosemTime, DateTime } from "../date-time.ts";
import { CONTROL_STATE, DisconnectControl } from "../objects/disconnect-control.ts";
import { attributeOf, methodOf } from "../objects/interface-class.ts";
import { Limiter } from "../objects/limiter.ts";
import { ScriptTable } from "../objects/script-table.ts";
import { SINGLE_ACTION_SCHEDULE_TYPE, SingleActionSchedule } from "../objects/single-action-schedule.ts";
import { requireSuccess } from "./action-answer.ts";
import { requireProof } from "./proven-session.ts";
import type { Answer, DlmsSession } from "./session.ts";

type Timed = Exclude<LoadControl, { readonly mode: "release" }>;
type Times = readonly { readonly time: CosemTime; readonly date: CosemDate }[];

export interface LoadControlParts {
  readonly clock: Clock;
  /** An instant as the meter's own clock writes it. */
  readonly wall: (instant: number) => DateTime;
  /** Asked right before anything is written; throws where nothing may be. */
  readonly mayChange: () => Promise<void>;
}

/** Turns of the relay that one order may plan: what a meter keeps of execution times is not told by its companion. */
const TURNS_MAX = 48;
/** How often, and how long apart, the relay is looked at until it is where it was told to be. */
const LOOKS = 5;
const LOOK_MS = 200;
/** The emergency profile that load control uses of its own limiter. */
const PROFILE_ID = 1;

const refused = (code: string, message: string): SessionError => new SessionError("refused", code, message);
const unsafe = (code: string, message: string): SessionError => new SessionError("unsafe", code, message);

/** What the meter has to show before anything is written to it. Throws `SessionError`. */
function shown<T>(what: string, answer: Answer<unknown> | undefined): T {
  if (answer?.kind === "value") return answer.value as T;
  throw new SessionError("unsupported", "dlms.load-control-unread", `the meter does not show ${what}`);
}

interface Scripts {
  readonly scriptIdentifier: number;
  readonly actions: readonly { readonly classId: number; readonly logicalName: string; readonly index: number }[];
}

/**
 * Whether the table's scripts move the load relay and nothing else: a script that named the supply's control would cut the
 * house. Throws `SessionError` `unsafe`.
 */
function checkScripts({ relay, scripts }: DlmsLoadControl, table: readonly Scripts[]): void {
  const { remoteDisconnect, remoteReconnect } = DisconnectControl.methods;
  for (const [script, { id }] of [
    [scripts.off, remoteDisconnect],
    [scripts.on, remoteReconnect],
  ] as const) {
    const found = table.find(({ scriptIdentifier }) => scriptIdentifier === script);
    const own =
      found?.actions.length === 1 &&
      found.actions.every(
        (action) => action.classId === DisconnectControl.classId && action.logicalName === relay && action.index === id,
      );
    if (!own) throw unsafe("dlms.load-script", `expected script ${script} to move ${relay} and nothing else`);
  }
}

/** Instants at which the relay is turned off and on after the first time. Throws `SessionError` `unsupported`. */
function turns(control: Timed, now: number): { readonly off: readonly number[]; readonly on: readonly number[] } {
  if (control.mode === "limit") return { off: [], on: [] };
  if (control.mode === "off") return { off: [], on: [control.until] };
  const off: number[] = [];
  const on: number[] = [];
  for (let at = now; at < control.until; at += control.periodSeconds * 1000) {
    if (at > now) off.push(at);
    on.push(Math.min(at + control.offSeconds * 1000, control.until));
  }
  if (on.length > TURNS_MAX)
    throw new SessionError("unsupported", "dlms.load-turns", `expected at most ${TURNS_MAX} turns, got ${on.length}`);
  return { off, on };
}

/**
 * Tells the load relay of the meter what to do, and the meter itself when to end it: schedules first, so that nothing that
 * breaks off leaves a load off for good. Answers what relay, schedules and limiter then show. Throws `SessionError`.
 */
export async function controlLoad(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
  { clock, wall, mayChange }: LoadControlParts,
  control: LoadControl,
): Promise<LoadControlState> {
  const { loadControl: point } = profile;
  if (point === undefined)
    throw new SessionError("unsupported", "profile.no-load-control", "the device profile describes no load control");
  requireProof(profile);
  const limited = control.mode === "limit";
  if (limited && point.limiter === undefined)
    throw new SessionError("unsupported", "profile.no-load-limiter", "the device profile describes no load limiter");
  const now = Math.floor(clock.now() / 1000) * 1000;
  if (control.mode !== "release" && control.until <= now) throw refused("load-control.over", "the control is over");
  await check(session, point);

  const plan = control.mode === "release" ? { off: [], on: [] } : turns(control, now);
  const times = (instants: readonly number[]): Times =>
    instants.map((instant) => {
      const { year, month, dayOfMonth, dayOfWeek, hour, minute, second } = wall(instant);
      return { time: { hour, minute, second, hundredths: 0 }, date: { year, month, dayOfMonth, dayOfWeek } };
    });
  const written = { off: times(plan.off), on: times(plan.on) };
  await mayChange();
  for (const way of ["on", "off"] as const) await schedule(session, point, way, written[way]);
  if (point.limiter !== undefined)
    await limit(session, point.limiter, wall, now, control.mode === "limit" ? control : undefined);

  const off = control.mode === "off" || control.mode === "cycle";
  const { remoteDisconnect, remoteReconnect } = DisconnectControl.methods;
  const { result } = await session.invoke(
    methodOf(DisconnectControl, off ? remoteDisconnect : remoteReconnect, point.relay),
    0,
  );
  requireSuccess("to move its load relay", result);
  // A limiter may shed the load by itself at once.
  if (!limited) await settled(session, clock, point, off ? CONTROL_STATE.disconnected : CONTROL_STATE.connected);
  await compare(session, point, written, limited ? control.watts : undefined);
  if (control.mode === "release") return { shows: "released" };
  return { shows: ({ off: "off", cycle: "cycling", limit: "limited" } as const)[control.mode], until: control.until };
}

async function check(session: DlmsSession, point: DlmsLoadControl): Promise<void> {
  const [table, actions] = await session.readAll([
    attributeOf(ScriptTable, ScriptTable.attributes.scripts, point.scriptTable),
    ...(point.limiter === undefined ? [] : [attributeOf(Limiter, Limiter.attributes.actions, point.limiter)]),
  ]);
  checkScripts(point, shown<readonly Scripts[]>("its scripts", table));
  if (point.limiter === undefined) return;
  const { actionOverThreshold, actionUnderThreshold } = shown<{
    actionOverThreshold: { scriptLogicalName: string; scriptSelector: number };
    actionUnderThreshold: { scriptLogicalName: string; scriptSelector: number };
  }>("what its load limiter does", actions);
  const own =
    actionOverThreshold.scriptLogicalName === point.scriptTable &&
    actionOverThreshold.scriptSelector === point.scripts.off &&
    actionUnderThreshold.scriptLogicalName === point.scriptTable &&
    actionUnderThreshold.scriptSelector === point.scripts.on;
  if (!own) throw unsafe("dlms.load-limiter", "expected a limiter that moves the load relay and nothing else");
}

async function schedule(
  session: DlmsSession,
  point: DlmsLoadControl,
  way: "off" | "on",
  executionTime: Times,
): Promise<void> {
  const at = point.schedules[way];
  const { attributes } = SingleActionSchedule;
  const executedScript = { scriptLogicalName: point.scriptTable, scriptSelector: point.scripts[way] };
  // Nothing is planned while the script is another's.
  requireSuccess(
    "its load schedule",
    await session.write(attributeOf(SingleActionSchedule, attributes.executionTime, at), []),
  );
  requireSuccess(
    "its load script",
    await session.write(attributeOf(SingleActionSchedule, attributes.executedScript, at), executedScript),
  );
  if (executionTime.length === 0) return;
  requireSuccess(
    "the type of its load schedule",
    await session.write(
      attributeOf(SingleActionSchedule, attributes.type, at),
      SINGLE_ACTION_SCHEDULE_TYPE["n-times-any-time-wildcards-not-allowed"],
    ),
  );
  requireSuccess(
    "its load schedule",
    await session.write(attributeOf(SingleActionSchedule, attributes.executionTime, at), [...executionTime]),
  );
}

async function limit(
  session: DlmsSession,
  limiter: string,
  wall: (instant: number) => DateTime,
  now: number,
  control: Extract<LoadControl, { readonly mode: "limit" }> | undefined,
): Promise<void> {
  const { attributes } = Limiter;
  if (control !== undefined) {
    requireSuccess(
      "its load threshold",
      await session.write(attributeOf(Limiter, attributes.thresholdEmergency, limiter), {
        type: "double-long-unsigned",
        value: control.watts,
      }),
    );
    requireSuccess(
      "its profile group",
      await session.write(attributeOf(Limiter, attributes.emergencyProfileGroupIdList, limiter), [PROFILE_ID]),
    );
  }
  requireSuccess(
    "its emergency profile",
    await session.write(attributeOf(Limiter, attributes.emergencyProfile, limiter), {
      emergencyProfileId: PROFILE_ID,
      emergencyActivationTime: wall(now),
      emergencyDuration: control === undefined ? 0 : (control.until - now) / 1000,
    }),
  );
}

/** Looks until the relay is where it was told to be. Throws `SessionError` `refused`. */
async function settled(session: DlmsSession, clock: Clock, point: DlmsLoadControl, wanted: number): Promise<void> {
  const { attributes } = DisconnectControl;
  for (let look = 1; ; look++) {
    const [contact, state] = await session.readAll([
      attributeOf(DisconnectControl, attributes.outputState, point.relay),
      attributeOf(DisconnectControl, attributes.controlState, point.relay),
    ]);
    const closed = wanted === CONTROL_STATE.connected;
    if (shown("its load relay", contact) === closed && shown("its load relay", state) === wanted) return;
    if (look === LOOKS)
      throw refused("dlms.load-not-moved", "the meter accepted the control and its load relay did not move");
    await clock.sleep(LOOK_MS);
  }
}

/** Reads the schedules and the limit back. Throws `SessionError` `refused`. */
async function compare(
  session: DlmsSession,
  point: DlmsLoadControl,
  written: { readonly off: Times; readonly on: Times },
  watts: number | undefined,
): Promise<void> {
  const { executionTime } = SingleActionSchedule.attributes;
  const [off, on, active] = await session.readAll([
    attributeOf(SingleActionSchedule, executionTime, point.schedules.off),
    attributeOf(SingleActionSchedule, executionTime, point.schedules.on),
    ...(point.limiter === undefined || watts === undefined
      ? []
      : [attributeOf(Limiter, Limiter.attributes.thresholdActive, point.limiter)]),
  ]);
  const same = (answer: Answer<unknown> | undefined, times: Times): boolean => {
    const read = shown<Times>("its load schedule", answer);
    return read.length === times.length && read.every((each, index) => sameTurn(each, times[index]));
  };
  if (!same(off, written.off) || !same(on, written.on))
    throw refused("dlms.load-schedule", "the meter accepted a schedule and shows another");
  if (watts === undefined) return;
  const { value } = shown<{ readonly value: unknown }>("its load threshold", active);
  if (Number(value) !== watts) throw refused("dlms.load-limit", "the meter accepted a limit and another is in force");
}

const sameTurn = (read: Times[number], planned: Times[number] | undefined): boolean =>
  planned !== undefined &&
  (["hour", "minute", "second"] as const).every((part) => read.time[part] === planned.time[part]) &&
  (["year", "month", "dayOfMonth"] as const).every((part) => read.date[part] === planned.date[part]);
