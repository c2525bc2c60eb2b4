import { concat } from "../../shared/ports/octets.ts";
import { below, chance, type Random } from "../../shared/ports/random.ts";

/** Octets that decoders trip over: ends of ranges, lengths in their long forms, tags. */
const INTERESTING = [0x00, 0x01, 0x02, 0x09, 0x0f, 0x13, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xfe, 0xff];

type Mutation = (octets: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const at = (octets: Uint8Array, random: Random): number => below(random, Math.max(1, octets.length));

const flipBit: Mutation = (octets, random) => {
  const changed = octets.slice();
  const index = at(octets, random);
  changed[index] = (changed[index] ?? 0) ^ (1 << below(random, 8));
  return changed;
};
const setOctet: Mutation = (octets, random) => {
  const changed = octets.slice();
  changed[at(octets, random)] = INTERESTING[below(random, INTERESTING.length)] as number;
  return changed;
};
const anyOctet: Mutation = (octets, random) => {
  const changed = octets.slice();
  changed[at(octets, random)] = below(random, 256);
  return changed;
};
const cut: Mutation = (octets, random) => octets.slice(0, at(octets, random));
const remove: Mutation = (octets, random) => {
  const from = at(octets, random);
  return concat(octets.subarray(0, from), octets.subarray(from + 1 + below(random, 4)));
};
const insert: Mutation = (octets, random) => {
  const from = at(octets, random);
  return concat(octets.subarray(0, from), random.octets(1 + below(random, 4)), octets.subarray(from));
};
const repeat: Mutation = (octets, random) => {
  const from = at(octets, random);
  const part = octets.subarray(from, from + 1 + below(random, 16));
  return concat(octets.subarray(0, from), part, part, octets.subarray(from + part.length));
};
const splice: Mutation = (octets, random, other) =>
  concat(octets.subarray(0, at(octets, random)), other.subarray(at(other, random)));

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setOctet,
  setOctet,
  anyOctet,
  cut,
  remove,
  insert,
  repeat,
  splice,
];

/** One mutation, now and then several. `other`: another frame to splice with. */
export function mutated(octets: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let changed = octets;
  do {
    const mutation = MUTATIONS[below(random, MUTATIONS.length)] as Mutation;
    changed = mutation(changed, random, other);
  } while (chance(random, 0.25));
  return changed;
}
