import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../ports/octets.ts";
import { absentable, berInteger, berSequence, required, restOctets } from "./ber.ts";
import { choice, decode, encode, sequence, tagged } from "./codec.ts";
import { definiteLength } from "./definite-length.ts";
import {
  integer8,
  integer16,
  integer32,
  integer64,
  unsigned8,
  unsigned16,
  unsigned32,
  unsigned64,
} from "./integers.ts";
import { octetString } from "./octet-string.ts";

describe("integers", () => {
  it.each([
    ["unsigned8", unsigned8, 0xff, "ff"],
    ["unsigned16", unsigned16, 0x1234, "1234"],
    ["unsigned32", unsigned32, 0xffff_fffe, "fffffffe"],
    ["integer8", integer8, -1, "ff"],
    ["integer16", integer16, -32768, "8000"],
    ["integer32", integer32, -2, "fffffffe"],
  ])("%s goes both ways", (_, codec, value, hex) => {
    expect(toHex(encode(codec, value))).toBe(hex);
    expect(decode(codec, fromHex(hex))).toBe(value);
  });
  it("64-bit integers are bigint", () => {
    expect(toHex(encode(unsigned64, (1n << 64n) - 1n))).toBe("ffffffffffffffff");
    expect(decode(integer64, fromHex("ffffffffffffffff"))).toBe(-1n);
    expect(() => encode(unsigned64, -1n)).toThrow(expect.objectContaining({ code: "wire.value" }));
  });
  it.each([
    [unsigned8, 256],
    [unsigned8, -1],
    [integer8, 128],
    [unsigned16, 0.5],
    [unsigned32, Number.NaN],
  ])("refuses to write what does not fit", (codec, value) => {
    expect(() => encode(codec, value)).toThrow(expect.objectContaining({ code: "wire.value" }));
  });
});

describe("lengths", () => {
  it.each([
    [0, "00"],
    [127, "7f"],
    [128, "8180"],
    [255, "81ff"],
    [256, "820100"],
    [0x10000, "8400010000"],
  ])("%i is written shortest", (length, hex) => {
    expect(toHex(encode(definiteLength, length))).toBe(hex);
    expect(decode(definiteLength, fromHex(hex))).toBe(length);
  });
  it("accepts three octets and refuses indefinite and longer forms", () => {
    expect(decode(definiteLength, fromHex("83000005"))).toBe(5);
    for (const hex of ["80", "850000000001", "ff"])
      expect(() => decode(definiteLength, fromHex(hex))).toThrow(expect.objectContaining({ code: "wire.value" }));
  });
});

describe("decode", () => {
  const codec = sequence({ first: unsigned8, name: octetString(4) });
  it("refuses left-over octets and tells where", () => {
    expect(() => decode(codec, fromHex("01024142ff"))).toThrow(
      expect.objectContaining({ code: "wire.left-over", offset: 4 }),
    );
  });
  it("refuses a length above its limit before it looks for the octets", () => {
    expect(() => decode(codec, fromHex("0184ffffffff"))).toThrow(
      expect.objectContaining({ code: "wire.limit", offset: 1 }),
    );
  });
  it("tells the offset in the frame that it is given", () => {
    expect(() => decode(codec, fromHex("0103"), 100)).toThrow(
      expect.objectContaining({ code: "wire.truncated", offset: 102 }),
    );
  });
  it("names the choice and refuses an unknown one", () => {
    const either = choice("a test", {
      one: tagged(1, sequence({ a: unsigned8 })),
      two: tagged(2, sequence({ b: unsigned8 })),
    });
    expect(decode(either, fromHex("0205"))).toEqual({ kind: "two", b: 5 });
    expect(toHex(encode(either, { kind: "one", a: 7 }))).toBe("0107");
    expect(() => decode(either, fromHex("0305"))).toThrow(expect.objectContaining({ code: "wire.tag", offset: 0 }));
  });
});

describe("BER", () => {
  const codec = berSequence("a test", { number: required(0xa0, berInteger), octets: absentable(0x81, restOctets) });
  it("skips unknown elements and refuses repeated and absent ones", () => {
    expect(decode(codec, fromHex("8703aabbcc" + "a00105" + "8100"))).toEqual({ number: 5, octets: new Uint8Array(0) });
    expect(() => decode(codec, fromHex("a00105a00105"))).toThrow(expect.objectContaining({ code: "wire.value" }));
    expect(() => decode(codec, fromHex("810100"))).toThrow(expect.objectContaining({ code: "wire.truncated" }));
  });
  it("integers go both ways, shortest", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
        const octets = encode(berInteger, value);
        expect(decode(berInteger, octets)).toBe(value);
      }),
    );
    expect(toHex(encode(berInteger, 128))).toBe("0080");
    expect(toHex(encode(berInteger, -128))).toBe("80");
  });
});
