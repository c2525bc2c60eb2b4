import type { GenConfig } from "../c1219/gen-config.ts";
import { contextOf, STANDARD_TABLES } from "../c1219/standard-tables.ts";
import {
  layoutOctets,
  readTable,
  type TableContext,
  type TableRecord,
  type TableValue,
  writeTable,
} from "../c1219/table-layout.ts";
import type { C1222LoadProfile, C1222Profile } from "../metering/c1222-profile.ts";

/** What two meters of one model may have apart: the form of their tables. */
export interface C1222FormOptions {
  readonly dataOrder?: GenConfig["dataOrder"];
  readonly timeFormat?: 1 | 2 | 3 | 4;
  /** 0: whole tables only, 1: parts by offset too, 2: by index too, 3 (default): both. */
  readonly dataAccessMethod?: 0 | 1 | 2 | 3;
  /** Newest first, blocks and intervals. */
  readonly falling?: boolean;
}

/** What a load profile set looks like in the meter's memory. */
export interface SetForm {
  readonly profile: C1222LoadProfile;
  readonly table: number;
  readonly blocks: number;
  readonly intervalsABlock: number;
  readonly channels: number;
  readonly blockOctets: number;
}

/** How the tables of a model are laid out: table 0, and what the layouts of the others depend on. */
export interface C1222Form {
  readonly options: C1222FormOptions;
  readonly table0: Uint8Array;
  readonly context: TableContext;
  readonly limits: ReadonlyMap<number, TableRecord>;
  readonly sets: readonly SetForm[];
  /** Elements of table 23 and 28 by the index that the profile names. */
  readonly summations: number;
  readonly demands: number;
  readonly tiers: number;
  readonly presentValues: number;
}

const FIRST_LOAD_PROFILE_TABLE = 64;
const NAMEPLATE = { gas: 0, water: 1, electric: 2 } as const;
const DAY_S = 86_400;
/** Days that a load profile keeps: a block a day. */
export const PROFILE_DAYS = 30;
/** Self-reads that a meter with table 26 keeps: one at each month's start. */
export const SELF_READS = 4;
/** Entries of each log. */
export const LOG_ENTRIES = 128;
export const EVENT_DATA_OCTETS = 2;
export const PARAMETERS_MAX = 32;
/** Octets for so many standard and manufacturer's event codes. */
export const EVENT_SET_OCTETS = { standard: 10, manufacturer: 4 } as const;

/** Highest index of an array that any register of a table names, plus one. */
function length(profile: C1222Profile["c1222"], pattern: RegExp): number {
  const found = profile.registers.flatMap(({ element, capturedAt }) =>
    [element, capturedAt ?? ""].flatMap((path) => Array.from(path.matchAll(pattern), ([, index]) => Number(index) + 1)),
  );
  return Math.max(0, ...found);
}

const made = new WeakMap<C1222Profile, Map<string, C1222Form>>();

/** The form of a model's tables; made once for all of its meters. */
export function c1222Form(profile: C1222Profile, options: C1222FormOptions = {}): C1222Form {
  const forms = made.get(profile) ?? new Map<string, C1222Form>();
  made.set(profile, forms);
  const name = JSON.stringify(options);
  const form = forms.get(name) ?? formOf(profile, options);
  forms.set(name, form);
  return form;
}

const setOf = (members: Iterable<number>): readonly number[] => [...new Set(members)].sort((a, b) => a - b);
const octetsOf = (members: readonly number[]): number => (members.length === 0 ? 0 : (Math.max(...members) >> 3) + 1);

