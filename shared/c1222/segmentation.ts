import { toHex } from "../ports/octets.ts";
import { decode, encode } from "../wire/codec.ts";
import { AContext, APDU_MAX, NO_ELEMENTS, unsignedOf } from "./a-context.ts";
import { absoluteTitle } from "./ap-title.ts";
import { responseCode } from "./response-code.ts";

/** Octets that a segment has besides its slice, at most. */
const SEGMENT_OVERHEAD = 160;
/** Payload of a datagram that every IPv4 network carries (RFC 6142: datagrams of 576 octets). */
export const DATAGRAM_OCTETS = 548;
/** How long segments wait for the others, ms. */
export const REASSEMBLY_MS = 30_000;
/** Messages that are put together at the same time, at most: the oldest gives way. */
const MESSAGES_MAX = 64;

/** Unsigned content in 1, 2 or 3 octets, as segments have it: there is no sign. */
function unsignedContent(value: number): Uint8Array {
  if (value <= 0xff) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(value >>> 8, value);
  return Uint8Array.of(value >>> 16, value >>> 8, value);
}

/**
 * Cuts a whole APDU into segments whose slices have at most so many octets; each is an APDU of its own. Security was
 * applied before. The layout is that of one published stack (docs/standards.md: unverified).
 */
export function segmentsOf(apdu: Uint8Array, sliceOctets: number): readonly Uint8Array[] {
  const { asoContext, calledApTitle, callingApTitle, callingAeQualifier, callingApInvocationId } = decode(
    AContext,
    apdu,
  );
  const segments: Uint8Array[] = [];
  for (let offset = 0; offset < apdu.length; offset += sliceOctets)
    segments.push(
      encode(AContext, {
        ...NO_ELEMENTS,
        asoContext,
        calledApTitle,
        calledAeQualifier: unsignedContent(apdu.length),
        callingApTitle,
        callingAeQualifier,
        callingApInvocationId,
        userInformation: {
          indirectReference: unsignedContent(offset),
          octetAligned: apdu.subarray(offset, offset + sliceOctets),
        },
      }),
    );
  return segments;
}

/** Datagrams of an APDU: itself where it fits, else its segments. `datagramOctets`: most of one datagram's payload. */
export const datagramsOf = (apdu: Uint8Array, datagramOctets: number): readonly Uint8Array[] =>
  apdu.length <= datagramOctets ? [apdu] : segmentsOf(apdu, Math.max(1, datagramOctets - SEGMENT_OVERHEAD));

/** Whether an APDU is a segment of another one. */
export const isSegment = ({ calledAeQualifier, userInformation }: AContext): boolean =>
  calledAeQualifier !== undefined && userInformation.indirectReference !== undefined;

export type Reassembled =
  | { readonly kind: "whole"; readonly apdu: Uint8Array }
  | { readonly kind: "waiting" }
  | { readonly kind: "refused"; readonly responseCode: number };

interface Message {
  readonly octets: Uint8Array;
  readonly present: Uint8Array;
  missing: number;
  readonly until: number;
  done: boolean;
}

const REFUSED: Reassembled = { kind: "refused", responseCode: responseCode("sgerr") };
const WAITING: Reassembled = { kind: "waiting" };

/** Joins segments that come in any order and more than once. What contradicts itself is given up. */
export class Reassembly {
  readonly #messages = new Map<string, Message>();

  /** Messages under way. */
  get pending(): number {
    return this.#messages.size;
  }

  /** `now`: clock milliseconds. */
  push(now: number, segment: AContext): Reassembled {
    for (const [key, { until }] of this.#messages) if (until <= now) this.#messages.delete(key);
    const total = unsignedOf(segment.calledAeQualifier ?? new Uint8Array(0));
    const { indirectReference, octetAligned: slice } = segment.userInformation;
    const offset = unsignedOf(indirectReference ?? new Uint8Array(0));
    const key = `${absoluteTitle(segment.callingApTitle ?? ".")} ${toHex(segment.callingApInvocationId)}`;
    if (total > APDU_MAX) return { kind: "refused", responseCode: responseCode("sgnp") };
    const message = this.#messages.get(key) ?? this.#begin(key, total, now);
    if (slice.length === 0 || offset + slice.length > total || total !== message.octets.length)
      return this.#giveUp(key);
    for (let index = 0; index < slice.length; index++) {
      const at = offset + index;
      if (message.present[at] === 1 && message.octets[at] !== slice[index]) return this.#giveUp(key);
      message.missing -= message.present[at] === 1 ? 0 : 1;
      message.present[at] = 1;
      message.octets[at] = slice[index]!;
    }
    if (message.missing > 0 || message.done) return WAITING; // late duplicates of a message that is whole change nothing
    message.done = true;
    return { kind: "whole", apdu: message.octets };
  }

  #begin(key: string, total: number, now: number): Message {
    const [oldest] = this.#messages.keys();
    if (this.#messages.size >= MESSAGES_MAX && oldest !== undefined) this.#messages.delete(oldest);
    const message: Message = {
      octets: new Uint8Array(total),
      present: new Uint8Array(total),
      missing: total,
      until: now + REASSEMBLY_MS,
      done: false,
    };
    this.#messages.set(key, message);
    return message;
  }

  #giveUp(key: string): Reassembled {
    this.#messages.delete(key);
    return REFUSED;
  }
}
