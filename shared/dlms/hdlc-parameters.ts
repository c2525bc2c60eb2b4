import type { Codec } from "../wire/codec.ts";
import { checkInteger } from "../wire/integers.ts";
import { WireError } from "../wire/wire-error.ts";

/** What SNRM proposes and UA grants, from the view of the sender of that frame (IEC 62056-46). */
export interface HdlcParameters {
  /** Octets of an information field, 32..2030. */
  readonly transmitMax: number;
  readonly receiveMax: number;
  /** Frames without an acknowledgement, 1..7. */
  readonly transmitWindow: number;
  readonly receiveWindow: number;
}

export const HDLC_DEFAULTS: HdlcParameters = { transmitMax: 128, receiveMax: 128, transmitWindow: 1, receiveWindow: 1 };
const IDS = { transmitMax: 5, receiveMax: 6, transmitWindow: 7, receiveWindow: 8 } as const;
type Name = keyof typeof IDS;
const NAMES = Object.keys(IDS) as readonly Name[];
const RANGE = (name: Name): readonly [number, number] => (name.endsWith("Max") ? [1, 2030] : [1, 7]);

/** Information field of SNRM and UA: 81 80, length, then id, length and value of each; what is absent is the default. */
export const HdlcParametersCodec: Codec<HdlcParameters> = {
  read: (source) => {
    const { offset } = source;
    const format = source.unsigned16("the format and group of HDLC parameters");
    if (format !== 0x8180)
      throw new WireError("wire.value", `expected HDLC parameters (8180), got ${format.toString(16)}`, offset);
    const inner = source.inner(source.unsigned8("the length of HDLC parameters"), "HDLC parameters");
    const found: { -readonly [K in Name]: number } = { ...HDLC_DEFAULTS };
    while (inner.remaining > 0) {
      const at = inner.offset;
      const id = inner.unsigned8("a parameter's id");
      const length = inner.unsigned8("a parameter's length");
      if (length < 1 || length > 4) throw new WireError("wire.value", `expected 1 to 4 octets, got ${length}`, at);
      const value = inner.take(length, "a parameter").reduce((sum, octet) => sum * 256 + octet, 0);
      const name = NAMES.find((one) => IDS[one] === id);
      if (name === undefined) continue; // a parameter of a newer edition
      const [least, most] = RANGE(name);
      if (value < least || value > most)
        throw new WireError("wire.value", `expected ${name} in ${least}..${most}, got ${value}`, at);
      found[name] = value;
    }
    return found;
  },
  write: (target, value) => {
    const sizes = NAMES.map((name) => (name.endsWith("Window") ? 4 : value[name] > 0xff ? 2 : 1));
    target.unsigned16(0x8180);
    target.unsigned8(sizes.reduce((sum, size) => sum + size + 2, 0));
    NAMES.forEach((name, index) => {
      const [least, most] = RANGE(name);
      checkInteger(target, name, value[name], least, most);
      target.unsigned8(IDS[name]);
      target.unsigned8(sizes[index] ?? 1);
      if (sizes[index] === 4) target.unsigned32(value[name]);
      else if (sizes[index] === 2) target.unsigned16(value[name]);
      else target.unsigned8(value[name]);
    });
  },
};

/** What holds on one side: what it can, and what the other side said of itself. */
export const negotiated = (own: HdlcParameters, peer: HdlcParameters): HdlcParameters => ({
  transmitMax: Math.min(own.transmitMax, peer.receiveMax),
  receiveMax: Math.min(own.receiveMax, peer.transmitMax),
  transmitWindow: Math.min(own.transmitWindow, peer.receiveWindow),
  receiveWindow: Math.min(own.receiveWindow, peer.transmitWindow),
});
