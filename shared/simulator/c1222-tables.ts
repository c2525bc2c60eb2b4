import { contextOf, readGenConfig, STANDARD_TABLES } from "../c1219/standard-tables.ts";
import {
  layoutOctets,
  readTable,
  type TableContext,
  type TableRecord,
  type TableValue,
  writeElement,
  writeTable,
} from "../c1219/table-layout.ts";
import type { ServerTables } from "../c1222/server/service-desk.ts";
import type { Measurement } from "../metering/measurement.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { assert } from "../ports/errors.ts";
import { concat } from "../ports/octets.ts";
import { STEP_MS } from "./load-model.ts";
import { lastCaptured, type MeterState, maxDemand, resetCount } from "./meter-state.ts";
import { intervalStatus } from "./truth-log.ts";

/** Blocks of the load profile, and intervals of each: 30 days of quarter-hours. */
export const BLOCKS = 30;
export const INTERVALS_A_BLOCK = 96;
const LOAD_PROFILE = 64;
const BLOCK = "LP_DATA_BLK";
const STD_TABLES = [0, 1, 3, 7, 8, 11, 12, 16, 21, 22, 23, 27, 28, 52, 61, 62, 63, 64];
const STATUS_BITS = [
  [INTERVAL_STATUS.daylightSaving, 0x10],
  [INTERVAL_STATUS.clockAdjusted, 0x40],
] as const;

const setOctets = (members: readonly number[], octets: number): Uint8Array => {
  const set = new Uint8Array(octets);
  for (const member of members) set[member >> 3]! |= 1 << (member & 7);
  return set;
};
/** Table 0: little-endian, ISO 7-bit, times in seconds since 1970, INT48 and INT32 numbers. */
function genConfig(): Uint8Array {
  const octets = (Math.max(...STD_TABLES) >> 3) + 1;
  const head = [0x02, 0x0c, 0x8a, 0x48, 0x52, 0x53, 0x31, 2, 0, 16, 255, 2, 0, octets, 0, 4, 0, 0, 0];
  return concat(Uint8Array.from(head), setOctets(STD_TABLES, octets), setOctets([9, 21], 4), setOctets([7], octets));
}

const decimal = (value: number, exponent = 0): TableValue => ({ mantissa: BigInt(value), exponent });
const LIMITS: Readonly<Record<number, TableRecord>> = {
  11: {
    SOURCE_FLAGS: { BLOCK_DEMAND_FLAG: true },
    NBR_UOM_ENTRIES: 4,
    NBR_DEMAND_CTRL_ENTRIES: 0,
    DATA_CTRL_LENGTH: 0,
    NBR_DATA_CTRL_ENTRIES: 0,
    NBR_CONSTANTS_ENTRIES: 0,
    CONSTANTS_SELECTOR: 2,
    NBR_SOURCES: 4,
  },
  21: {
    REG_FUNC1_FLAGS: { DATE_TIME_FIELD_FLAG: true, DEMAND_RESET_CTR_FLAG: true },
    REG_FUNC2_FLAGS: {},
    NBR_SELF_READS: 0,
    NBR_SUMMATIONS: 2,
    NBR_DEMANDS: 1,
    NBR_COIN_VALUES: 0,
    NBR_OCCUR: 1,
    NBR_TIERS: 0,
    NBR_PRESENT_DEMANDS: 0,
    NBR_PRESENT_VALUES: 1,
  },
  61: {
    LP_MEMORY_LEN: 65_536,
    LP_FLAGS: { EXTENDED_INT_STATUS_FLAG: true, SIMPLE_INT_STATUS_FLAG: true },
    LP_FMATS: { INV_UINT32_FLAG: true },
    SET1: { NBR_BLKS: BLOCKS, NBR_BLK_INTS: INTERVALS_A_BLOCK, NBR_CHNS: 2, MAX_INT_TIME: STEP_MS / 60_000 },
  },
  62: {
    SET1: {
      CHANNELS: [0, 1].map((source) => ({
        CHNL_FLAG: {},
        LP_SOURCE_SELECT: source,
        END_BLK_RDG_SOURCE_SELECT: source,
      })),
      INT_FMT_CDE: 4,
    },
  },
};

