import type { TableRecord, TableValue } from "../c1219/table-layout.ts";
import type { C1222Profile, C1222Register } from "../metering/c1222-profile.ts";
import { MEASUREMENTS } from "../metering/measurement.ts";
import { type C1222Form, SELF_READS } from "./c1222-form.ts";
import { atScaler, type Measured } from "./c1222-quantities.ts";
import { lastReset, type MeterState, resetCount } from "./meter-state.ts";
import { monthStarts, wallTime } from "./zone.ts";

const REGISTER_TABLE = 23;
/** Months in which a season begins. */
const SEASONS = [4, 10];

/** When the season began that the meter is in: then the one before it ended. */
const lastSeasonStart = (state: MeterState): number =>
  monthStarts(state.zone, state.now(), 12).findLast((at) => SEASONS.includes(wallTime(state.zone, at).month)) ?? 0;

const decimal = (value: number): TableValue => ({ mantissa: BigInt(value), exponent: 0 });

/** Registers of a model as its tables have them; the truth log is written before anything is encoded. */
export function c1222Registers(
  state: MeterState,
  profile: C1222Profile,
  form: C1222Form,
  measured: Measured,
): Readonly<Record<number, () => TableRecord>> {
  const { registers } = profile.c1222;
  const at = (table: number, element: string): C1222Register | undefined =>
    registers.find((one) => one.table === table && one.element === element);

  /** What stands at an element; zero where the profile maps nothing. `instant`: undefined: now, and logged. */
  const shown = (table: number, element: string, instant?: number) => {
    const register = at(table, element);
    if (register === undefined) return { value: 0, capturedAt: 0 };
    const found = measured(register.measurement, instant ?? state.now(), 0);
    const value = atScaler(found, register.scaler);
    // A table brings all of its registers: who reads it for its totals has not asked for the others.
    if (instant === undefined && (register.total || table !== REGISTER_TABLE))
      state.truth.registerServed({
        measurement: register.measurement,
        value: BigInt(value),
        scaler: register.scaler,
        servedAt: state.trueNow(),
        capturedAt: found.capturedAt,
      });
    return { value, capturedAt: found.capturedAt };
  };
  const block = (path: string, instant?: number): TableRecord => ({
    SUMMATIONS: Array.from({ length: form.summations }, (_, index) =>
      decimal(shown(23, `${path}.SUMMATIONS[${index}]`, instant).value),
    ),
    DEMANDS: Array.from({ length: form.demands }, (_, index) => {
      // An order sets the demand back at its very instant: what it ended is what stood just before.
      const before = instant === state.resets.state.lastAt ? instant - 1 : instant;
      const { value, capturedAt } = shown(23, `${path}.DEMANDS[${index}].DEMAND[0]`, before);
      return { EVENT_TIME: [capturedAt], DEMAND: [decimal(value)] };
    }),
    COINCIDENTS: [],
  });
  const registerData = (instant?: number): TableRecord => ({
    NBR_DEMAND_RESETS: resetCount(state) & 0xff,
    TOT_DATA_BLOCK: block("TOT_DATA_BLOCK", instant),
    TIER_DATA_BLOCK: Array.from({ length: form.tiers }, (_, tier) => block(`TIER_DATA_BLOCK[${tier}]`, instant)),
  });
  const endedAt = (instant: number): TableRecord => ({
    END_DATE_TIME: instant,
    REGISTER_DATA: registerData(instant),
  });
  const sources = registers.map((_, index) => index);
  const select = (table: number, element: (index: number) => string, count: number): number[] =>
    Array.from({ length: count }, (_, index) => {
      const register = at(table, element(index));
      return register === undefined ? 0 : registers.indexOf(register);
    });
  return {
    12: () => ({ UOM_ENTRY: registers.map(unitOfMeasure) }),
    13: () => ({ INTERVAL_VALUE: [{ INT_LENGTH: 15 }] }),
    16: () => ({
      SOURCES_LINK: sources.map(() => ({ UOM_ENTRY_FLAG: true, PULSE_ENGR_FLAG: true })),
    }),
    22: () => ({
      SUMMATION_SELECT: select(23, (index) => `TOT_DATA_BLOCK.SUMMATIONS[${index}]`, form.summations),
      DEMAND_SELECT: select(23, (index) => `TOT_DATA_BLOCK.DEMANDS[${index}].DEMAND[0]`, form.demands),
      MIN_OR_MAX_FLAGS: Array.from({ length: form.demands }, (_, index) => index),
      COINCIDENT_SELECT: [],
      COIN_DEMAND_ASSOC: [],
    }),
    23: () => registerData(),
    24: () => endedAt(lastSeasonStart(state)),
    25: () => endedAt(lastReset(state)),
    26: () => ({
      LIST_STATUS: {},
      NBR_VALID_ENTRIES: SELF_READS,
      LAST_ENTRY_ELEMENT: SELF_READS - 1,
      LAST_ENTRY_SEQ_NBR: 0,
      NBR_UNREAD_ENTRIES: 0,
      SELF_READ: monthStarts(state.zone, state.now(), SELF_READS).map(endedAt),
    }),
    27: () => ({
      PRESENT_DEMAND_SELECT: [],
      PRESENT_VALUE_SELECT: select(28, (index) => `PRESENT_VALUE[${index}]`, form.presentValues),
    }),
    28: () => ({
      PRESENT_DEMAND: [],
      PRESENT_VALUE: Array.from({ length: form.presentValues }, (_, index) =>
        decimal(shown(28, `PRESENT_VALUE[${index}]`).value),
      ),
    }),
  };
}

/** ID_CODE of a unit; what no source tells is marked as not following the standard. */
const ID_CODES: Readonly<Record<string, number>> = { W: 0, Wh: 0, var: 1, varh: 1, VA: 2, VAh: 2, V: 8, A: 12 };
const TIME_BASE = { dialReading: 0, instantaneous: 1, blockDemand: 4 } as const;

function unitOfMeasure({ measurement }: C1222Register): TableRecord {
  const { unit, cumulative } = MEASUREMENTS[measurement];
  const code = ID_CODES[unit];
  const received = measurement.includes(".export.");
  return {
    ID_CODE: code ?? 0,
    TIME_BASE: cumulative
      ? TIME_BASE.dialReading
      : measurement.startsWith("demand.")
        ? TIME_BASE.blockDemand
        : TIME_BASE.instantaneous,
    Q1_ACCOUNTABILITY: !received,
    Q2_ACCOUNTABILITY: received,
    Q3_ACCOUNTABILITY: received,
    Q4_ACCOUNTABILITY: !received,
    NFS: code === undefined,
  };
}
