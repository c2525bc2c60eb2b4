import { parseDescription } from "../c1219/description.ts";
import { readTable, type TableContext, type TableRecord, writeTable } from "../c1219/table-layout.ts";
import { ARMED } from "../c1222/client/tariff-tables.ts";
import type { C1222Profile } from "../metering/c1222-profile.ts";
import { CALENDAR_LAYOUT, MESSAGE_LAYOUT } from "../metering/us-calendar.ts";
import { WireError } from "../wire/wire-error.ts";
import type { MeterState } from "./meter-state.ts";
import { wallTime } from "./zone.ts";

/** The manufacturer's tables of a calendar that counts, one that waits, and the text of the display. */

const FIELDS = parseDescription(CALENDAR_LAYOUT);
const MESSAGE = parseDescription(MESSAGE_LAYOUT);
const name = (text: string): string => text.padEnd(8, " ");

/** As the meter leaves its factory: rate 2 on working days, rate 1 at weekends. */
const FACTORY: TableRecord = {
  CAL_NAME: name("FACTORY"),
  ARMED: ARMED.never,
  ACTIVATE_AT: 0,
  NBR_SEASONS: 1,
  NBR_WEEKS: 1,
  NBR_SWITCHES: 2,
  NBR_SPECIAL: 0,
  SEASONS: [{ NAME: name("S1"), MONTH: 1, DAY: 1, WEEK: name("W1") }],
  WEEKS: [{ NAME: name("W1"), DAYS: [2, 2, 2, 2, 2, 1, 1] }],
  SWITCHES: [
    { DAY: 1, MINUTE: 0, TIER: 1 },
    { DAY: 2, MINUTE: 0, TIER: 2 },
  ],
  SPECIAL: [],
};
const EMPTY: TableRecord = {
  ...FACTORY,
  CAL_NAME: name(""),
  ...{ NBR_SEASONS: 0, NBR_WEEKS: 0, NBR_SWITCHES: 0, SEASONS: [], WEEKS: [], SWITCHES: [] },
};

const list = (record: TableRecord, key: string) => record[key] as readonly Readonly<Record<string, unknown>>[];

/** Every week and day that it names is there, each day begins at midnight, and no tier is beyond what the meter has. */
function isWhole(record: TableRecord, tiers: number): boolean {
  const [seasons, weeks] = [list(record, "SEASONS"), list(record, "WEEKS")];
  const [switches, special] = [list(record, "SWITCHES"), list(record, "SPECIAL")];
  const weekNames = new Set(weeks.map(({ NAME }) => NAME));
  const dayIds = new Set(switches.flatMap(({ DAY, MINUTE }) => (MINUTE === 0 ? [DAY] : [])));
  return (
    seasons.length > 0 &&
    seasons.every(({ WEEK, MONTH, DAY }) => weekNames.has(WEEK) && inRange(MONTH, 12) && inRange(DAY, 31)) &&
    weeks.every(({ DAYS }) => (DAYS as readonly unknown[]).every((day) => dayIds.has(day))) &&
    switches.every(({ TIER, MINUTE }) => inRange(TIER, tiers) && (MINUTE as number) < 1440) &&
    special.every(({ DAY_ID, MONTH, DAY }) => dayIds.has(DAY_ID) && inRange(MONTH, 12) && inRange(DAY, 31))
  );
}
const inRange = (value: unknown, most: number): boolean => typeof value === "number" && value >= 1 && value <= most;

/** The tier that counts at an instant, by the record alone. */
function tierIn(record: TableRecord, { zone }: MeterState, instant: number): number {
  const { year, month, day, dayOfWeek, hour, minute } = wallTime(zone, instant);
  const begins = list(record, "SEASONS")
    .map(({ MONTH, DAY, WEEK }) => ({ at: (MONTH as number) * 100 + (DAY as number), week: WEEK }))
    .sort((left, right) => left.at - right.at);
  const { week } = begins.findLast(({ at }) => at <= month * 100 + day) ?? begins.at(-1) ?? {};
  const today = list(record, "SPECIAL").filter(({ MONTH, DAY }) => MONTH === month && DAY === day);
  const special = today.find(({ YEAR }) => YEAR === year) ?? today.find(({ YEAR }) => YEAR === 0);
  const days = list(record, "WEEKS").find(({ NAME }) => NAME === week)?.DAYS as readonly number[] | undefined;
  const dayId = special?.DAY_ID ?? days?.[dayOfWeek - 1];
  const now = hour * 60 + minute;
  const last = list(record, "SWITCHES")
    .filter(({ DAY, MINUTE }) => DAY === dayId && (MINUTE as number) <= now)
    .sort((left, right) => (left.MINUTE as number) - (right.MINUTE as number))
    .at(-1);
  return (last?.TIER as number | undefined) ?? 1;
}

export class C1222TariffTables {
  readonly #state: MeterState;
  readonly #profile: C1222Profile["c1222"];
  readonly #context: TableContext;
  readonly #hollow: boolean;
  #active = FACTORY;
  #pending = EMPTY;
  #message: TableRecord = { MESSAGE: "".padEnd(80, " ") };

  /** `hollow`: it acknowledges what is written and keeps what it had. */
  constructor(state: MeterState, { c1222 }: C1222Profile, context: TableContext, hollow: boolean) {
    this.#state = state;
    this.#profile = c1222;
    this.#context = context;
    this.#hollow = hollow;
  }

  #activate(at: number): void {
    const record = { ...this.#pending, ARMED: ARMED.never, ACTIVATE_AT: 0 };
    this.#active = record;
    this.#pending = EMPTY;
    this.#state.tariff.activate(at, (instant) => tierIn(record, this.#state, instant));
    this.#state.events.record("program.tariff-activated", at);
  }

  /** Looked at whenever somebody asks: a calendar whose time has come became active at that time. */
  look(): void {
    const { ARMED: armed, ACTIVATE_AT: at } = this.#pending;
    if (armed === ARMED.later && typeof at === "number" && this.#state.now() >= at) this.#activate(at);
  }

  read(id: number): Uint8Array | undefined {
    const { tariff, priceDisplay } = this.#profile;
    this.look();
    if (id === tariff?.active) return writeTable(FIELDS, this.#context, this.#active);
    if (id === tariff?.pending) return writeTable(FIELDS, this.#context, this.#pending);
    return id === priceDisplay?.table ? writeTable(MESSAGE, this.#context, this.#message) : undefined;
  }

  /** Undefined: another's table. Whole tables alone are taken. */
  write(id: number, offset: number | undefined, data: Uint8Array): "ok" | "onp" | "iar" | undefined {
    const { tariff, priceDisplay } = this.#profile;
    this.look();
    if (id !== tariff?.active && id !== tariff?.pending && id !== priceDisplay?.table) return undefined;
    if (offset !== undefined || id === tariff?.active) return "onp";
    try {
      if (id === priceDisplay?.table) {
        const message = readTable(MESSAGE, this.#context, data);
        if (!this.#hollow) this.#message = message;
        return "ok";
      }
      const record = readTable(FIELDS, this.#context, data);
      const { ARMED: armed, ACTIVATE_AT: at } = record;
      const late = armed === ARMED.later && (typeof at !== "number" || at <= this.#state.now());
      if (!isWhole(record, tariff?.tiers ?? 0) || late || !Object.values<unknown>(ARMED).includes(armed)) return "iar";
      if (this.#hollow) return "ok";
      this.#pending = record;
      if (armed === ARMED.now) this.#activate(this.#state.now());
      return "ok";
    } catch (error) {
      if (error instanceof WireError) return "iar";
      throw error;
    }
  }
}
