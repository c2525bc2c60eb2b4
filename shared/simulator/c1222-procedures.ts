import { parseDescription } from "../c1219/description.ts";
import { PROCEDURE_RESULT, STANDARD_PROCEDURE } from "../c1219/procedure.ts";
import { readTable, type TableRecord, valueAt, writeTable } from "../c1219/table-layout.ts";
import { SET_DATE_TIME } from "../c1222/client/set-clock.ts";
import { type Procedure, type ProcedureOutcome, procedureName } from "../c1222/server/procedure-tables.ts";
import type { C1222Profile } from "../metering/c1222-profile.ts";
import { toHex } from "../ports/octets.ts";
import { WireError } from "../wire/wire-error.ts";
import type { C1222Form } from "./c1222-form.ts";
import type { C1222Logs } from "./c1222-logs.ts";
import { RELAY_REACTION_MS } from "./disconnect-switch.ts";
import { type Limiter, NO_LIMIT } from "./limiter.ts";
import { FREE_LEVEL } from "./load-relay.ts";
import type { MeterState } from "./meter-state.ts";

/** What procedure 10 answers. */
const OLD_AND_NEW = parseDescription("OLD : LTIME_DATE; NEW : LTIME_DATE;");
const DONE: ProcedureOutcome = { result: PROCEDURE_RESULT.completed };
const WRONG: ProcedureOutcome = { result: PROCEDURE_RESULT.invalidParameter };
const CONFLICT: ProcedureOutcome = { result: PROCEDURE_RESULT.conflictsWithSetup };
/** Bits of procedure 9. */
const DEMAND_RESET = 0x01;
const SELF_READ = 0x02;
/** Number of the event *procedure invoked* in the history log. */
const PROCEDURE_INVOKED = 9;
/** Lists of procedures 4 and 5: events, self-reads, load profile sets 1 to 4, history; 255: all. */
const LISTS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 255];

/** What a meter pretends, by its fault. */
export interface Pretences {
  /** Demand resets are acknowledged and not done. */
  readonly hollowReset: boolean;
  /** Orders to the switch are acknowledged and not done. */
  readonly hollowSwitch: boolean;
  /** Calendars are acknowledged and not kept. */
  readonly hollowTariff?: boolean;
}

/** The meter's procedures by name; each run is recorded in the history log. */
export function c1222Procedures(
  state: MeterState,
  { c1222 }: C1222Profile,
  form: C1222Form,
  logs: C1222Logs,
  { hollowReset, hollowSwitch }: Pretences,
  limiter: Limiter,
): ReadonlyMap<string, Procedure> {
  const found = new Map<string, Procedure>();
  const add = (number: number, manufacturer: boolean, run: Procedure): void => {
    found.set(procedureName({ number, manufacturer }), (parameters) => {
      logs.done({ userId: 0, event: PROCEDURE_INVOKED, code: { number, manufacturer } });
      return run(parameters);
    });
  };
  const resetDemand = (): void => {
    if (hollowReset) return;
    state.resets.reset(state.now());
    state.events.record("demand.reset");
  };
  const list: Procedure = ([which]) => (which !== undefined && LISTS.includes(which) ? DONE : WRONG);
  add(STANDARD_PROCEDURE.resetListPointers, false, list);
  add(STANDARD_PROCEDURE.updateLastReadEntry, false, (parameters) =>
    parameters.length === 3 ? list(parameters) : WRONG,
  );
  add(STANDARD_PROCEDURE.remoteReset, false, ([flags = 0, ...rest]) => {
    if (rest.length > 0 || flags === 0 || (flags & ~(DEMAND_RESET | SELF_READ)) !== 0) return WRONG;
    if ((flags & DEMAND_RESET) !== 0) resetDemand();
    return { ...DONE, data: Uint8Array.of(flags) };
  });
  const setDateTime: Procedure = (parameters) => {
    try {
      const record = readTable(SET_DATE_TIME, form.context, parameters);
      const wall = valueAt(record, "CLOCK_CALENDAR");
      const whole = ["SET_TIME_FLAG", "SET_DATE_FLAG"].every((flag) => valueAt(record, `SET_MASK.${flag}`) === true);
      if (typeof wall !== "number" || !whole) return WRONG;
      const before = state.now();
      state.clock.set(wall);
      return { ...DONE, data: writeTable(OLD_AND_NEW, form.context, { OLD: before, NEW: state.now() }) };
    } catch (error) {
      if (error instanceof WireError) return WRONG;
      throw error;
    }
  };
  add(STANDARD_PROCEDURE.setDateTime, false, setDateTime);
  const { demandReset, clockSetting, loadControl, powerLimit, switch: relay } = c1222;
  if (demandReset?.procedure.manufacturer === true)
    add(demandReset.procedure.number, true, (parameters) => {
      if (toHex(parameters) !== demandReset.parameters) return WRONG;
      resetDemand();
      return DONE;
    });
  const point = state.loadRelay;
  if (loadControl !== undefined && point !== undefined) {
    const layout = parseDescription(loadControl.parameters);
    add(loadControl.procedure.number, loadControl.procedure.manufacturer, (parameters) => {
      try {
        const order = readTable(layout, form.context, parameters);
        const [which, level, minutes] = ["CONTROL_POINT", "LEVEL", "DURATION"].map((part) => valueAt(order, part));
        if (which !== loadControl.controlPoint || typeof level !== "number" || typeof minutes !== "number")
          return WRONG;
        if (level > FREE_LEVEL) return WRONG;
        if (hollowSwitch) return DONE;
        point.hold(level, minutes === 0 ? undefined : state.trueNow() + minutes * 60_000);
        return DONE;
      } catch (error) {
        if (error instanceof WireError) return WRONG;
        throw error;
      }
    });
  }
  if (clockSetting?.procedure.manufacturer === true) add(clockSetting.procedure.number, true, setDateTime);
  if (relay !== undefined)
    add(relay.procedure.number, relay.procedure.manufacturer, (parameters) => {
      const order = toHex(parameters);
      if (order !== relay.open && order !== relay.close && order !== relay.arm) return WRONG;
      if (hollowSwitch) return DONE;
      const allowed = order === relay.open ? state.relay.remoteDisconnect() : state.relay.remoteReconnect();
      // The contact follows after a moment; until then the procedure has not ended.
      return allowed ? { ...DONE, at: state.now() + RELAY_REACTION_MS } : CONFLICT;
    });
  if (powerLimit !== undefined) {
    const fields = parseDescription(powerLimit.parameters);
    add(powerLimit.procedure.number, powerLimit.procedure.manufacturer, (parameters) => {
      const at = numbersIn(() => readTable(fields, form.context, parameters));
      if (at === undefined) return WRONG;
      const { watts, overSeconds, underSeconds, acts } = powerLimit.elements;
      const flags = at(acts);
      if (flags > 3) return WRONG;
      limiter.change({
        thresholdNormal: at(watts) === powerLimit.noLimit ? NO_LIMIT.thresholdNormal : at(watts),
        minOver: at(overSeconds),
        minUnder: at(underSeconds),
        acts: { over: (flags & 1) !== 0, under: (flags & 2) !== 0 },
      });
      return DONE;
    });
  }
  return found;
}

/** Numbers of a record by element; undefined: the parameters are none of this layout. */
function numbersIn(read: () => TableRecord): ((element: string) => number) | undefined {
  try {
    const record = read();
    return (element) => Number(valueAt(record, element));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
