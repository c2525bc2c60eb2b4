import { layoutOctets, readElement, type TableRecord, type TableValue, valueAt } from "../../c1219/table-layout.ts";
import { INTERVAL_FORMATS } from "../../c1219/tables/decade-6.ts";
import type { C1222LoadProfile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { TimeRange } from "../../metering/operation.ts";
import { INTERVAL_STATUS, type IntervalEntry, type IntervalSet } from "../../metering/result.ts";
import { OK } from "../response-code.ts";
import { tableName } from "../services/table-data.ts";
import { intervalStatus } from "./interval-status.ts";
import type { MeterClock } from "./meter-clock.ts";
import { integerIn } from "./read-registers.ts";
import { dataOf, type Refusal, type TableReader } from "./table-reader.ts";

const STATUS_TABLE = 63;
const BLOCK = "LP_DATA_BLK";
/** Octets of blocks that one message asks for. */
const MESSAGE_OCTETS = 16_384;
/** How often a read is begun again because an interval ended meanwhile. */
const ATTEMPTS = 3;

/** Where the valid blocks of a data set are in its ring, and in which order. */
interface Ring {
  readonly blocks: number;
  readonly intervalsABlock: number;
  readonly validBlocks: number;
  readonly newest: number;
  readonly validIntervals: number;
  /** Element N is newer than N + 1. */
  readonly blocksFall: boolean;
  readonly intervalsFall: boolean;
}

const number = (record: TableRecord, path: string): number => {
  const value = valueAt(record, path);
  if (typeof value !== "number") throw new SessionError("protocol", "c1222.element", `expected a number at ${path}`);
  return value;
};

function ringOf(set: number, limits: TableRecord, status: TableRecord): Ring {
  const of = `SET${set}`;
  const ring: Ring = {
    blocks: number(limits, `${of}.NBR_BLKS`),
    intervalsABlock: number(limits, `${of}.NBR_BLK_INTS`),
    validBlocks: number(status, `${of}.NBR_VALID_BLOCKS`),
    newest: number(status, `${of}.LAST_BLOCK_ELEMENT`),
    validIntervals: number(status, `${of}.NBR_VALID_INT`),
    blocksFall: valueAt(status, `${of}.FLAGS.BLOCK_ORDER`) === true,
    intervalsFall: valueAt(status, `${of}.FLAGS.INTERVAL_ORDER`) === true,
  };
  if (
    ring.validBlocks > ring.blocks ||
    ring.newest >= Math.max(1, ring.blocks) ||
    ring.validIntervals > ring.intervalsABlock
  )
    throw new SessionError(
      "protocol",
      "c1222.load-profile-status",
      "the status of the load profile contradicts its limits",
    );
  return ring;
}

/** The element of the block that is so many blocks older than the newest one. */
function elementOf({ newest, blocks, blocksFall }: Ring, age: number): number {
  const at = blocksFall ? newest + age : newest - age;
  return ((at % blocks) + blocks) % blocks;
}

/**
 * Before the standard's second version this flag said that each block carries a closure status, which one public source
 * lays out; since then it says something of the readings and changes no octet.
 */
function checkClosure(reader: TableReader, limits: TableRecord): void {
  const version = reader.known(0)?.STD_VERSION_NO;
  if (valueAt(limits, "LP_FLAGS.BLK_END_RD_INDICATOR_FLAG") === true && typeof version === "number" && version < 2)
    throw new SessionError("unsupported", "c1222.closure-status", "load profiles with a closure status are not read");
}

/** Reads the intervals of one data set whose end lies in (from, to]. `onPart`: told of what each message brings. */
export async function readIntervals(
  reader: TableReader,
  profile: C1222LoadProfile,
  clock: MeterClock,
  now: number,
  range: TimeRange,
  onPart: (part: IntervalSet) => void = () => undefined,
): Promise<{ readonly intervals: IntervalSet | undefined; readonly refusals: readonly Refusal[] }> {
  const table = 63 + profile.set;
  await reader.prepare([STATUS_TABLE, table]);
  const limits = reader.known(61) ?? {};
  if (valueAt(limits, `SET${profile.set}`) === undefined)
    return { intervals: undefined, refusals: [{ item: profile.channelSet, code: "c1222.no-such-set" }] };
  checkClosure(reader, limits);
  const period = number(limits, `SET${profile.set}.MAX_INT_TIME`) * 60;
  if (period !== profile.period)
    throw new SessionError(
      "protocol",
      "c1222.interval-time",
      `expected intervals of ${profile.period} s, got ${period} s`,
      {
        detail: { expected: profile.period, received: period },
      },
    );
  for (let attempt = 1; ; attempt++) {
    const [answer] = await reader.readOctets([STATUS_TABLE]);
    if (answer?.kind !== "octets")
      return { intervals: undefined, refusals: [{ item: profile.channelSet, code: answer?.code ?? "c1222.err" }] };
    const ring = ringOf(profile.set, limits, reader.interpret(STATUS_TABLE, answer.octets));
    const told = (entries: readonly IntervalEntry[]): void => onPart(intervalSet(profile, entries, range));
    const read = await readBlocks(reader, profile, ring, answer.octets, clock, now, range, told);
    if (read.kind === "refused")
      return { intervals: undefined, refusals: [{ item: profile.channelSet, code: read.code }] };
    if (read.kind === "read") return { intervals: intervalSet(profile, read.entries, range), refusals: [] };
    if (attempt === ATTEMPTS)
      throw new SessionError(
        "protocol",
        "c1222.load-profile-moves",
        "the load profile changed in each attempt to read it",
        {
          retry: "later",
        },
      );
  }
}

const intervalSet = (
  profile: C1222LoadProfile,
  entries: readonly IntervalEntry[],
  { from, to }: TimeRange,
): IntervalSet => ({
  channelSet: profile.channelSet,
  period: profile.period,
  channels: profile.channels.map(({ measurement, scaler }) => ({ measurement, scaler })),
  entries: entries.filter(({ end }) => end > from && end <= to).sort((left, right) => left.end - right.end),
});

type BlocksRead =
  | { readonly kind: "read"; readonly entries: readonly IntervalEntry[] }
  | { readonly kind: "moved" }
  | { readonly kind: "refused"; readonly code: string };

/** Blocks from the newest back to the range's start. The status is read again with them: it must not have moved. */
async function readBlocks(
  reader: TableReader,
  profile: C1222LoadProfile,
  ring: Ring,
  status: Uint8Array,
  clock: MeterClock,
  now: number,
  range: TimeRange,
  onEntries: (entries: readonly IntervalEntry[]) => void,
): Promise<BlocksRead> {
  const table = 63 + profile.set;
  const { fields } = reader.layout(table);
  const blockOctets = layoutOctets(fields, reader.context, BLOCK);
  const blockMs = ring.intervalsABlock * profile.period * 1000;
  const entries: IntervalEntry[] = [];
  // The newest block is partly filled, so one more than the time asks for may be needed.
  const wanted = Math.min(ring.validBlocks, Math.ceil(Math.max(0, now - range.from) / blockMs) + 1);
  const whole = reader.access.blocks === "whole";
  const perMessage = whole ? wanted : Math.max(1, Math.floor(MESSAGE_OCTETS / blockOctets));
  for (let first = 0; first < wanted; first += perMessage) {
    const ages = Array.from({ length: Math.min(perMessage, wanted - first) }, (_, index) => first + index);
    const elements = ages.map((age) => elementOf(ring, age));
    const requests = whole
      ? [{ service: "fullRead", tableId: table } as const]
      : elements.map((element) => reader.access.element(table, element, blockOctets));
    const answers = await reader.ask(
      [...requests, { service: "fullRead", tableId: STATUS_TABLE }],
      [...requests.map(() => tableName(table)), tableName(STATUS_TABLE)],
    );
    const refused = answers.find(({ code }) => code !== OK);
    if (refused !== undefined) return { kind: "refused", code: codeOf(dataOf(refused)) };
    const after = dataOf(answers[requests.length] ?? { code: 1, body: { kind: "none" } });
    if (after.kind !== "octets" || !same(after.octets, status)) return { kind: "moved" };
    const before = entries.length;
    for (const [index, age] of ages.entries()) {
      const answer = dataOf(answers[whole ? 0 : index] ?? { code: 1, body: { kind: "none" } });
      if (answer.kind !== "octets") return { kind: "refused", code: answer.code };
      const begin = whole ? (elements[index] ?? 0) * blockOctets : 0;
      const octets = whole ? answer.octets.subarray(begin, begin + blockOctets) : answer.octets;
      const block = readElement(fields, reader.context, BLOCK, octets);
      const valid = age === 0 ? ring.validIntervals : ring.intervalsABlock;
      entries.push(...entriesOf(reader, profile, block as TableRecord, { ...ring, validIntervals: valid }, clock));
    }
    onEntries(entries.slice(before));
  }
  return { kind: "read", entries };
}

const codeOf = (answer: ReturnType<typeof dataOf>): string => (answer.kind === "refused" ? answer.code : "c1222.err");
const same = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((octet, index) => octet === right[index]);

/**
 * Places of the valid intervals of a block, oldest first. Where they fall, a partly filled block tells by its simple
 * status which of them are valid; no source says it otherwise.
 */
function placesOf({ validIntervals, intervalsABlock, intervalsFall }: Ring, present: readonly number[] | undefined) {
  if (!intervalsFall) return Array.from({ length: validIntervals }, (_, index) => index);
  if (validIntervals === intervalsABlock)
    return Array.from({ length: validIntervals }, (_, at) => validIntervals - 1 - at);
  if (present?.length !== validIntervals)
    throw new SessionError("unsupported", "c1222.interval-order", "a partly filled block does not say what is in it");
  return [...present].sort((left, right) => right - left);
}

/** The valid intervals of a block: its end time is the end of the newest of them. */
function entriesOf(
  reader: TableReader,
  profile: C1222LoadProfile,
  block: TableRecord,
  ring: Ring,
  clock: MeterClock,
): readonly IntervalEntry[] {
  const valid = ring.validIntervals;
  if (valid === 0) return [];
  const stamp = valueAt(block, "BLK_END_TIME");
  const last = typeof stamp === "number" ? clock.placed(stamp) : undefined;
  if (last === undefined)
    throw new SessionError(
      "unsupported",
      "c1222.local-time",
      "expected a meter whose times are instants, to place its intervals",
      { detail: { set: profile.set } },
    );
  const selected = reader.known(62) ?? {};
  const format = INTERVAL_FORMATS[number(selected, `SET${profile.set}.INT_FMT_CDE`)];
  const intervals = (valueAt(block, "LP_INT") ?? []) as readonly TableRecord[];
  const present = valueAt(block, "SIMPLE_INT_STATUS") as readonly number[] | undefined;
  const scale = scaling(selected, profile.set);
  return placesOf(ring, present).map((place, index): IntervalEntry => {
    const interval = intervals[place] ?? {};
    const data = (interval[`INT_DATA_${format}`] ?? []) as readonly TableValue[];
    const extended = interval.EXTENDED_INT_STATUS;
    const missing = present?.includes(place) === false;
    let status = (missing ? INTERVAL_STATUS.dataInvalid : 0) | (last.ambiguous ? INTERVAL_STATUS.timeAmbiguous : 0);
    const values = profile.channels.map(({ channel }) => {
      const found = extended instanceof Uint8Array ? intervalStatus(extended, channel) : { flags: 0, skipped: false };
      status |= found.flags;
      const raw = found.skipped || missing ? undefined : integerIn(data[channel]);
      return raw === undefined ? undefined : scale(raw, channel);
    });
    if (values.some((value) => value === "not-whole")) status |= INTERVAL_STATUS.dataInvalid;
    return {
      end: last.instant - (valid - 1 - index) * profile.period * 1000,
      values: values.map((value) => (value === "not-whole" ? undefined : value)),
      status,
    };
  });
}

/** Raw × scalar ÷ divisor of a channel; what is then not whole is no value. */
function scaling(selected: TableRecord, set: number) {
  const scalars = valueAt(selected, `SET${set}.SCALARS`) as readonly number[] | undefined;
  const divisors = valueAt(selected, `SET${set}.DIVISORS`) as readonly number[] | undefined;
  return (raw: { readonly value: bigint; readonly exponent: number }, channel: number): bigint | "not-whole" => {
    const scaled = raw.value * BigInt(scalars?.[channel] ?? 1) * (raw.exponent > 0 ? 10n ** BigInt(raw.exponent) : 1n);
    const divisor = BigInt(divisors?.[channel] ?? 1) * (raw.exponent < 0 ? 10n ** BigInt(-raw.exponent) : 1n);
    return divisor === 0n || scaled % divisor !== 0n ? "not-whole" : scaled / divisor;
  };
}
