/** Intervals of a UTC day as bits: interval n is bit `n % 8` (1 << n % 8) of octet `n / 8`. */
export type IntervalBits = Uint8Array<ArrayBuffer>;

export const noIntervals = (slots: number): IntervalBits => new Uint8Array(Math.ceil(slots / 8));

export function addInterval(bits: IntervalBits, number: number): void {
  bits[number >> 3] = (bits[number >> 3] ?? 0) | (1 << (number & 7));
}
export const hasInterval = (bits: IntervalBits, number: number): boolean =>
  (((bits[number >> 3] ?? 0) >> (number & 7)) & 1) === 1;

/** Those of either; of the left without the right; of both. The left's length counts. */
export const either = (left: IntervalBits, right: IntervalBits): IntervalBits =>
  left.map((octet, at) => octet | (right[at] ?? 0));
export const without = (left: IntervalBits, right: IntervalBits): IntervalBits =>
  left.map((octet, at) => octet & ~(right[at] ?? 0));
export const both = (left: IntervalBits, right: IntervalBits): IntervalBits =>
  left.map((octet, at) => octet & (right[at] ?? 0));

export function countIntervals(bits: IntervalBits): number {
  let count = 0;
  for (let octet of bits) for (; octet !== 0; octet &= octet - 1) count++;
  return count;
}
export const isEmpty = (bits: IntervalBits): boolean => bits.every((octet) => octet === 0);

/** The intervals of the UTC day whose *end* lies in (from, to]; clock ms; `period`: seconds. */
export function intervalsWithin(day: number, period: number, slots: number, from: number, to: number): IntervalBits {
  const bits = noIntervals(slots);
  const periodMs = period * 1000;
  const first = Math.max(0, Math.floor((from - day) / periodMs));
  const last = Math.min(slots - 1, Math.floor((to - day) / periodMs) - 1);
  for (let number = first; number <= last; number++) addInterval(bits, number);
  return bits;
}
