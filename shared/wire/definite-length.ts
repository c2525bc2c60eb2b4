import { type Codec, hexOctet } from "./codec.ts";
import { checkInteger } from "./integers.ts";
import { WireError } from "./wire-error.ts";

/** Octets of a length in the shortest form of all. */
export const definiteLengthOctets = (length: number): number =>
  length < 0x80 ? 1 : length <= 0xff ? 2 : length <= 0xffff ? 3 : length <= 0xff_ffff ? 4 : 5;

/**
 * Definite length of BER and of A-XDR (ISO/IEC 8825-1, IEC 61334-6): one octet below 128, else 0x81..0x84 and as many
 * octets. Longer forms of a short length are accepted; written is the shortest but for three octets, which DLMS packages do
 * not write: see `berLength`.
 */
export const definiteLength: Codec<number> = {
  read: (source) => {
    const { offset } = source;
    const first = source.unsigned8("a length");
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4)
      throw new WireError("wire.value", `expected a length of 1 to 4 octets, got ${hexOctet(first)}`, offset);
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 0x100 + source.unsigned8("a length");
    return length;
  },
  write: (target, length) => {
    checkInteger(target, "a length", length, 0, 0xffff_ffff);
    if (length < 0x80) target.unsigned8(length);
    else if (length <= 0xff) target.unsigned16(0x8100 | length);
    else if (length <= 0xffff) {
      target.unsigned8(0x82);
      target.unsigned16(length);
    } else {
      target.unsigned8(0x84);
      target.unsigned32(length);
    }
  },
};

/** The same, written in the shortest form of all: what is authenticated over lengths counts on it. */
export const berLength: Codec<number> = {
  read: definiteLength.read,
  write: (target, length) => {
    if (definiteLengthOctets(length) !== 4) definiteLength.write(target, length);
    else {
      target.unsigned8(0x83);
      target.unsigned8(length >>> 16);
      target.unsigned16(length);
    }
  },
};
