import { type Field, parseDescription } from "../c1219/description.ts";
import { PROCEDURE_INITIATE_TABLE, PROCEDURE_RESPONSE_TABLE } from "../c1219/procedure.ts";
import { STANDARD_TABLES } from "../c1219/standard-tables.ts";
import { rangeOfIndex } from "../c1219/table-index.ts";
import { readTable, type TableRecord, type TableValue, writeTable } from "../c1219/table-layout.ts";
import { ProcedureTables } from "../c1222/server/procedure-tables.ts";
import type { ServerTables } from "../c1222/server/service-desk.ts";
import type { C1222Profile } from "../metering/c1222-profile.ts";
import { assert } from "../ports/errors.ts";
import { concat } from "../ports/octets.ts";
import { WireError } from "../wire/wire-error.ts";
import { type C1222Form, type C1222FormOptions, c1222Form, PARAMETERS_MAX } from "./c1222-form.ts";
import { C1222LoadProfiles } from "./c1222-load-profile.ts";
import { C1222Logs } from "./c1222-logs.ts";
import { c1222Procedures, type Pretences } from "./c1222-procedures.ts";
import type { C1222Pushes } from "./c1222-pushes.ts";
import { measuredBy } from "./c1222-quantities.ts";
import { c1222Registers } from "./c1222-registers.ts";
import { C1222TariffTables } from "./c1222-tariff.ts";
import { type Limiter, NO_LIMIT } from "./limiter.ts";
import { FREE_LEVEL } from "./load-relay.ts";
import type { MeterState } from "./meter-state.ts";

const UTILITY_TABLE = 6;
/** Number of the event *table written to* in the history log. */
const TABLE_WRITTEN = 10;

export interface C1222TablesOptions {
  readonly state: MeterState;
  readonly profile: C1222Profile;
  readonly serial: string;
  readonly seed: number;
  readonly form?: C1222FormOptions;
  readonly pretences: Pretences;
  readonly limiter: Limiter;
  readonly pushes: C1222Pushes;
}

/** A meter's tables, made when they are asked for, and what a test asks of them. */
export interface C1222Tables extends ServerTables {
  readonly form: C1222Form;
  readonly logs: C1222Logs;
  readonly loadProfiles: C1222LoadProfiles;
}

const identification = (serial: string): TableRecord => ({
  MANUFACTURER: "HRS ",
  ED_MODEL: "GENERIC ",
  HW_VERSION_NUMBER: 1,
  HW_REVISION_NUMBER: 0,
  FW_VERSION_NUMBER: 2,
  FW_REVISION_NUMBER: 4,
  MFG_SERIAL_NUMBER: serial,
});

/** A record of a manufacturer's layout in which every number is 0 but those at these elements. */
function recordOf(fields: readonly Field[], elements: ReadonlyMap<string, number>): TableRecord {
  return Object.fromEntries(
    fields.map(({ name, type }): [string, TableValue] => [
      name,
      type.kind === "simple" ? (elements.get(name) ?? 0) : type.kind === "bits" ? flagsOf(name, elements) : {},
    ]),
  );
}
const flagsOf = (field: string, elements: ReadonlyMap<string, number>): TableRecord =>
  Object.fromEntries(
    [...elements].flatMap(([path, value]): [string, TableValue][] =>
      path.startsWith(`${field}.`) ? [[path.slice(field.length + 1), value]] : [],
    ),
  );

/** Where switch and control point stand and what the load may be, by table and element. */
function ownElements(
  state: MeterState,
  { c1222 }: C1222Profile,
  limiter: Limiter,
): ReadonlyMap<number, ReadonlyMap<string, number>> {
  const found = new Map<number, Map<string, number>>();
  const put = (table: number, element: string, value: number): void => {
    found.set(table, (found.get(table) ?? new Map<string, number>()).set(element, value));
  };
  const { switch: relay, loadControl, powerLimit } = c1222;
  if (loadControl !== undefined) {
    const current = state.loadRelay?.current;
    const left = current?.to === undefined ? 0 : Math.ceil((current.to - state.trueNow()) / 60_000);
    const { table, level, minutesLeft } = loadControl.state;
    put(table, level, current !== undefined && "level" in current ? current.level : FREE_LEVEL);
    put(table, minutesLeft, left);
  }
  if (powerLimit !== undefined) {
    const { table, elements, noLimit } = powerLimit;
    const { thresholdNormal, minOver, minUnder, acts = { over: true, under: true } } = limiter.state;
    put(table, elements.watts, thresholdNormal === NO_LIMIT.thresholdNormal ? noLimit : thresholdNormal);
    put(table, elements.overSeconds, minOver);
    put(table, elements.underSeconds, minUnder);
    put(table, elements.acts, (acts.over ? 1 : 0) | (acts.under ? 2 : 0));
  }
  if (relay === undefined) return found;
  const positions = { connected: relay.state.closed, disconnected: relay.state.open, ready: relay.state.armed };
  put(relay.state.table, relay.state.element, positions[state.relay.state] ?? relay.state.open);
  if (relay.contact !== undefined) put(relay.contact.table, relay.contact.element, state.relay.closed ? 1 : 0);
  return found;
}

