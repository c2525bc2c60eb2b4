import { HeadraceError } from "../ports/errors.ts";

const BIG_FROM = 2 ** 46; // beyond it the arithmetic on numbers would not be exact
const VARINT_MAX = 12; // octets; 2^84 is more than any difference of two 64-bit values

/** What is wrong with stored octets: they were cut, or are of another version. */
export const blockError = (message: string, offset: number, what = "day block"): HeadraceError =>
  new HeadraceError("readings.block-malformed", `${what}: ${message} at octet ${offset}`, {
    retry: "never",
    detail: { offset },
  });

/** Octets as they are written: base-128 numbers, least significant group first. */
export class OctetWriter {
  #octets = new Uint8Array(256);
  #length = 0;

  octet(value: number): void {
    if (this.#length === this.#octets.length) this.#grow(1);
    this.#octets[this.#length++] = value;
  }

  octets(values: Uint8Array): void {
    if (this.#length + values.length > this.#octets.length) this.#grow(values.length);
    this.#octets.set(values, this.#length);
    this.#length += values.length;
  }

  /** A natural number. */
  natural(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.octet((rest % 0x80) | 0x80);
    this.octet(rest);
  }

  /** A signed number, small magnitudes short. */
  signed(value: number): void {
    this.natural(value < 0 ? -2 * value - 1 : 2 * value);
  }

  signedBig(value: bigint): void {
    const small = Number(value);
    if (small > -BIG_FROM && small < BIG_FROM) {
      this.signed(small);
      return;
    }
    let rest = value < 0n ? -2n * value - 1n : 2n * value;
    for (; rest >= 0x80n; rest >>= 7n) this.octet(Number(rest & 0x7fn) | 0x80);
    this.octet(Number(rest));
  }

  done(): Uint8Array {
    return this.#octets.slice(0, this.#length);
  }

  #grow(by: number): void {
    const grown = new Uint8Array(Math.max(this.#octets.length * 2, this.#length + by));
    grown.set(this.#octets);
    this.#octets = grown;
  }
}

/** Reads what `OctetWriter` wrote; throws `readings.block-malformed` where the octets end too early. */
export class OctetReader {
  readonly #octets: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** `what`: names the octets in errors. */
  constructor(octets: Uint8Array, what = "day block") {
    this.#octets = octets;
    this.#what = what;
  }

  /** What is wrong with the octets that were read last. */
  error(message: string): HeadraceError {
    return blockError(message, this.#at, this.#what);
  }

  get left(): number {
    return this.#octets.length - this.#at;
  }
  get offset(): number {
    return this.#at;
  }

  octet(): number {
    const octet = this.#octets[this.#at];
    if (octet === undefined) throw this.error("expected another octet, found the end");
    this.#at++;
    return octet;
  }

  octets(length: number): Uint8Array {
    if (length > this.left) throw this.error(`expected ${length} octets, found ${this.left}`);
    this.#at += length;
    return this.#octets.subarray(this.#at - length, this.#at);
  }

  natural(): number {
    let [value, weight] = [0, 1];
    for (;;) {
      const octet = this.octet();
      value += (octet & 0x7f) * weight;
      if (octet < 0x80) break;
      weight *= 0x80;
    }
    if (!Number.isSafeInteger(value)) throw this.error("expected a number below 2^53");
    return value;
  }

  signed(): number {
    const value = this.natural();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  signedBig(): bigint {
    let [small, weight] = [0, 1];
    for (let count = 1; count <= 6; count++) {
      const octet = this.octet();
      small += (octet & 0x7f) * weight;
      if (octet < 0x80) return BigInt(small % 2 === 0 ? small / 2 : -(small + 1) / 2);
      weight *= 0x80;
    }
    let [value, shift] = [BigInt(small), 42n];
    for (let count = 7; ; count++) {
      if (count > VARINT_MAX) throw this.error("expected a number of at most 84 bits");
      const octet = this.octet();
      value |= BigInt(octet & 0x7f) << shift;
      if (octet < 0x80) break;
      shift += 7n;
    }
    return (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n);
  }
}