/** Units of the sources: delivered and received Wh as dial readings, W as block demand, volts of a moment. */
const UOM: readonly TableRecord[] = [
  { ID_CODE: 0, TIME_BASE: 0, Q1_ACCOUNTABILITY: true, Q4_ACCOUNTABILITY: true },
  { ID_CODE: 0, TIME_BASE: 0, Q2_ACCOUNTABILITY: true, Q3_ACCOUNTABILITY: true },
  { ID_CODE: 0, TIME_BASE: 4, Q1_ACCOUNTABILITY: true, Q4_ACCOUNTABILITY: true },
  { ID_CODE: 8, TIME_BASE: 1 },
];

interface Form {
  readonly table0: Uint8Array;
  readonly context: TableContext;
}
let form: Form | undefined;

/** What all these meters have alike: table 0, and what the layouts of the other tables depend on. Made once. */
function formOf(): Form {
  if (form !== undefined) return form;
  const table0 = genConfig();
  const base = readGenConfig(table0);
  assert(base !== undefined, "the meter's own table 0 can be read");
  const read = new Map<number, TableRecord>([[0, base.tables.at(-1) ?? {}]]);
  let context: TableContext = base;
  for (const [id, record] of Object.entries(LIMITS)) {
    const fields = STANDARD_TABLES.get(Number(id))?.fields ?? [];
    // As a client reads them: with every flag said.
    read.set(Number(id), readTable(fields, context, writeTable(fields, context, record)));
    context = contextOf(base, read);
  }
  form = { table0, context };
  return form;
}