/** The tables of a meter as its device profile has them; the truth log is written before anything is encoded. */
export function c1222Tables({
  state,
  profile,
  serial,
  seed,
  form: options,
  pretences,
  limiter,
  pushes,
}: C1222TablesOptions): C1222Tables {
  const form = c1222Form(profile, options);
  const { context } = form;
  const measured = measuredBy(state, profile, seed);
  const loadProfiles = new C1222LoadProfiles(state, form, measured);
  const logs = new C1222Logs(state, profile);
  const procedures = new ProcedureTables({
    config: context.config,
    parametersMax: PARAMETERS_MAX,
    now: state.now,
    procedures: c1222Procedures(state, profile, form, logs, pretences, limiter),
  });
  const tariff = new C1222TariffTables(state, profile, context, pretences.hollowTariff ?? false);
  let utility = new Uint8Array(STANDARD_UTILITY_OCTETS).fill(0x20);
  const layouts = new Map(
    Object.entries(profile.c1222.layouts).map(([id, text]) => [Number(id), parseDescription(text)] as const),
  );
  const fieldsOf = (id: number): readonly Field[] | undefined => layouts.get(id) ?? STANDARD_TABLES.get(id)?.fields;
  const encode = (id: number, record: TableRecord): Uint8Array => {
    const fields = fieldsOf(id);
    assert(fields !== undefined, `table ${id} has a layout`);
    return writeTable(fields, context, record);
  };
  const clock = (): TableRecord => ({
    CLOCK_CALENDAR: Math.floor(state.now() / 1000) * 1000,
    TIME_DATE_QUAL: { DAY_OF_WEEK: new Date(state.now()).getUTCDay(), GMT_FLAG: true },
    STATUS: {},
  });
  const records: Readonly<Record<number, () => TableRecord>> = {
    ...Object.fromEntries([...form.limits].map(([id, record]) => [id, () => record])),
    1: () => identification(serial),
    3: () => ({ ED_MODE: 1, ED_STD_STATUS1: {}, ED_STD_STATUS2: 0, ED_MFG_STATUS: new Uint8Array(0) }),
    5: () => ({ IDENTIFICATION: serial }),
    ...c1222Registers(state, profile, form, measured),
    [profile.c1222.clock]: clock,
    63: () => loadProfiles.status(),
    ...logs.tables,
    ...Object.fromEntries(
      [...layouts].map(([id, fields]) => [
        id,
        () =>
          recordOf(fields, new Map([...(ownElements(state, profile, limiter).get(id) ?? []), ...pushes.values(id)])),
      ]),
    ),
  };
  const used = (context.tables.at(-1)?.STD_TBLS_USED ?? []) as readonly number[];
  const setOf = (id: number) => form.sets.find(({ table }) => table === id);

  const read = (id: number): Uint8Array | undefined => {
    if (!used.includes(id) && !layouts.has(id)) return undefined;
    switch (id) {
      case 0:
        return form.table0;
      case UTILITY_TABLE:
        return utility;
      case PROCEDURE_RESPONSE_TABLE:
        return procedures.response();
    }
    const calendar = tariff.read(id);
    if (calendar !== undefined) return calendar;
    const set = setOf(id);
    if (set !== undefined)
      return concat(...Array.from({ length: set.blocks }, (_, element) => loadProfiles.block(set, element)));
    const record = records[id];
    return record === undefined ? undefined : encode(id, record());
  };
  const setPush = (id: number, data: Uint8Array): "ok" | "iar" => {
    const fields = fieldsOf(id);
    try {
      if (fields === undefined || !pushes.write(id, readTable(fields, context, data))) return "iar";
    } catch (error) {
      if (error instanceof WireError) return "iar";
      throw error;
    }
    logs.done({ userId: 0, event: TABLE_WRITTEN, code: { number: id & 0x07ff, manufacturer: true } });
    return "ok";
  };
  const method = context.config.dataAccessMethod;
  const byOffset = method === 1 || method === 3;
  return {
    form,
    logs,
    loadProfiles,
    offsets: byOffset,
    read,
    part: (id, offset, count) => {
      const set = setOf(id);
      if (set === undefined || count !== set.blockOctets || offset % count !== 0 || offset / count >= set.blocks)
        return undefined;
      return loadProfiles.block(set, offset / count);
    },
    write: (id, offset, data) => {
      if (id === PROCEDURE_INITIATE_TABLE) return offset === undefined ? procedures.initiate(data) : "onp";
      if (pushes.tables.includes(id)) return offset === undefined ? setPush(id, data) : "onp";
      const calendar = tariff.write(id, offset, data);
      if (calendar === "ok")
        logs.done({ userId: 0, event: TABLE_WRITTEN, code: { number: id & 0x07ff, manufacturer: true } });
      if (calendar !== undefined) return calendar;
      if (id !== UTILITY_TABLE) return read(id) === undefined ? "iar" : "onp";
      const begin = offset ?? 0;
      if (begin + data.length > utility.length || (offset === undefined && data.length !== utility.length))
        return "iar";
      utility = utility.slice();
      utility.set(data, begin);
      logs.done({ userId: 0, event: TABLE_WRITTEN, code: { number: id, manufacturer: false } });
      return "ok";
    },
    ...(method < 2
      ? {}
      : {
          rangeOfIndex: (id: number, index: readonly number[], count: number) => {
            const set = setOf(id);
            if (
              set !== undefined &&
              index.length === 2 &&
              index[0] === 0 &&
              count === 1 &&
              (index[1] ?? 0) < set.blocks
            )
              return { offset: (index[1] ?? 0) * set.blockOctets, length: set.blockOctets };
            const octets = read(id);
            const fields = fieldsOf(id);
            if (octets === undefined || fields === undefined) return undefined;
            try {
              return rangeOfIndex(fields, context, octets, index, count);
            } catch (error) {
              if (error instanceof WireError) return undefined;
              throw error;
            }
          },
        }),
  };
}

/** Octets of table 6 with texts. */
const STANDARD_UTILITY_OCTETS = 230;
