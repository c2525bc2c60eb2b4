import type { Measurement } from "../metering/measurement.ts";
import type { IntervalChannel } from "../metering/result.ts";
import { fromHex, toHex } from "../ports/octets.ts";
import {
  type BlockEntry,
  type BlockRegister,
  type DayBlock,
  type Origin,
  type SideEntry,
  slotsOfDay,
} from "./day-block.ts";
import { measurementCode, measurementOf } from "./measurement-codes.ts";
import { blockError, OctetReader, OctetWriter } from "./octet-stream.ts";

/**
 * The octets of a day block. First octet: the format, 3. Then, in this order: layout (period, channels); presence bits
 * of the day's intervals; a column a channel (its own presence bits where a present interval lacks it, then differences
 * of successive values, runs of equal ones counted); status runs; quality runs (not in format 1); the table of origins;
 * provenance of the present intervals; registers; intervals off the grid. Numbers are base 128, instants are differences
 * from the start of the day. Two channels of 96 intervals are about 450 octets.
 *
 * An origin is the second half of its batch reference by its place among those that came before, the first half as the
 * difference to the last one of that second half (batches of pushes that one bridge sends differ in little:
 * `batchReference`), and its instant by the second difference. Provenance is runs of differences: 0 is the origin of the
 * interval before, 1 the next one. So a day of pushes, each an origin of its own, takes some five octets a push.
 */
const FORMAT = 3; // 2: origins whole, runs of their numbers
/** Blocks of before there was validation. */
const WITHOUT_QUALITY = 1;
const REFERENCE_OCTETS = 8;
const HALF_OCTETS = 4;

const originKey = ({ batch, at }: Origin): string => `${batch}#${at}`;

export function encodeDayBlock(block: DayBlock): Uint8Array {
  const out = new OctetWriter();
  out.octet(FORMAT);
  out.natural(block.period);
  out.octet(block.channels.length);
  for (const { measurement, scaler } of block.channels) {
    out.natural(measurementCode(measurement));
    out.signed(scaler);
  }
  const present = [...block.entries].sort(([left], [right]) => left - right);
  out.octets(
    bitmapOf(
      present.map(([number]) => number),
      slotsOfDay(block.period),
    ),
  );
  const entries = present.map(([, entry]) => entry);
  for (let channel = 0; channel < block.channels.length; channel++)
    writeColumn(
      out,
      entries.map(({ values }) => values[channel]),
    );
  writeRuns(
    out,
    entries.map(({ status }) => status),
  );
  writeRuns(
    out,
    entries.map(({ quality = 0 }) => quality),
  );

  const origins = new Map<string, number>();
  const table: Origin[] = [];
  const indexOf = (origin: Origin): number => {
    const known = origins.get(originKey(origin));
    if (known !== undefined) return known;
    origins.set(originKey(origin), table.length);
    return table.push(origin) - 1;
  };
  const provenance = entries.map(({ origin }) => indexOf(origin));
  const registerOrigins = block.registers.map(({ origin }) => indexOf(origin));
  const sideOrigins = block.side.map(({ origin }) => indexOf(origin));
  writeOrigins(out, block.day, table);
  writeRuns(
    out,
    provenance.map((origin, index) => zigzag(origin - (provenance[index - 1] ?? 0))),
  );

  out.natural(block.registers.length);
  let last: BlockRegister | undefined;
  for (const [index, register] of block.registers.entries()) {
    const follows = last?.measurement === register.measurement && last.scaler === register.scaler;
    out.natural(measurementCode(register.measurement));
    out.signed(register.scaler);
    out.natural(registerOrigins[index] ?? 0);
    out.octet(register.at === undefined ? 0 : 1);
    if (register.at !== undefined) out.signed(register.at - block.day);
    out.signedBig(follows && last !== undefined ? register.value - last.value : register.value);
    last = register;
  }

  out.natural(block.side.length);
  for (const [index, entry] of block.side.entries()) {
    out.signed(entry.start - block.day);
    out.signed(entry.end - entry.start);
    out.natural(entry.status);
    out.natural(entry.quality ?? 0);
    out.natural(sideOrigins[index] ?? 0);
    for (let channel = 0; channel < block.channels.length; channel++) {
      const value = entry.values[channel];
      out.octet(value === undefined ? 0 : 1);
      if (value !== undefined) out.signedBig(value);
    }
  }
  return out.done();
}

