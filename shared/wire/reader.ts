import { WireError } from "./wire-error.ts";

/**
 * Reads octets forwards, big-endian. Every read checks the end first and throws `wire.truncated`. What it hands out
 * are views on the octets given, never copies.
 */
export class Reader {
  readonly octets: Uint8Array;
  readonly end: number;
  /** Offset of the first octet of `octets` in what the caller calls the frame. */
  readonly base: number;
  #view: DataView | undefined;
  #at: number;

  constructor(octets: Uint8Array, base = 0, start = 0, end: number = octets.length) {
    this.octets = octets;
    this.base = base;
    this.#at = start;
    this.end = end;
  }

  /** Offset of the next octet, for messages. */
  get offset(): number {
    return this.base + this.#at;
  }

  get remaining(): number {
    return this.end - this.#at;
  }

  /** Moves past `length` octets and answers where they began. */
  #take(length: number, what: string): number {
    const at = this.#at;
    if (length > this.end - at)
      throw new WireError("wire.truncated", `expected ${length} octets of ${what}, got ${this.end - at}`, this.offset);
    this.#at = at + length;
    return at;
  }

  #numbers(): DataView {
    this.#view ??= new DataView(this.octets.buffer, this.octets.byteOffset, this.octets.byteLength);
    return this.#view;
  }

  /** The next octet without moving, undefined at the end. */
  peek(ahead = 0): number | undefined {
    return this.#at + ahead < this.end ? this.octets[this.#at + ahead] : undefined;
  }

  unsigned8(what = "unsigned8"): number {
    return this.octets[this.#take(1, what)] as number;
  }
  unsigned16(what = "unsigned16"): number {
    const at = this.#take(2, what);
    return ((this.octets[at] as number) << 8) | (this.octets[at + 1] as number);
  }
  unsigned32(what = "unsigned32"): number {
    return this.integer32(what) >>> 0;
  }
  unsigned64(what = "unsigned64"): bigint {
    return this.#numbers().getBigUint64(this.#take(8, what));
  }
  integer8(what = "integer8"): number {
    return (this.unsigned8(what) << 24) >> 24;
  }
  integer16(what = "integer16"): number {
    return (this.unsigned16(what) << 16) >> 16;
  }
  integer32(what = "integer32"): number {
    const at = this.#take(4, what);
    const { octets } = this;
    return (
      ((octets[at] as number) << 24) |
      ((octets[at + 1] as number) << 16) |
      ((octets[at + 2] as number) << 8) |
      (octets[at + 3] as number)
    );
  }
  integer64(what = "integer64"): bigint {
    return this.#numbers().getBigInt64(this.#take(8, what));
  }
  float32(what = "float32"): number {
    return this.#numbers().getFloat32(this.#take(4, what));
  }
  float64(what = "float64"): number {
    return this.#numbers().getFloat64(this.#take(8, what));
  }

  /** The next `length` octets, as a view. */
  take(length: number, what = "octets"): Uint8Array {
    const at = this.#take(length, what);
    return this.octets.subarray(at, at + length);
  }

  /** A reader of the next `length` octets alone; this one moves past them. */
  inner(length: number, what = "octets"): Reader {
    const at = this.#take(length, what);
    return new Reader(this.octets, this.base, at, at + length);
  }

  /** Everything that is left, as a view. */
  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  /** Throws `wire.left-over` unless everything was read. */
  finish(what = "value"): void {
    if (this.remaining > 0)
      throw new WireError(
        "wire.left-over",
        `expected the end of the ${what}, got ${this.remaining} more octets`,
        this.offset,
      );
  }
}
