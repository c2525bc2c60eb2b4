/** Chance as a parameter. */
export interface Random {
  /** An integer in 0..2^32-1. */
  uint32(): number;
  /** Fresh octets. */
  octets(length: number): Uint8Array;
}

/** A number in [0, 1) with 32 bits of resolution. */
export const fraction = (random: Random): number => random.uint32() / 0x1_0000_0000;

/** An integer in 0..limit-1. */
export const below = (random: Random, limit: number): number => Math.floor(fraction(random) * limit);

/** True with the given probability. */
export const chance = (random: Random, probability: number): boolean => fraction(random) < probability;

/** FNV-1a over UTF-16 code units: turns a name into a seed. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** The seeded generator (sfc32): for simulation and load models, never for keys or challenges of a deployment. */
export function seeded(seed: number | string): Random {
  const start = typeof seed === "number" ? seed >>> 0 : seedOf(seed);
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = start;
  let counter = 1;
  const uint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) uint32();
  return {
    uint32,
    octets: (length) => {
      const octets = new Uint8Array(length);
      for (let index = 0; index < length; index++) octets[index] = uint32() & 0xff;
      return octets;
    },
  };
}
