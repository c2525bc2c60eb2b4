import { HeadraceError } from "../ports/errors.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import type { GenConfig } from "./gen-config.ts";
import { readSigned, writeSigned } from "./integer.ts";

/** An exact decimal number: `mantissa × 10^exponent`. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** The shortest decimal that stands for a float, which is what the meter meant; undefined: no number. */
export function decimalOf(text: string): Decimal | undefined {
  const found = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/.exec(text);
  const [, sign, whole = "", part = "", exponent = "0"] = found ?? [];
  if (found === null || whole.length + part.length === 0) return undefined;
  const mantissa = BigInt(`${whole}${part}`);
  return { mantissa: sign === "-" ? -mantissa : mantissa, exponent: Number(exponent) - part.length };
}

export const decimalText = ({ mantissa, exponent }: Decimal): string => `${mantissa}e${exponent}`;

/** Octets of integer formats; format 4 has four implied decimals. */
const INTEGERS: Readonly<Record<number, number>> = { 4: 4, 7: 3, 8: 4, 9: 5, 10: 6, 11: 8 };
const TEXTS: Readonly<Record<number, number>> = { 2: 12, 3: 6, 13: 21 };
const BCDS: Readonly<Record<number, number>> = { 5: 6, 6: 4, 12: 8 };
const IMPLIED_DECIMALS = 4;

const unknownFormat = (format: number): HeadraceError =>
  new HeadraceError("c1219.ni-format", `NI format ${format} is not interpreted: its coding is not confirmed`, {
    retry: "never",
    detail: { format },
  });

/** Octets of an NI_FORMAT. Throws `c1219.ni-format` for codes that do not exist. */
export function niOctets(format: number): number {
  const octets = format === 0 ? 8 : format === 1 ? 4 : (INTEGERS[format] ?? TEXTS[format] ?? BCDS[format]);
  if (octets === undefined) throw unknownFormat(format);
  return octets;
}

const ordered = (octets: Uint8Array, { dataOrder }: GenConfig): Uint8Array =>
  dataOrder === "big" ? octets : octets.slice().reverse();

export function readNonInteger(source: Reader, format: number, config: GenConfig): Decimal {
  const { offset } = source;
  if (INTEGERS[format] !== undefined)
    return { mantissa: readSigned(source, INTEGERS[format], config), exponent: format === 4 ? -IMPLIED_DECIMALS : 0 };
  const octets = source.take(niOctets(format), "a non-integer number");
  let text: string;
  if (TEXTS[format] !== undefined) text = String.fromCharCode(...octets);
  else if (BCDS[format] !== undefined) text = bcdText(octets, format, config);
  else {
    const big = ordered(octets, config).slice();
    const view = new DataView(big.buffer);
    // The shortest text that gives the same float: of 32 bits nine digits always do.
    text = format === 0 ? String(view.getFloat64(0)) : shortestFloat32(view.getFloat32(0));
  }
  const value = decimalOf(text);
  if (value === undefined) throw new WireError("wire.value", `expected a number, got ${JSON.stringify(text)}`, offset);
  return value;
}

const NIBBLES = "0123456789_._-__";
/** FIXED_BCD as text; a nibble that is neither digit, point nor sign makes it no number. */
function bcdText(octets: Uint8Array, format: number, { fixedBcd }: GenConfig): string {
  if (fixedBcd === undefined) throw unknownFormat(format);
  return Array.from(octets, (octet) => `${NIBBLES[octet >> 4]}${NIBBLES[octet & 0x0f]}`).join("");
}

function writeBcd(target: Writer, octets: number, format: number, value: Decimal, { fixedBcd }: GenConfig): void {
  if (fixedBcd === undefined) throw unknownFormat(format);
  const digits = (value.mantissa < 0n ? -value.mantissa : value.mantissa).toString();
  const whole = value.exponent >= 0 ? digits + "0".repeat(value.exponent) : digits;
  const point = value.exponent >= 0 ? whole.length : whole.length + value.exponent;
  const padded = point > 0 ? whole : "0".repeat(1 - point) + whole;
  const number = value.exponent >= 0 ? padded : `${padded.slice(0, value.exponent)}.${padded.slice(value.exponent)}`;
  const sign = value.mantissa < 0n ? "-" : "";
  const width = octets * 2 - sign.length;
  if (number.length > width)
    throw new WireError("wire.value", `expected a number of at most ${width} digits`, target.length);
  const text = sign + number.padStart(width, "0");
  for (let at = 0; at < text.length; at += 2)
    target.unsigned8((NIBBLES.indexOf(text[at]!) << 4) | NIBBLES.indexOf(text[at + 1]!));
}

function shortestFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toPrecision(9);
}

export function writeNonInteger(target: Writer, format: number, value: Decimal, config: GenConfig): void {
  if (INTEGERS[format] !== undefined) {
    const shift = value.exponent + (format === 4 ? IMPLIED_DECIMALS : 0);
    const scale = 10n ** BigInt(Math.abs(shift));
    if (shift < 0 && value.mantissa % scale !== 0n)
      throw new WireError("wire.value", `expected a number that format ${format} can hold`, target.length);
    writeSigned(target, INTEGERS[format], shift < 0 ? value.mantissa / scale : value.mantissa * scale, config);
    return;
  }
  const octets = niOctets(format);
  if (BCDS[format] !== undefined) {
    writeBcd(target, octets, format, value, config);
    return;
  }
  if (TEXTS[format] !== undefined) {
    const text = String(Number(decimalText(value))).padStart(octets);
    if (text.length > octets)
      throw new WireError("wire.value", `expected a number of at most ${octets} characters`, target.length);
    for (const letter of text) target.unsigned8(letter.charCodeAt(0));
    return;
  }
  const big = new Uint8Array(octets);
  const view = new DataView(big.buffer);
  if (format === 0) view.setFloat64(0, Number(decimalText(value)));
  else view.setFloat32(0, Number(decimalText(value)));
  target.octets(ordered(big, config));
}
