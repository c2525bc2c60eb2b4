import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../ports/octets.ts";
import { decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { AContext } from "./a-context.ts";

const octets = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const arcs = fc.array(fc.integer({ min: 0, max: 0x7fff_ffff }), { minLength: 1, maxLength: 6 });
const title = fc.oneof(
  arcs.map((rest) => `.${rest.join(".")}`),
  arcs.map((rest) => `2.16.${rest.join(".")}`),
);
const identifier = arcs.map((rest) => `1.3.${rest.join(".")}`);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** Every element there or not, with content short and long enough for each form of length up to three octets. */
const anyContext = fc.record<AContext>({
  asoContext: maybe(identifier),
  calledApTitle: maybe(title),
  calledAeQualifier: maybe(octets(1, 4)),
  calledApInvocationId: maybe(octets(1, 4)),
  callingApTitle: maybe(title),
  callingAeQualifier: maybe(octets(1, 4)),
  callingApInvocationId: octets(1, 4),
  mechanismName: maybe(identifier),
  callingAuthenticationValue: maybe(octets(0, 200)),
  userInformation: fc.record({ indirectReference: maybe(octets(1, 4)), octetAligned: octets(0, 400) }),
});

describe("A-CONTEXT", () => {
  it("goes both ways with any of its elements, and no truncation of it passes", () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const encoded = encode(AContext, context);
        expect(decode(AContext, encoded)).toEqual(context);
        for (let length = 0; length < encoded.length; length += 1 + (length >> 4))
          expect(() => decode(AContext, encoded.subarray(0, length))).toThrow(WireError);
        expect(() => decode(AContext, concat(encoded, Uint8Array.of(0)))).toThrow(WireError);
      }),
      { numRuns: 200, seed: 1222 },
    );
  });

  it("is taken with lengths that are longer than they need be, and written with the shortest", () => {
    const shortest = "600ca803020101be052803810180";
    const longer = "6083000010a8810402810101be8200052803810180";
    expect(toHex(encode(AContext, decode(AContext, fromText(longer))))).toBe(shortest);
    const large = decode(AContext, fromText(shortest));
    const octetAligned = new Uint8Array(70_000).fill(0x80);
    const written = encode(AContext, { ...large, userInformation: { ...large.userInformation, octetAligned } });
    expect(toHex(written.subarray(0, 5))).toBe("6083011184");
    expect(decode(AContext, written).userInformation.octetAligned).toHaveLength(70_000);
    for (const refused of ["6080a80302010100", "6085000000000c", "60ff"])
      expect(() => decode(AContext, fromText(refused))).toThrow(WireError);
  });
});

const fromText = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
