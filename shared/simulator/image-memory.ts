import type { IMAGE_TRANSFER_STATUS } from "../dlms/objects/image-transfer.ts";
import type { Crypto } from "../ports/crypto.ts";
import { concat, equalOctets } from "../ports/octets.ts";

export type ImageStatus = keyof typeof IMAGE_TRANSFER_STATUS;

/** Octets of a block, and the largest image that fits. */
export const IMAGE_BLOCK = 200;
export const IMAGE_MAX = 1_048_576;
/** How long a meter verifies and activates, true time, ms. */
export const VERIFY_MS = 3_000;
export const ACTIVATE_MS = 10_000;

const MAGIC = new TextEncoder().encode("HRSFW1");
const DIGEST_OCTETS = 32;

/**
 * A firmware image as simulated meters take it: magic, version text with its length, filling, and the SHA-256 of all
 * before it. `octets` in all.
 */
export function simulatedImage(crypto: Crypto, version: string, octets: number): Uint8Array {
  const name = new TextEncoder().encode(version);
  const head = concat(MAGIC, Uint8Array.of(name.length), name);
  const body = new Uint8Array(Math.max(head.length, octets - DIGEST_OCTETS));
  for (let index = 0; index < body.length; index++) body[index] = (index * 31) & 0xff;
  body.set(head);
  return concat(body, crypto.hash("sha256", body));
}

/** The version in an image that is whole and genuine; undefined: it is not. */
function versionIn(crypto: Crypto, image: Uint8Array): string | undefined {
  const body = image.subarray(0, Math.max(0, image.length - DIGEST_OCTETS));
  if (body.length <= MAGIC.length || !equalOctets(body.subarray(0, MAGIC.length), MAGIC)) return undefined;
  if (!equalOctets(crypto.hash("sha256", body), image.subarray(body.length))) return undefined;
  const length = body[MAGIC.length] ?? 0;
  const name = body.subarray(MAGIC.length + 1, MAGIC.length + 1 + length);
  return name.length === length && length > 0 ? new TextDecoder().decode(name) : undefined;
}

interface Transfer {
  readonly identifier: Uint8Array;
  readonly size: number;
  readonly octets: Uint8Array;
  readonly received: Uint8Array;
}

/** What a meter holds of firmware: the version that runs, and an image on its way. */
export class ImageMemory {
  readonly #crypto: Crypto;
  readonly #now: () => number;
  readonly #onActivated: (version: string) => void;
  #active: string;
  #transfer: Transfer | undefined;
  #status: ImageStatus = "not-initiated";
  /** True time at which what is under way ends. */
  #until = 0;
  enabled = true;

  /** `now`: true time, ms. */
  constructor(crypto: Crypto, now: () => number, active: string, onActivated: (version: string) => void) {
    this.#crypto = crypto;
    this.#now = now;
    this.#active = active;
    this.#onActivated = onActivated;
  }

  get blockCount(): number {
    return this.#transfer === undefined ? 0 : Math.ceil(this.#transfer.size / IMAGE_BLOCK);
  }

  /** The version that runs. */
  get active(): string {
    this.#settle();
    return this.#active;
  }

  get status(): ImageStatus {
    this.#settle();
    return this.#status;
  }

  /** Of the image that was verified: what would be activated. */
  get verified():
    | { readonly identifier: Uint8Array; readonly size: number; readonly signature: Uint8Array }
    | undefined {
    const transfer = this.#transfer;
    if (transfer === undefined || !["verification-successful", "activation-initiated"].includes(this.status))
      return undefined;
    const { identifier, size, octets } = transfer;
    return { identifier, size, signature: octets.slice(size - DIGEST_OCTETS) };
  }

  /** False: refused. A transfer under way is forgotten. */
  initiate(identifier: Uint8Array, size: number): boolean {
    if (!this.enabled || size <= 0 || size > IMAGE_MAX || this.#busy()) return false;
    const blocks = Math.ceil(size / IMAGE_BLOCK);
    this.#transfer = {
      identifier: identifier.slice(),
      size,
      octets: new Uint8Array(size),
      received: new Uint8Array(blocks),
    };
    this.#status = "initiated";
    return true;
  }

  /** False: nobody initiated it, no such block, or not of its length. */
  block(number: number, value: Uint8Array): boolean {
    const transfer = this.#transfer;
    if (!this.enabled || transfer === undefined || this.status !== "initiated" || number >= this.blockCount)
      return false;
    const from = number * IMAGE_BLOCK;
    if (value.length !== Math.min(IMAGE_BLOCK, transfer.size - from)) return false;
    transfer.octets.set(value, from);
    transfer.received[number] = 1;
    return true;
  }

  received(number: number): boolean {
    return this.#transfer?.received[number] === 1;
  }

  get firstMissing(): number {
    const missing = this.#transfer?.received.indexOf(0) ?? 0;
    return missing < 0 ? this.blockCount : missing;
  }

  /** What image_verify answers. */
  verify(): "success" | "temporary-failure" | "other-reason" {
    const status = this.status;
    if (status === "verification-successful") return "success";
    if (status === "verification-initiated") return "temporary-failure";
    if (status !== "initiated" || this.firstMissing < this.blockCount) return "other-reason";
    this.#status = "verification-initiated";
    this.#until = this.#now() + VERIFY_MS;
    return "temporary-failure";
  }

  activate(): "success" | "temporary-failure" | "other-reason" {
    const status = this.status;
    if (status === "activation-initiated") return "temporary-failure";
    if (status === "activation-successful") return "success";
    if (status !== "verification-successful") return "other-reason";
    this.#status = "activation-initiated";
    this.#until = this.#now() + ACTIVATE_MS;
    return "temporary-failure";
  }

  #busy(): boolean {
    return ["verification-initiated", "activation-initiated"].includes(this.status);
  }

  #settle(): void {
    if (this.#now() < this.#until || this.#transfer === undefined) return;
    const version = versionIn(this.#crypto, this.#transfer.octets);
    if (this.#status === "verification-initiated")
      this.#status = version === undefined ? "verification-failed" : "verification-successful";
    else if (this.#status === "activation-initiated") {
      this.#status = version === undefined ? "activation-failed" : "activation-successful";
      if (version === undefined) return;
      this.#active = version;
      this.#onActivated(version);
    }
  }
}
