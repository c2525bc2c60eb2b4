import type { Codec } from "./codec.ts";
import { definiteLength } from "./definite-length.ts";
import { WireError } from "./wire-error.ts";

/** Octets of a fixed number, without a length. */
export const fixedOctets = (length: number, what = "octets"): Codec<Uint8Array> => ({
  read: (source) => source.take(length, what),
  write: (target, octets) => {
    if (octets.length !== length)
      throw new WireError("wire.value", `expected ${length} octets of ${what}, got ${octets.length}`, target.length);
    target.octets(octets);
  },
});

/** A length and as many octets, `max` at most. */
export const octetString = (max: number, what = "an octet string"): Codec<Uint8Array> => ({
  read: (source) => {
    const { offset } = source;
    const length = definiteLength.read(source);
    if (length > max)
      throw new WireError("wire.limit", `expected at most ${max} octets of ${what}, got ${length}`, offset);
    return source.take(length, what);
  },
  write: (target, octets) => {
    if (octets.length > max)
      throw new WireError(
        "wire.limit",
        `expected at most ${max} octets of ${what}, got ${octets.length}`,
        target.length,
      );
    definiteLength.write(target, octets.length);
    target.octets(octets);
  },
});
