import type { Codec } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";

/** An OBIS code (IEC 62056-61) as text: `1.0.1.8.0.255`. */
export type LogicalName = string;

export const obisOf = (octets: Uint8Array): LogicalName => octets.join(".");

/** The six octets of an OBIS code; undefined when the text is none. */
export function obisOctets(name: LogicalName): Uint8Array | undefined {
  const groups = name.split(".").map(Number);
  if (groups.length !== 6 || groups.some((group) => !Number.isInteger(group) || group < 0 || group > 255))
    return undefined;
  return Uint8Array.from(groups);
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