/** `day`: start of the UTC day, which the item's key says. Throws `readings.block-malformed`. */
export function decodeDayBlock(day: number, octets: Uint8Array): DayBlock {
  const source = new OctetReader(octets);
  const format = source.octet();
  if (format < WITHOUT_QUALITY || format > FORMAT)
    throw blockError(`expected format ${WITHOUT_QUALITY} to ${FORMAT}, found ${format}`, 0);
  const assessed = format !== WITHOUT_QUALITY;
  const period = source.natural();
  const channels: IntervalChannel[] = [];
  for (let left = source.octet(); left > 0; left--)
    channels.push({ measurement: readMeasurement(source), scaler: source.signed() });
  const numbers = numbersIn(source.octets(Math.ceil(slotsOfDay(period) / 8)));
  const columns = channels.map(() => readColumn(source, numbers.length));
  const status = readRuns(source, numbers.length);
  const quality = assessed ? readRuns(source, numbers.length) : [];
  const origins = format === FORMAT ? readOrigins(source, day) : readWholeOrigins(source, day);
  const originAt = (index: number): Origin => {
    const origin = origins[index];
    if (origin === undefined)
      throw blockError(`expected one of ${origins.length} origins, found ${index}`, source.offset);
    return origin;
  };
  const runs = readRuns(source, numbers.length);
  const provenance = format === FORMAT ? summed(runs) : runs;
  const entries = new Map<number, BlockEntry>();
  for (const [index, number] of numbers.entries())
    entries.set(number, {
      values: columns.map((column) => column[index]),
      status: status[index] ?? 0,
      ...withQuality(quality[index]),
      origin: originAt(provenance[index] ?? 0),
    });
  const registers = readRegisters(source, day, originAt);
  const side = readSide(source, day, channels.length, assessed, originAt);
  if (source.left > 0) throw blockError(`expected the end, found ${source.left} octets`, source.offset);
  return { day, period, channels, entries, side, registers };
}

const withQuality = (quality: number | undefined): Pick<BlockEntry, "quality"> =>
  quality === undefined || quality === 0 ? {} : { quality };

function readMeasurement(source: OctetReader): Measurement {
  const code = source.natural();
  const measurement = measurementOf(code);
  if (measurement === undefined) throw blockError(`expected a known measurement, found number ${code}`, source.offset);
  return measurement;
}

function bitmapOf(numbers: readonly number[], length: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(length / 8));
  for (const number of numbers) bitmap[number >> 3] = (bitmap[number >> 3] ?? 0) | (1 << (number & 7));
  return bitmap;
}

function numbersIn(bitmap: Uint8Array): number[] {
  const numbers: number[] = [];
  for (const [index, octet] of bitmap.entries())
    for (let bit = 0; bit < 8; bit++) if ((octet >> bit) & 1) numbers.push(index * 8 + bit);
  return numbers;
}

/** 0, or 1 and presence bits; then differences: one that is not zero as it is, zeros as 0 and their number. */
function writeColumn(out: OctetWriter, values: readonly (bigint | undefined)[]): void {
  const gaps = values.includes(undefined);
  out.octet(gaps ? 1 : 0);
  if (gaps)
    out.octets(
      bitmapOf(
        values.flatMap((value, index) => (value === undefined ? [] : [index])),
        values.length,
      ),
    );
  let [last, zeros] = [0n, 0];
  const flush = (): void => {
    if (zeros === 0) return;
    out.octet(0);
    out.natural(zeros);
    zeros = 0;
  };
  for (const value of values) {
    if (value === undefined) continue;
    if (value === last) zeros++;
    else {
      flush();
      out.signedBig(value - last);
      last = value;
    }
  }
  flush();
}

function readColumn(source: OctetReader, length: number): (bigint | undefined)[] {
  const indexes =
    source.octet() === 0
      ? Array.from({ length }, (_, index) => index)
      : numbersIn(source.octets(Math.ceil(length / 8)));
  const column: (bigint | undefined)[] = new Array(length).fill(undefined);
  let [last, zeros] = [0n, 0];
  for (const index of indexes) {
    if (zeros > 0) zeros--;
    else {
      const difference = source.signedBig();
      if (difference === 0n) zeros = source.natural() - 1;
      last += difference;
    }
    column[index] = last;
  }
  return column;
}

/** Runs of equal numbers: how many runs, then length and number of each. */
function writeRuns(out: OctetWriter, numbers: readonly number[]): void {
  const runs: { length: number; readonly number: number }[] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run?.number === number) run.length++;
    else runs.push({ length: 1, number });
  }
  out.natural(runs.length);
  for (const { length, number } of runs) {
    out.natural(length);
    out.natural(number);
  }
}

