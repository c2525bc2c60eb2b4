import { concat } from "../ports/octets.ts";
import { definiteLength } from "../wire/definite-length.ts";
import { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import { A_CONTEXT_TAG, APDU_MAX } from "./a-context.ts";

/**
 * Cuts a TCP stream into APDUs, which follow each other without a frame around them (RFC 6142). Anything but an APDU's
 * tag where one should begin means that the framing is lost: throws `WireError`, and the connection is of no use any more.
 */
export class ApduSplitter {
  #rest: Uint8Array = new Uint8Array(0);

  /** Octets of an APDU that has not come whole. */
  get pending(): number {
    return this.#rest.length;
  }

  push(octets: Uint8Array): readonly Uint8Array[] {
    let rest = this.#rest.length === 0 ? octets : concat(this.#rest, octets);
    const apdus: Uint8Array[] = [];
    for (let length = apduLength(rest); length !== undefined && length <= rest.length; length = apduLength(rest)) {
      apdus.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    this.#rest = rest.slice(); // the caller may use its buffer again
    return apdus;
  }
}

/** Octets of the APDU that begins here; undefined: its length has not come whole. */
function apduLength(octets: Uint8Array): number | undefined {
  const [tag, first] = octets;
  if (tag === undefined) return undefined;
  if (tag !== A_CONTEXT_TAG)
    throw new WireError("wire.tag", `expected an A-CONTEXT (0x60), got 0x${tag.toString(16).padStart(2, "0")}`, 0, {
      tag,
    });
  if (first === undefined) return undefined;
  const header = 2 + (first > 0x80 ? first & 0x7f : 0);
  if (first !== 0x80 && first <= 0x84 && octets.length < header) return undefined;
  const source = new Reader(octets, 0, 1);
  const length = definiteLength.read(source);
  if (length > APDU_MAX)
    throw new WireError("wire.limit", `expected an APDU of at most ${APDU_MAX} octets, got ${length}`, 1);
  return header + length;
}
