import type { Codec } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";

/** An OBIS code (IEC 62056-61) as text: `1.0.1.8.0.255`. */
export type LogicalName = string;

export const obisOf = (octets: Uint8Array): LogicalName => octets.join(".");

/** The six octets of an OBIS code; undefined when the text is none. */
export function obisOctets(name: LogicalName): Uint8Array | undefined {
  const octets = new Uint8Array(6);
  let group = 0;
  let value = -1;
  for (let at = 0; at < name.length; at++) {
    const digit = name.charCodeAt(at) - 0x30;
    if (digit >= 0 && digit <= 9 && value !== 0) value = (value < 0 ? 0 : value) * 10 + digit;
    else if (name[at] === "." && value >= 0 && group < 5) {
      octets[group++] = value;
      value = -1;
    } else return undefined;
    if (value > 255) return undefined;
  }
  if (group !== 5 || value < 0) return undefined;
  octets[5] = value;
  return octets;
}

/** Cosem-Object-Instance-Id: six octets. */
export const logicalName: Codec<LogicalName> = {
  read: (source) => obisOf(source.take(6, "a logical name")),
  write: (target, name) => {
    const octets = obisOctets(name);
    if (octets === undefined)
      throw new WireError(
        "wire.value",
        `expected an OBIS code A.B.C.D.E.F, got ${JSON.stringify(name)}`,
        target.length,
      );
    target.octets(octets);
  },
};
