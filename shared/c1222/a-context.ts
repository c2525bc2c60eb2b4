import {
  absentable,
  type BerSequenceOf,
  berSequence,
  element,
  readElement,
  required,
  restOctets,
  writeElement,
} from "../wire/ber.ts";
import { type Codec, encode, prefixed } from "../wire/codec.ts";
import { berLength } from "../wire/definite-length.ts";
import { WireError } from "../wire/wire-error.ts";
import { ApTitle } from "./ap-title.ts";
import { oid } from "./oid.ts";

export const A_CONTEXT_TAG = 0x60;
/** Longest APDU that we take from a stream or join from segments, octets. */
export const APDU_MAX = 0x20_000;

/**
 * EXTERNAL of the user information: what is octet-aligned in it is an EPSEM APDU, or a slice of a whole APDU when the
 * reference says where it belongs.
 */
export interface UserInformation {
  /** Content of the indirect reference; of a segment: its offset in the whole APDU. */
  readonly indirectReference: Uint8Array | undefined;
  readonly octetAligned: Uint8Array;
}

const INTEGER = 0x02;
const EXTERNAL = 0x28;
const OCTET_ALIGNED = 0x81;
const External: Codec<UserInformation> = {
  read: (source) => {
    const indirectReference = source.peek() === INTEGER ? readElement(source).content.rest() : undefined;
    return { indirectReference, octetAligned: element(OCTET_ALIGNED, restOctets).read(source) };
  },
  write: (target, { indirectReference, octetAligned }) => {
    if (indirectReference !== undefined) writeElement(target, INTEGER, indirectReference);
    writeElement(target, OCTET_ALIGNED, octetAligned);
  },
};

/** INTEGER content of 1 to 4 octets, kept as it came: it is copied into answers, never made anew. */
const integerContent: Codec<Uint8Array> = element(INTEGER, {
  read: (source) => {
    const { offset, remaining } = source;
    if (remaining < 1 || remaining > 4)
      throw new WireError("wire.value", `expected an INTEGER of 1 to 4 octets, got ${remaining}`, offset);
    return source.rest();
  },
  write: (target, octets) => target.octets(octets),
});

/** An integer of 1 to 4 octets as these stacks read it: unsigned. */
export const unsignedOf = (content: Uint8Array): number => content.reduce((value, octet) => value * 0x100 + octet, 0);

/** Shortest INTEGER content of an unsigned number below 2^31. */
export function integerContentOf(value: number): Uint8Array {
  const octets: number[] = [value & 0xff];
  for (let rest = Math.floor(value / 0x100); rest > 0; rest = Math.floor(rest / 0x100)) octets.unshift(rest & 0xff);
  if (octets[0]! >= 0x80) octets.unshift(0);
  return Uint8Array.from(octets);
}

const ELEMENTS = {
  asoContext: absentable(0xa1, element(0x06, oid)),
  calledApTitle: absentable(0xa2, ApTitle),
  calledAeQualifier: absentable(0xa3, integerContent),
  calledApInvocationId: absentable(0xa4, integerContent),
  callingApTitle: absentable(0xa6, ApTitle),
  callingAeQualifier: absentable(0xa7, integerContent),
  callingApInvocationId: required(0xa8, integerContent),
  mechanismName: absentable(0x8b, oid),
  callingAuthenticationValue: absentable(0xac, restOctets),
  userInformation: required(0xbe, element(EXTERNAL, External)),
};
const elements = berSequence("A-CONTEXT", ELEMENTS);

/** The ACSE PDU that carries everything in C12.22. Invocation ids and qualifiers are INTEGER contents. */
export type AContext = BerSequenceOf<typeof ELEMENTS>;

export const AContext: Codec<AContext> = prefixed("A-CONTEXT", A_CONTEXT_TAG, {
  read: (source) => {
    const { offset } = source;
    const length = berLength.read(source);
    if (length > APDU_MAX)
      throw new WireError("wire.limit", `expected an APDU of at most ${APDU_MAX} octets, got ${length}`, offset);
    return elements.read(source.inner(length, "the A-CONTEXT"));
  },
  write: (target, value) => {
    const content = encode(elements, value);
    berLength.write(target, content.length);
    target.octets(content);
  },
});

/** An A-CONTEXT without elements, to be spread into one that has some. */
export const NO_ELEMENTS = {
  asoContext: undefined,
  calledApTitle: undefined,
  calledAeQualifier: undefined,
  calledApInvocationId: undefined,
  callingApTitle: undefined,
  callingAeQualifier: undefined,
  mechanismName: undefined,
  callingAuthenticationValue: undefined,
} as const;

/** Bits of the calling AE qualifier. */
export const AE_QUALIFIER = { test: 0x01, urgent: 0x02, notification: 0x04 } as const;
