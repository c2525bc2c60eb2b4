/** Room that an empty writer keeps, octets. */
const KEPT_MAX = 4096;

/** Collects octets, big-endian. Ranges are the codecs' business. */
export class Writer {
  #octets: Uint8Array<ArrayBuffer>;
  #view: DataView | undefined;
  #length = 0;

  constructor(capacity = 128) {
    this.#octets = new Uint8Array(capacity);
  }

  #numbers(): DataView {
    this.#view ??= new DataView(this.#octets.buffer);
    return this.#view;
  }

  get length(): number {
    return this.#length;
  }

  /** Makes room for `length` octets and answers where they begin. */
  #room(length: number): number {
    const at = this.#length;
    this.#length = at + length;
    if (this.#length > this.#octets.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#octets.length * 2));
      grown.set(this.#octets);
      this.#octets = grown;
      this.#view = undefined;
    }
    return at;
  }

  unsigned8(value: number): void {
    const at = this.#room(1);
    this.#octets[at] = value;
  }
  unsigned16(value: number): void {
    const at = this.#room(2);
    this.#octets[at] = value >>> 8;
    this.#octets[at + 1] = value;
  }
  unsigned32(value: number): void {
    const at = this.#room(4);
    const octets = this.#octets;
    octets[at] = value >>> 24;
    octets[at + 1] = value >>> 16;
    octets[at + 2] = value >>> 8;
    octets[at + 3] = value;
  }
  unsigned64(value: bigint): void {
    const at = this.#room(8);
    this.#numbers().setBigUint64(at, value);
  }
  float32(value: number): void {
    const at = this.#room(4);
    this.#numbers().setFloat32(at, value);
  }
  float64(value: number): void {
    const at = this.#room(8);
    this.#numbers().setFloat64(at, value);
  }
  octets(octets: Uint8Array): void {
    const at = this.#room(octets.length);
    this.#octets.set(octets, at);
  }

  /** What was written; a view, valid until the next write. */
  done(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }

  /** Octets of its own that hold what was written; the writer is empty again. */
  taken(): Uint8Array {
    const octets = this.#octets.slice(0, this.#length);
    this.clear();
    return octets;
  }

  /** Forgets what was written, and the room for anything unusually long. */
  clear(): void {
    this.#length = 0;
    if (this.#octets.length <= KEPT_MAX) return;
    this.#octets = new Uint8Array(KEPT_MAX);
    this.#view = undefined;
  }
}
