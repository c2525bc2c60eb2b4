import type { Codec } from "../wire/codec.ts";
import { encode } from "../wire/codec.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";

/** An address of 1, 2 or 4 octets: upper (logical device or client) and, from 2 octets on, lower (physical device). */
export interface HdlcAddress {
  readonly upper: number;
  readonly lower: number | undefined;
  readonly octets: 1 | 2 | 4;
}

/** A frame of IEC 62056-46, format type 3. Decoding only needs whole frames: the link procedure is not here. */
export interface HdlcFrame {
  /** More frames of the same LLC PDU follow. */
  readonly segmented: boolean;
  readonly destination: HdlcAddress;
  readonly source: HdlcAddress;
  readonly control: number;
  readonly information: Uint8Array;
}

const FLAG = 0x7e;
/** Octets from the format field to the FCS, both included. */
const FRAME_MAX = 0x7ff;

/** CRC-16/X-25, as on the wire: least significant octet first. */
export function frameCheck(octets: Uint8Array): number {
  let crc = 0xffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  }
  crc ^= 0xffff;
  return ((crc & 0xff) << 8) | (crc >>> 8);
}

function readAddress(source: Reader, what: string): HdlcAddress {
  const { offset } = source;
  const parts: number[] = [];
  let octet: number;
  do {
    octet = source.unsigned8(what);
    parts.push(octet >>> 1);
  } while ((octet & 1) === 0 && parts.length < 4);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  if ((octet & 1) === 1 && parts.length === 1) return { upper: a, lower: undefined, octets: 1 };
  if ((octet & 1) === 1 && parts.length === 2) return { upper: a, lower: b, octets: 2 };
  if ((octet & 1) === 1 && parts.length === 4) return { upper: (a << 7) | b, lower: (c << 7) | d, octets: 4 };
  throw new WireError("wire.value", `expected ${what} of 1, 2 or 4 octets, got ${parts.length}`, offset);
}

function writeAddress(target: Writer, { upper, lower = 0, octets }: HdlcAddress): void {
  const parts =
    octets === 1 ? [upper] : octets === 2 ? [upper, lower] : [upper >>> 7, upper & 0x7f, lower >>> 7, lower & 0x7f];
  parts.forEach((part, index) => {
    target.unsigned8(((part & 0x7f) << 1) | (index === parts.length - 1 ? 1 : 0));
  });
}

function flag(source: Reader): void {
  const { offset } = source;
  const octet = source.unsigned8("a flag");
  if (octet !== FLAG) throw new WireError("wire.value", `expected a flag 0x7e, got 0x${octet.toString(16)}`, offset);
}

function check(source: Reader, name: string, from: number, octets: Uint8Array): void {
  const { offset } = source;
  const expected = frameCheck(octets.subarray(from, offset - source.base));
  const found = source.unsigned16(name);
  if (found !== expected)
    throw new WireError("wire.check", `expected ${name} ${expected.toString(16)}, got ${found.toString(16)}`, offset);
}

/** One frame with both flags. Refuses a wrong header or frame check sequence with `wire.check`. */
export const HdlcFrameCodec: Codec<HdlcFrame> = {
  read: (source) => {
    flag(source);
    const { offset } = source;
    const format = ((source.peek() ?? 0) << 8) | (source.peek(1) ?? 0);
    if (source.remaining >= 2 && format >>> 12 !== 0xa)
      throw new WireError("wire.value", `expected frame format type 3, got ${format >>> 12}`, offset);
    const inner = source.inner(source.remaining < 2 ? 2 : format & FRAME_MAX, "an HDLC frame");
    const from = offset - source.base;
    inner.unsigned16("a frame format");
    const destination = readAddress(inner, "a destination address");
    const sourceAddress = readAddress(inner, "a source address");
    const control = inner.unsigned8("a control field");
    let information: Uint8Array = new Uint8Array(0);
    if (inner.remaining > 2) {
      check(inner, "HCS", from, source.octets);
      information = inner.take(inner.remaining - 2, "information");
    }
    check(inner, "FCS", from, source.octets);
    flag(source);
    return { segmented: (format & 0x800) !== 0, destination, source: sourceAddress, control, information };
  },
  write: (target, frame) => {
    const content = encode(contentCodec, frame);
    target.unsigned8(FLAG);
    target.octets(content);
    target.unsigned8(FLAG);
  },
};

const contentCodec: Codec<HdlcFrame> = {
  read: (source) => HdlcFrameCodec.read(source),
  write: (target, frame) => {
    const { information, destination, source } = frame;
    const length =
      2 + destination.octets + source.octets + 1 + (information.length > 0 ? 2 + information.length : 0) + 2;
    if (length > FRAME_MAX)
      throw new WireError(
        "wire.limit",
        `expected a frame of at most ${FRAME_MAX} octets, got ${length}`,
        target.length,
      );
    target.unsigned16(0xa000 | (frame.segmented ? 0x800 : 0) | length);
    writeAddress(target, destination);
    writeAddress(target, source);
    target.unsigned8(frame.control);
    if (information.length > 0) {
      target.unsigned16(frameCheck(target.done()));
      target.octets(information);
    }
    target.unsigned16(frameCheck(target.done()));
  },
};

/** Kind of a control field, with its sequence numbers where it has them. */
export interface HdlcControl {
  readonly name: "I" | "RR" | "RNR" | "SNRM" | "DISC" | "UA" | "DM" | "FRMR" | "UI" | "unknown";
  readonly pollFinal: boolean;
  readonly sendSequence: number | undefined;
  readonly receiveSequence: number | undefined;
}
const UNNUMBERED: Readonly<Record<number, HdlcControl["name"]>> = {
  131: "SNRM",
  67: "DISC",
  99: "UA",
  15: "DM",
  135: "FRMR",
  3: "UI",
};

export function hdlcControlOf(control: number): HdlcControl {
  const pollFinal = (control & 0x10) !== 0;
  const receiveSequence = control >>> 5;
  if ((control & 1) === 0) return { name: "I", pollFinal, sendSequence: (control >>> 1) & 7, receiveSequence };
  const supervisory = control & 0x0f;
  if (supervisory === 0x01 || supervisory === 0x05)
    return { name: supervisory === 0x01 ? "RR" : "RNR", pollFinal, sendSequence: undefined, receiveSequence };
  const name = UNNUMBERED[control & ~0x10] ?? "unknown";
  return { name, pollFinal, sendSequence: undefined, receiveSequence: undefined };
}

/** LLC header in front of an APDU: E6 E6 00 towards the meter, E6 E7 00 from it. Undefined: there is none. */
export function llcOf(information: Uint8Array): { readonly sourceLsap: number; readonly apdu: Uint8Array } | undefined {
  const [destination, source, quality] = information;
  if (destination !== 0xe6 || (source !== 0xe6 && source !== 0xe7) || quality !== 0) return undefined;
  return { sourceLsap: source, apdu: information.subarray(3) };
}
