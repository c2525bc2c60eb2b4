/**
 * Noise without history: a number in [0, 1) that depends on nothing but its arguments, so that any day of any meter
 * can be computed alone and comes out the same each time.
 */
export function noise(seed: number, salt: number, position: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(salt + 0x7f4a7c15, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15) ^ position, 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12) ^ Math.floor(position / 0x1_0000_0000), 0x297a2d39);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}
