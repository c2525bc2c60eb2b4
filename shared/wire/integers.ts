import type { Codec } from "./codec.ts";
import type { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

/** Throws unless `value` is an integer in min..max. */
export function checkInteger(target: Writer, what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new WireError("wire.value", `expected ${what} in ${min}..${max}, got ${value}`, target.length);
}
function checkBig(target: Writer, what: string, value: bigint, min: bigint, max: bigint): void {
  if (value < min || value > max)
    throw new WireError("wire.value", `expected ${what} in ${min}..${max}, got ${value}`, target.length);
}

type Sized = "unsigned8" | "unsigned16" | "unsigned32";
const integer = (
  what: string,
  min: number,
  max: number,
  read: (source: Reader) => number,
  size: Sized,
): Codec<number> => ({
  read,
  write: (target, value) => {
    checkInteger(target, what, value, min, max);
    target[size](value);
  },
});

export const unsigned8 = integer("unsigned8", 0, 0xff, (source) => source.unsigned8(), "unsigned8");
export const unsigned16 = integer("unsigned16", 0, 0xffff, (source) => source.unsigned16(), "unsigned16");
export const unsigned32 = integer("unsigned32", 0, 0xffff_ffff, (source) => source.unsigned32(), "unsigned32");
export const integer8 = integer("integer8", -0x80, 0x7f, (source) => source.integer8(), "unsigned8");
export const integer16 = integer("integer16", -0x8000, 0x7fff, (source) => source.integer16(), "unsigned16");
export const integer32 = integer("integer32", -0x8000_0000, 0x7fff_ffff, (source) => source.integer32(), "unsigned32");

export const unsigned64: Codec<bigint> = {
  read: (source) => source.unsigned64(),
  write: (target, value) => {
    checkBig(target, "unsigned64", value, 0n, (1n << 64n) - 1n);
    target.unsigned64(value);
  },
};
export const integer64: Codec<bigint> = {
  read: (source) => source.integer64(),
  write: (target, value) => {
    checkBig(target, "integer64", value, -(1n << 63n), (1n << 63n) - 1n);
    target.unsigned64(BigInt.asUintN(64, value));
  },
};
export const float32: Codec<number> = {
  read: (source) => source.float32(),
  write: (target, value) => target.float32(value),
};
export const float64: Codec<number> = {
  read: (source) => source.float64(),
  write: (target, value) => target.float64(value),
};