function readRuns(source: OctetReader, length: number): number[] {
  const numbers: number[] = [];
  for (let runs = source.natural(); runs > 0; runs--) {
    const count = source.natural();
    const number = source.natural();
    if (numbers.length + count > length) throw blockError(`expected runs over ${length} intervals`, source.offset);
    for (let index = 0; index < count; index++) numbers.push(number);
  }
  if (numbers.length !== length) throw blockError(`expected runs over ${length} intervals`, source.offset);
  return numbers;
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

function summed(differences: readonly number[]): number[] {
  let sum = 0;
  return differences.map((difference) => {
    sum += unzigzag(difference);
    return sum;
  });
}

const numberIn = (half: Uint8Array): number =>
  new DataView(half.buffer, half.byteOffset, HALF_OCTETS).getUint32(0, true);

function writeOrigins(out: OctetWriter, day: number, table: readonly Origin[]): void {
  /** Second halves in the order in which they came, with the last first half of each as a number. */
  const last = new Map<string, number>();
  const places = new Map<string, number>();
  let [instant, step] = [day, 0];
  out.natural(table.length);
  for (const { batch, at } of table) {
    const octets = fromHex(batch);
    const half = batch.slice(2 * HALF_OCTETS);
    const number = numberIn(octets);
    const was = last.get(half);
    const place = places.get(half) ?? places.size;
    out.natural(place);
    if (was === undefined) out.octets(octets);
    else out.signed(number - was);
    places.set(half, place);
    last.set(half, number);
    out.signed(at - instant - step);
    [instant, step] = [at, at - instant];
  }
}

function readOrigins(source: OctetReader, day: number): Origin[] {
  const halves: { readonly text: string; last: number }[] = [];
  const origins: Origin[] = [];
  let [instant, step] = [day, 0];
  for (let left = source.natural(); left > 0; left--) {
    const place = source.natural();
    if (place > halves.length)
      throw blockError(`expected one of ${halves.length} halves, found ${place}`, source.offset);
    let half = halves[place];
    if (half === undefined) {
      const octets = source.octets(REFERENCE_OCTETS);
      half = { text: toHex(octets.subarray(HALF_OCTETS)), last: numberIn(octets) };
      halves.push(half);
    } else half.last += source.signed();
    if (half.last < 0 || half.last > 0xffff_ffff)
      throw blockError(`expected half a reference, found ${half.last}`, source.offset);
    const first = new Uint8Array(HALF_OCTETS);
    new DataView(first.buffer).setUint32(0, half.last, true);
    step += source.signed();
    instant += step;
    origins.push({ batch: `${toHex(first)}${half.text}`, at: instant });
  }
  return origins;
}

function readWholeOrigins(source: OctetReader, day: number): Origin[] {
  const origins: Origin[] = [];
  for (let left = source.natural(); left > 0; left--)
    origins.push({ batch: toHex(source.octets(REFERENCE_OCTETS)), at: source.signed() + day });
  return origins;
}

function readRegisters(source: OctetReader, day: number, originAt: (index: number) => Origin): BlockRegister[] {
  const registers: BlockRegister[] = [];
  for (let left = source.natural(); left > 0; left--) {
    const measurement = readMeasurement(source);
    const scaler = source.signed();
    const origin = originAt(source.natural());
    const at = source.octet() === 0 ? undefined : source.signed() + day;
    const last = registers.at(-1);
    const follows = last?.measurement === measurement && last.scaler === scaler;
    const value = source.signedBig() + (follows ? last.value : 0n);
    registers.push({ measurement, value, scaler, origin, ...(at === undefined ? {} : { at }) });
  }
  return registers;
}

function readSide(
  source: OctetReader,
  day: number,
  channels: number,
  assessed: boolean,
  originAt: (index: number) => Origin,
): SideEntry[] {
  const side: SideEntry[] = [];
  for (let left = source.natural(); left > 0; left--) {
    const start = source.signed() + day;
    const end = source.signed() + start;
    const status = source.natural();
    const quality = assessed ? source.natural() : 0;
    const origin = originAt(source.natural());
    const values = Array.from({ length: channels }, () => (source.octet() === 0 ? undefined : source.signedBig()));
    side.push({ start, end, values, status, ...withQuality(quality), origin });
  }
  return side;
}
