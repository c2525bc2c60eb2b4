import { STANDARD_EVENTS } from "../c1219/event-codes.ts";
import type { TableRecord, TableValue } from "../c1219/table-layout.ts";
import type { C1222Profile, C1222PushSetting } from "../metering/c1222-profile.ts";
import { EVENTS } from "../metering/event-catalogue.ts";
import type { MeterState } from "./meter-state.ts";

/** What a client may set, by the elements of the manufacturer's tables; as JSON kept over a power cut. */
export type C1222PushValues = Readonly<Record<string, number>>;

/** What a meter pushes by itself, by its manufacturer's tables: nothing until somebody says so. */
export class C1222Pushes {
  readonly #state: MeterState;
  readonly #settings: readonly C1222PushSetting[];
  readonly #changed: () => void;
  #values: C1222PushValues;
  #looked: number;

  constructor(
    state: MeterState,
    { c1222 }: C1222Profile,
    kept: C1222PushValues = {},
    changed: () => void = () => undefined,
  ) {
    this.#state = state;
    this.#settings = c1222.pushes ?? [];
    this.#values = kept;
    this.#changed = changed;
    this.#looked = state.now();
  }

  get kept(): C1222PushValues {
    return this.#values;
  }
  get tables(): readonly number[] {
    return [...new Set(this.#settings.map(({ table }) => table))];
  }

  #elements(table: number): readonly string[] {
    return this.#settings.flatMap((setting) =>
      setting.table === table ? [setting.enabled, ...(setting.period ? [setting.period.element] : [])] : [],
    );
  }

  values(table: number): ReadonlyMap<string, number> {
    return new Map(this.#elements(table).map((element) => [element, this.#values[element] ?? 0]));
  }

  /** False: the record says something that this model does not do, and nothing changes. */
  write(table: number, record: TableRecord): boolean {
    const numberOf = (value: TableValue | undefined): number =>
      typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
    const next = Object.fromEntries(this.#elements(table).map((element) => [element, numberOf(record[element])]));
    for (const { enabled, period, table: own } of this.#settings) {
      if (own !== table) continue;
      const on = next[enabled];
      if (on !== 0 && on !== 1) return false;
      if (period === undefined) continue;
      const seconds = (next[period.element] ?? Number.NaN) * period.unitSeconds;
      const known = (period.periods as readonly number[]).includes(seconds);
      if (!known && (on === 1 || seconds !== 0)) return false;
    }
    this.#values = { ...this.#values, ...next };
    this.#changed();
    return true;
  }

  /** What is to be sent since this was last asked: tables, and exceptions by the standard's event codes. */
  due(): { readonly tables: readonly number[]; readonly exceptions: readonly number[] } {
    const now = this.#state.now();
    const before = this.#looked;
    this.#looked = now;
    const on = this.#settings.filter(({ enabled }) => this.#values[enabled] === 1);
    const tables = on.flatMap(({ period, tables: pushed }) => {
      const periodMs = period === undefined ? 0 : (this.#values[period.element] ?? 0) * period.unitSeconds * 1000;
      const due = periodMs > 0 && Math.floor(now / periodMs) > Math.floor(before / periodMs);
      return due ? pushed : [];
    });
    const exceptions = on.some(({ content }) => content === "alarms")
      ? this.#state.events.since(before).flatMap(({ event }) => {
          const code = Object.entries(STANDARD_EVENTS).find(([, name]) => name === event)?.[0];
          return code === undefined || EVENTS[event].severity !== "alarm" ? [] : [Number(code)];
        })
      : [];
    return { tables: [...new Set(tables)], exceptions };
  }
}
