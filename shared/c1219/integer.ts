import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import type { GenConfig } from "./gen-config.ts";

/** An unsigned integer of any number of octets in the meter's data order. */
export function readUnsigned(source: Reader, octets: number, { dataOrder }: GenConfig): bigint {
  const taken = source.take(octets, "an integer");
  let value = 0n;
  for (let index = 0; index < octets; index++)
    value = (value << 8n) | BigInt(taken[dataOrder === "big" ? index : octets - 1 - index]!);
  return value;
}

export function writeUnsigned(target: Writer, octets: number, value: bigint, { dataOrder }: GenConfig): void {
  if (value < 0n || value >> BigInt(8 * octets) !== 0n)
    throw new WireError("wire.value", `expected an unsigned integer of ${octets} octets, got ${value}`, target.length);
  for (let index = 0; index < octets; index++) {
    const place = dataOrder === "big" ? octets - 1 - index : index;
    target.unsigned8(Number((value >> BigInt(8 * place)) & 0xffn));
  }
}

/** A signed integer in the meter's data order and INT_FORMAT. */
export function readSigned(source: Reader, octets: number, config: GenConfig): bigint {
  const raw = readUnsigned(source, octets, config);
  const bits = 8 * octets;
  if (raw >> BigInt(bits - 1) === 0n) return raw;
  if (config.intFormat === 2) return -(raw - (1n << BigInt(bits - 1)));
  return BigInt.asIntN(bits, raw) + (config.intFormat === 1 ? 1n : 0n);
}

export function writeSigned(target: Writer, octets: number, value: bigint, config: GenConfig): void {
  const bits = 8 * octets;
  const limit = 1n << BigInt(bits - 1);
  if (value < -limit || value >= limit || (config.intFormat !== 0 && value === -limit))
    throw new WireError("wire.value", `expected a signed integer of ${octets} octets, got ${value}`, target.length);
  const raw =
    value >= 0n
      ? value
      : config.intFormat === 2
        ? limit - value
        : BigInt.asUintN(bits, value - (config.intFormat === 1 ? 1n : 0n));
  writeUnsigned(target, octets, raw, config);
}
