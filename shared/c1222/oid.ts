import type { Codec } from "../wire/codec.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";

/** Arcs of one identifier that we accept. */
const ARCS_MAX = 32;

function readArc(source: Reader): number {
  const { offset } = source;
  let arc = 0;
  for (let first = true; ; first = false) {
    const octet = source.unsigned8("an arc");
    if (first && octet === 0x80)
      throw new WireError("wire.value", "expected an arc in its shortest form, got leading zeros", offset);
    arc = arc * 0x80 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) throw new WireError("wire.limit", "expected an arc of at most 53 bits", offset);
    if (octet < 0x80) return arc;
  }
}

function writeArc(target: Writer, arc: number): void {
  if (!Number.isSafeInteger(arc) || arc < 0)
    throw new WireError("wire.value", `expected an arc of at most 53 bits, got ${arc}`, target.length);
  const groups = [arc % 0x80];
  for (let rest = Math.floor(arc / 0x80); rest > 0; rest = Math.floor(rest / 0x80))
    groups.unshift(0x80 + (rest % 0x80));
  for (const octet of groups) target.unsigned8(octet);
}

function readArcs(source: Reader): number[] {
  const arcs: number[] = [];
  while (source.remaining > 0) {
    if (arcs.length === ARCS_MAX)
      throw new WireError("wire.limit", `expected at most ${ARCS_MAX} arcs, got more`, source.offset);
    arcs.push(readArc(source));
  }
  return arcs;
}

function arcsOf(text: string, target: Writer): number[] {
  if (!/^\d+(\.\d+)*$/.test(text))
    throw new WireError("wire.value", `expected arcs as 1.2.3, got ${JSON.stringify(text)}`, target.length);
  return text.split(".").map(Number);
}

/** Content of an OBJECT IDENTIFIER (ISO/IEC 8825-1) as text: `2.16.124.113620.1.22`. */
export const oid: Codec<string> = {
  read: (source) => {
    const { offset } = source;
    const [joined, ...arcs] = readArcs(source);
    if (joined === undefined)
      throw new WireError("wire.truncated", "expected an object identifier, got nothing", offset);
    const first = Math.min(2, Math.floor(joined / 40));
    return [first, joined - 40 * first, ...arcs].join(".");
  },
  write: (target, text) => {
    const [first = 0, second, ...arcs] = arcsOf(text, target);
    if (second === undefined || first > 2 || (first < 2 && second > 39))
      throw new WireError("wire.value", `expected an object identifier, got ${JSON.stringify(text)}`, target.length);
    for (const arc of [40 * first + second, ...arcs]) writeArc(target, arc);
  },
};

/** Content of a RELATIVE-OID as text with a leading dot: `.23.273`; without arcs: `.`. */
export const relativeOid: Codec<string> = {
  read: (source) => `.${readArcs(source).join(".")}`,
  write: (target, text) => {
    if (!text.startsWith("."))
      throw new WireError("wire.value", `expected arcs as .1.2, got ${JSON.stringify(text)}`, target.length);
    if (text !== ".") for (const arc of arcsOf(text.slice(1), target)) writeArc(target, arc);
  },
};
