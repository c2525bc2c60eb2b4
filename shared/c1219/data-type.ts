import { HeadraceError } from "../ports/errors.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import { descriptionError } from "./expression.ts";
import type { GenConfig } from "./gen-config.ts";
import { readSigned, readUnsigned, writeSigned, writeUnsigned } from "./integer.ts";
import { type Decimal, niOctets, readNonInteger, writeNonInteger } from "./non-integer.ts";
import {
  readTime,
  readTimeOfDay,
  type TimeType,
  timeOctets,
  timeOfDayOctets,
  writeTime,
  writeTimeOfDay,
} from "./time.ts";

/** A value of one data type. Integers of up to 6 octets are numbers, larger ones bigint; sets are lists of numbers. */
export type SimpleValue = number | bigint | string | Uint8Array | Decimal | readonly number[] | null;

/** One data type of C12.19 as a table uses it. `length`: what stands in brackets behind its name. */
export interface DataType {
  octets(length: number, config: GenConfig): number;
  read(source: Reader, length: number, config: GenConfig): SimpleValue;
  write(target: Writer, length: number, value: never, config: GenConfig): void;
}

const NUMBER_OCTETS_MAX = 6;
const whole = (value: bigint, octets: number): number | bigint => (octets <= NUMBER_OCTETS_MAX ? Number(value) : value);

const unsigned = (octets: number): DataType => ({
  octets: () => octets,
  read: (source, _, config) => whole(readUnsigned(source, octets, config), octets),
  write: (target, _, value: number | bigint, config) => writeUnsigned(target, octets, BigInt(value), config),
});
const signed = (octets: number): DataType => ({
  octets: () => octets,
  read: (source, _, config) => whole(readSigned(source, octets, config), octets),
  write: (target, _, value: number | bigint, config) => writeSigned(target, octets, BigInt(value), config),
});
const nonInteger = (format: (config: GenConfig) => number): DataType => ({
  octets: (_, config) => niOctets(format(config)),
  read: (source, _, config) => readNonInteger(source, format(config), config),
  write: (target, _, value: Decimal, config) => writeNonInteger(target, format(config), value, config),
});
const time = (type: TimeType): DataType => ({
  octets: (_, config) => timeOctets(type, config),
  read: (source, _, config) => readTime(source, type, config),
  write: (target, _, value: number | null, config) => writeTime(target, type, value, config),
});

const UTF8 = 3;
/** What comes after UTF-8 is of two or four octets a letter; no table here says how long its texts then are. */
function checkCharFormat(charFormat: number): void {
  if (charFormat > UTF8)
    throw new HeadraceError("c1219.char-format", `character format ${charFormat} is not interpreted`, {
      retry: "never",
    });
}
const text: DataType = {
  octets: (length) => length,
  read: (source, length, { charFormat }) => {
    const { offset } = source;
    checkCharFormat(charFormat);
    const octets = source.take(length, "a text");
    if (charFormat !== UTF8) return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
    } catch {
      throw new WireError("wire.value", "expected a text in UTF-8", offset);
    }
  },
  write: (target, length, value: string, { charFormat }) => {
    checkCharFormat(charFormat);
    const octets =
      charFormat === UTF8
        ? new TextEncoder().encode(value)
        : Uint8Array.from(value, (letter) => {
            if (letter.charCodeAt(0) > 0xff)
              throw new WireError("wire.value", "expected letters of ISO 8859-1", target.length);
            return letter.charCodeAt(0);
          });
    if (octets.length > length)
      throw new WireError(
        "wire.value",
        `expected a text of at most ${length} octets, got ${octets.length}`,
        target.length,
      );
    target.octets(octets);
    for (let fill = octets.length; fill < length; fill++) target.unsigned8(0x20);
  },
};

const binary: DataType = {
  octets: (length) => length,
  read: (source, length) => source.take(length).slice(),
  write: (target, length, value: Uint8Array) => {
    if (value.length !== length)
      throw new WireError("wire.value", `expected ${length} octets, got ${value.length}`, target.length);
    target.octets(value);
  },
};

/** Members of a set: element k is bit k mod 8 of octet k / 8. */
const set: DataType = {
  octets: (length) => length,
  read: (source, length) =>
    [...source.take(length, "a set")].flatMap((octet, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (octet & (1 << bit)) !== 0).map((bit) => at * 8 + bit),
    ),
  write: (target, length, value: readonly number[]) => {
    const octets = new Uint8Array(length);
    for (const member of value) {
      if (member < 0 || member >= length * 8)
        throw new WireError("wire.value", `expected members of 0 to ${length * 8 - 1}, got ${member}`, target.length);
      octets[member >> 3]! |= 1 << (member & 7);
    }
    target.octets(octets);
  },
};

const bcd: DataType = {
  octets: (length) => length,
  read: (source, length) => {
    const { offset } = source;
    const octets = source.take(length, "BCD digits");
    if (octets.some((octet) => octet >> 4 > 9 || (octet & 0x0f) > 9))
      throw new WireError("wire.value", "expected BCD digits alone", offset);
    return Array.from(octets, (octet) => `${octet >> 4}${octet & 0x0f}`).join("");
  },
  write: (target, length, value: string) => {
    const digits = value.padStart(length * 2, "0");
    if (digits.length !== length * 2 || !/^\d*$/.test(digits))
      throw new WireError("wire.value", `expected at most ${length * 2} digits`, target.length);
    for (let at = 0; at < digits.length; at += 2) target.unsigned8((Number(digits[at]) << 4) | Number(digits[at + 1]));
  },
};

/** Text, or as many BCD digits, two an octet, where ID_FORM says so. */
const identification: DataType = {
  octets: (length, { idForm }) => (idForm === 0 ? length : length / 2),
  read: (source, length, config) =>
    config.idForm === 0 ? text.read(source, length, config) : bcd.read(source, length / 2, config),
  write: (target, length, value: never, config) =>
    config.idForm === 0 ? text.write(target, length, value, config) : bcd.write(target, length / 2, value, config),
};

const timeOfDay: DataType = {
  octets: (_, config) => timeOfDayOctets(config),
  read: (source, _, config) => readTimeOfDay(source, config),
  write: (target, _, value: number, config) => writeTimeOfDay(target, value, config),
};

const TYPES: Readonly<Record<string, DataType>> = {
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 8].flatMap((octets) => [
      [`UINT${octets * 8}`, unsigned(octets)],
      [`INT${octets * 8}`, signed(octets)],
    ]),
  ),
  FLOAT32: nonInteger(() => 1),
  FLOAT64: nonInteger(() => 0),
  NI_FMAT1: nonInteger(({ niFormat1 }) => niFormat1),
  NI_FMAT2: nonInteger(({ niFormat2 }) => niFormat2),
  LTIME_DATE: time("LTIME_DATE"),
  STIME_DATE: time("STIME_DATE"),
  TIME: timeOfDay,
  BCD: bcd,
  STRING: text,
  BINARY: binary,
  SET: set,
  IDENTIFICATION: identification,
};

/** Throws `c1219.description` for a name that is no data type. */
export function dataType(name: string): DataType {
  const type = TYPES[name];
  if (type === undefined) throw descriptionError(`expected a data type or a record, got ${name}`);
  return type;
}