/** The tables of a household's meter, made when they are asked for; the truth log is written before anything is encoded. */
export function c1222Tables(state: MeterState, serial: string): ServerTables {
  const { table0, context } = formOf();
  const encode = (id: number, record: TableRecord): Uint8Array => {
    const table = STANDARD_TABLES.get(id);
    assert(table !== undefined, `table ${id} has a layout`);
    return writeTable(table.fields, context, record);
  };
  const profileFields = STANDARD_TABLES.get(LOAD_PROFILE)?.fields ?? [];
  const blockOctets = layoutOctets(profileFields, context, BLOCK);

  const served = (measurement: Measurement, value: number, scaler: number, capturedAt: number): number => {
    state.truth.registerServed({ measurement, value: BigInt(value), scaler, servedAt: state.trueNow(), capturedAt });
    return value;
  };
  const registers = (): TableRecord => {
    const capturedAt = lastCaptured(state);
    const { importWh, exportWh } = state.load.energyAt(capturedAt);
    const { powerW, end } = maxDemand(state);
    return {
      NBR_DEMAND_RESETS: resetCount(state) & 0xff,
      TOT_DATA_BLOCK: {
        SUMMATIONS: [
          decimal(served("energy.active.import.total", importWh, 0, capturedAt)),
          decimal(served("energy.active.export.total", exportWh, 0, capturedAt)),
        ],
        DEMANDS: [{ EVENT_TIME: [end], DEMAND: [decimal(powerW)] }],
        COINCIDENTS: [],
      },
      TIER_DATA_BLOCK: [],
    };
  };

  /** Number of the interval that ends at `end`; a block holds those of one UTC day. */
  const sequence = (end: number): number => end / STEP_MS - 1;
  const newestSequence = (): number => sequence(lastCaptured(state));
  const status = (): TableRecord => {
    const newest = newestSequence();
    const block = Math.floor(newest / INTERVALS_A_BLOCK);
    const last = lastCaptured(state);
    const first = ((block - BLOCKS + 1) * INTERVALS_A_BLOCK + 1) * STEP_MS;
    state.truth.profileServed(state.trueNow(), first, last);
    return {
      SET1: {
        FLAGS: { LIST_TYPE: true, ACTIVE_MODE_FLAG: true },
        NBR_VALID_BLOCKS: BLOCKS,
        LAST_BLOCK_ELEMENT: block % BLOCKS,
        LAST_BLOCK_SEQ_NBR: block * INTERVALS_A_BLOCK,
        NBR_UNREAD_BLOCKS: 0,
        NBR_VALID_INT: (newest % INTERVALS_A_BLOCK) + 1,
      },
    };
  };
  const block = (element: number): Uint8Array => {
    const newest = newestSequence();
    const newestBlock = Math.floor(newest / INTERVALS_A_BLOCK);
    const age = (((newestBlock - element) % BLOCKS) + BLOCKS) % BLOCKS;
    const first = (newestBlock - age) * INTERVALS_A_BLOCK;
    const valid = Math.min(INTERVALS_A_BLOCK, newest - first + 1);
    const ends = Array.from({ length: INTERVALS_A_BLOCK }, (_, index) => (first + index + 1) * STEP_MS);
    const value: TableRecord = {
      BLK_END_TIME: ends[valid - 1] ?? 0,
      END_READINGS: [{}, {}],
      SIMPLE_INT_STATUS: Array.from({ length: valid }, (_, index) => index),
      LP_INT: ends.map((end, index) => {
        const { importWh, exportWh } = index < valid ? state.load.energyAt(end) : { importWh: 0, exportWh: 0 };
        const flags = index < valid ? intervalStatus(state.load, state.zone, end) : 0;
        const common = STATUS_BITS.reduce((bits, [neutral, bit]) => bits | ((flags & neutral) === 0 ? 0 : bit), 0);
        return { EXTENDED_INT_STATUS: Uint8Array.of(common, 0), INT_DATA_UINT32: [importWh, exportWh] };
      }),
    };
    return writeElement(profileFields, context, BLOCK, value);
  };

  const TABLES: Readonly<Record<number, () => Uint8Array>> = {
    0: () => table0,
    1: () =>
      encode(1, {
        MANUFACTURER: "HRS ",
        ED_MODEL: "GENERIC ",
        HW_VERSION_NUMBER: 1,
        HW_REVISION_NUMBER: 0,
        FW_VERSION_NUMBER: 2,
        FW_REVISION_NUMBER: 4,
        MFG_SERIAL_NUMBER: serial,
      }),
    3: () => encode(3, { ED_MODE: 0, ED_STD_STATUS1: {}, ED_STD_STATUS2: 0, ED_MFG_STATUS: new Uint8Array(0) }),
    12: () => encode(12, { UOM_ENTRY: UOM }),
    16: () => encode(16, { SOURCES_LINK: UOM.map(() => ({ UOM_ENTRY_FLAG: true, PULSE_ENGR_FLAG: true })) }),
    22: () =>
      encode(22, {
        SUMMATION_SELECT: [0, 1],
        DEMAND_SELECT: [2],
        MIN_OR_MAX_FLAGS: [0],
        COINCIDENT_SELECT: [],
        COIN_DEMAND_ASSOC: [],
      }),
    23: () => encode(23, registers()),
    27: () => encode(27, { PRESENT_DEMAND_SELECT: [], PRESENT_VALUE_SELECT: [3] }),
    28: () =>
      encode(28, {
        PRESENT_DEMAND: [],
        PRESENT_VALUE: [decimal(served("voltage.l1.line", state.load.voltageAt(state.now()), -1, state.now()))],
      }),
    52: () =>
      encode(52, {
        CLOCK_CALENDAR: Math.floor(state.now() / 1000) * 1000,
        TIME_DATE_QUAL: { DAY_OF_WEEK: new Date(state.now()).getUTCDay(), GMT_FLAG: true },
      }),
    63: () => encode(63, status()),
    64: () => concat(...Array.from({ length: BLOCKS }, (_, element) => block(element))),
  };
  return {
    read: (id) => {
      const record = LIMITS[id];
      return record === undefined ? TABLES[id]?.() : encode(id, record);
    },
    part: (id, offset, count) =>
      id === LOAD_PROFILE && count === blockOctets && offset % blockOctets === 0 && offset / blockOctets < BLOCKS
        ? block(offset / blockOctets)
        : undefined,
  };
}