function formOf({ c1222, commodity }: C1222Profile, options: C1222FormOptions): C1222Form {
  const summations = length(c1222, /SUMMATIONS\[(\d+)\]/g);
  const demands = length(c1222, /DEMANDS\[(\d+)\]/g);
  const tiers = length(c1222, /TIER_DATA_BLOCK\[(\d+)\]/g);
  const presentValues = length(c1222, /PRESENT_VALUE\[(\d+)\]/g);
  const manufacturer = setOf(Object.keys(c1222.layouts).map((id) => Number(id) & 0x07ff));
  const standard = setOf([
    ...[0, 1, 3, 5, 6, 7, 8, c1222.clock],
    ...(summations + demands > 0 ? [11, 12, 16, 21, 22, 23] : []),
    ...(demands > 0 ? [13, 25] : []),
    ...(c1222.billing?.tables ?? []),
    ...(presentValues > 0 ? [11, 16, 21, 27, 28] : []),
    ...(c1222.loadProfiles.length > 0 ? [61, 62, 63] : []),
    ...c1222.loadProfiles.map(({ set }) => FIRST_LOAD_PROFILE_TABLE + set - 1),
    ...((c1222.logs ?? []).length > 0 ? [71, 72] : []),
    ...(c1222.logs ?? []).map(({ table }) => table),
  ]);
  const procedures = [c1222.demandReset?.procedure, c1222.switch?.procedure, c1222.clockSetting?.procedure];
  const procedureSet = (own: boolean) =>
    setOf([
      ...(own ? [] : [4, 5, 9, 10, 21]),
      ...procedures.flatMap((one) => (one?.manufacturer === own ? [one.number] : [])),
    ]);
  const config: GenConfig = {
    dataOrder: options.dataOrder ?? "little",
    charFormat: 1,
    timeFormat: options.timeFormat ?? 4,
    dataAccessMethod: options.dataAccessMethod ?? 3,
    idForm: 0,
    intFormat: 0,
    niFormat1: 10,
    niFormat2: 8,
  };
  const record: TableRecord = {
    FORMAT_CONTROL_1: { DATA_ORDER: config.dataOrder === "big", CHAR_FORMAT: 1, MODEL_SELECT: 0 },
    FORMAT_CONTROL_2: { TM_FORMAT: config.timeFormat, DATA_ACCESS_METHOD: config.dataAccessMethod },
    FORMAT_CONTROL_3: { NI_FORMAT1: config.niFormat1, NI_FORMAT2: config.niFormat2 },
    DEVICE_CLASS: Uint8Array.of(0x48, 0x52, 0x53, 0x31),
    NAMEPLATE_TYPE: NAMEPLATE[commodity],
    DEFAULT_SET_USED: 0,
    MAX_PROC_PARM_LENGTH: PARAMETERS_MAX,
    MAX_RESP_DATA_LEN: 255,
    STD_VERSION_NO: 2,
    STD_REVISION_NO: 0,
    DIM_STD_TBLS_USED: octetsOf(standard),
    DIM_MFG_TBLS_USED: octetsOf(manufacturer),
    DIM_STD_PROC_USED: octetsOf(procedureSet(false)),
    DIM_MFG_PROC_USED: octetsOf(procedureSet(true)),
    DIM_MFG_STATUS_USED: 0,
    NBR_PENDING: 0,
    STD_TBLS_USED: standard,
    MFG_TBLS_USED: manufacturer,
    STD_PROC_USED: procedureSet(false),
    MFG_PROC_USED: procedureSet(true),
    STD_TBLS_WRITE: [6, 7],
    MFG_TBLS_WRITE: setOf(
      [c1222.tariff?.pending, c1222.priceDisplay?.table].flatMap((id) => (id === undefined ? [] : [id & 0x07ff])),
    ),
  };
  const fieldsOf = (id: number) => STANDARD_TABLES.get(id)?.fields ?? [];
  const base: TableContext = { config, tables: [] };
  const table0 = writeTable(fieldsOf(0), base, record);
  const read = new Map<number, TableRecord>([[0, readTable(fieldsOf(0), base, table0)]]);
  let context = contextOf(base, read);
  const limits = new Map<number, TableRecord>();
  const describe = (id: number, limit: TableRecord): void => {
    if (!standard.includes(id)) return;
    limits.set(id, limit);
    // As a client reads them: with every flag said.
    read.set(id, readTable(fieldsOf(id), context, writeTable(fieldsOf(id), context, limit)));
    context = contextOf(base, read);
  };
  describe(11, {
    SOURCE_FLAGS: { BLOCK_DEMAND_FLAG: demands > 0 },
    NBR_UOM_ENTRIES: c1222.registers.length,
    NBR_DEMAND_CTRL_ENTRIES: demands > 0 ? 1 : 0,
    DATA_CTRL_LENGTH: 0,
    NBR_DATA_CTRL_ENTRIES: 0,
    NBR_CONSTANTS_ENTRIES: 0,
    CONSTANTS_SELECTOR: 2,
    NBR_SOURCES: c1222.registers.length,
  });
  describe(21, {
    REG_FUNC1_FLAGS: { DATE_TIME_FIELD_FLAG: demands > 0, DEMAND_RESET_CTR_FLAG: demands > 0 },
    REG_FUNC2_FLAGS: {},
    NBR_SELF_READS: c1222.billing?.tables.includes(26) === true ? SELF_READS : 0,
    NBR_SUMMATIONS: summations,
    NBR_DEMANDS: demands,
    NBR_COIN_VALUES: 0,
    NBR_OCCUR: 1,
    NBR_TIERS: tiers,
    NBR_PRESENT_DEMANDS: 0,
    NBR_PRESENT_VALUES: presentValues,
  });
  const setLimits = (of: (profile: C1222LoadProfile) => TableValue): TableRecord =>
    Object.fromEntries(c1222.loadProfiles.map((each) => [`SET${each.set}`, of(each)]));
  const channelsOf = ({ channels }: C1222LoadProfile): number =>
    Math.max(...channels.map(({ channel }) => channel + 1));
  const intervalsOf = ({ period }: C1222LoadProfile): number => Math.max(1, Math.floor(DAY_S / period));
  describe(61, {
    LP_MEMORY_LEN: 65_536,
    LP_FLAGS: { EXTENDED_INT_STATUS_FLAG: true, SIMPLE_INT_STATUS_FLAG: true, SCALAR_DIVISOR_FLAG_SET2: true },
    LP_FMATS: { INV_UINT32_FLAG: true },
    ...setLimits((each) => ({
      NBR_BLKS: PROFILE_DAYS,
      NBR_BLK_INTS: intervalsOf(each),
      NBR_CHNS: channelsOf(each),
      MAX_INT_TIME: each.period / 60,
    })),
  });
  describe(
    62,
    setLimits((each) => ({
      CHANNELS: Array.from({ length: channelsOf(each) }, (_, source) => ({
        CHNL_FLAG: {},
        LP_SOURCE_SELECT: source,
        END_BLK_RDG_SOURCE_SELECT: source,
      })),
      INT_FMT_CDE: 4,
      // The second set counts in tens: raw × 10 ÷ 1.
      SCALARS: Array.from({ length: channelsOf(each) }, () => SCALAR_SET2),
      DIVISORS: Array.from({ length: channelsOf(each) }, () => 1),
    })),
  );
  describe(71, {
    LOG_FLAGS: { EVENT_NUMBER_FLAG: true, HIST_DATE_TIME_FLAG: true, HIST_SEQ_NBR_FLAG: true },
    NBR_STD_EVENTS: EVENT_SET_OCTETS.standard,
    NBR_MFG_EVENTS: EVENT_SET_OCTETS.manufacturer,
    HIST_DATA_LENGTH: 0,
    EVENT_DATA_LENGTH: EVENT_DATA_OCTETS,
    NBR_HISTORY_ENTRIES: LOG_ENTRIES,
    NBR_EVENT_ENTRIES: LOG_ENTRIES,
    EXT_LOG_FLAGS: 0,
    NBR_PROGRAM_TABLES: 0,
  });
  const sets = c1222.loadProfiles.map((each): SetForm => {
    const table = FIRST_LOAD_PROFILE_TABLE + each.set - 1;
    return {
      profile: each,
      table,
      blocks: PROFILE_DAYS,
      intervalsABlock: intervalsOf(each),
      channels: channelsOf(each),
      blockOctets: layoutOctets(fieldsOf(table), context, "LP_DATA_BLK"),
    };
  });
  return { options, table0, context, limits, sets, summations, demands, tiers, presentValues };
}

/** What the second set's raw values are multiplied by. */
export const SCALAR_SET2 = 10;
