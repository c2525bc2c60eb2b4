import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../ports/octets.ts";
import { decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { TypeDescription } from "./compact-array.ts";
import { type Data, DataCodec } from "./data.ts";
import { DATA_DEPTH_MAX } from "./simple-data.ts";

const octets = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const number = (type: string, min: number, max: number): fc.Arbitrary<Data> =>
  fc.integer({ min, max }).map((value) => ({ type, value }) as Data);
const leaf: fc.Arbitrary<Data> = fc.oneof(
  fc.constantFrom<Data>({ type: "null-data", value: null }, { type: "dont-care", value: null }),
  fc.boolean().map((value): Data => ({ type: "boolean", value })),
  number("double-long", -0x8000_0000, 0x7fff_ffff),
  number("double-long-unsigned", 0, 0xffff_ffff),
  number("integer", -128, 127),
  number("long", -0x8000, 0x7fff),
  number("unsigned", 0, 0xff),
  number("long-unsigned", 0, 0xffff),
  number("enum", 0, 0xff),
  number("bcd", -128, 127),
  number("delta-integer", -128, 127),
  number("delta-long", -0x8000, 0x7fff),
  number("delta-double-long", -0x8000_0000, 0x7fff_ffff),
  number("delta-unsigned", 0, 0xff),
  number("delta-long-unsigned", 0, 0xffff),
  number("delta-double-long-unsigned", 0, 0xffff_ffff),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((value): Data => ({ type: "long64", value })),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value): Data => ({ type: "long64-unsigned", value })),
  fc.float({ noNaN: true }).map((value): Data => ({ type: "float32", value })),
  fc.double({ noNaN: true }).map((value): Data => ({ type: "float64", value })),
  octets(0, 20).map((value): Data => ({ type: "octet-string", value })),
  octets(12, 12).map((value): Data => ({ type: "date-time", value })),
  octets(5, 5).map((value): Data => ({ type: "date", value })),
  octets(4, 4).map((value): Data => ({ type: "time", value })),
  fc.string({ maxLength: 150 }).map((value): Data => ({ type: "visible-string", value })),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((value): Data => ({ type: "utf8-string", value })),
  octets(0, 4).map((value): Data => ({ type: "bit-string", value: { length: value.length * 8, octets: value } })),
);
const { data: anyData } = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.constantFrom("array" as const, "structure" as const), fc.array(tie("data"), { maxLength: 5 }))
      .map(([type, value]): Data => ({ type, value })),
  ),
}));

describe("Data", () => {
  it("goes both ways, whatever it holds", () => {
    fc.assert(
      fc.property(anyData, (data) => {
        expect(decode(DataCodec, encode(DataCodec, data))).toEqual(data);
      }),
      { numRuns: 500 },
    );
  });

  it("decodes any octets to a value that encodes again, or throws WireError", () => {
    fc.assert(
      fc.property(octets(0, 40), (input) => {
        try {
          const data = decode(DataCodec, input);
          expect(decode(DataCodec, encode(DataCodec, data))).toEqual(data);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["an array of four billion", "0184ffffffff11", "wire.limit"],
    ["a string of two billion octets", "09847fffffff00", "wire.limit"],
    ["an array longer than its octets", "010511", "wire.truncated"],
    ["an unknown tag", "0b00", "wire.tag"],
    ["UTF-8 that is none", "0c02c328", "wire.value"],
    ["nothing", "", "wire.truncated"],
    // 65535 arrays of 65535 empty values each would take no octets at all.
    ["a compact-array that unfolds without octets", "1301ffff01ffff0001ff", "wire.limit"],
  ])("refuses %s", (_, hex, code) => {
    expect(() => decode(DataCodec, fromHex(hex))).toThrow(expect.objectContaining({ code }));
  });

  it("nests as deep as the limit and no deeper", () => {
    const nested = (depth: number) => fromHex(`${"0201".repeat(depth)}00`);
    expect(() => decode(DataCodec, nested(DATA_DEPTH_MAX))).not.toThrow();
    expect(() => decode(DataCodec, nested(DATA_DEPTH_MAX + 1))).toThrow(
      expect.objectContaining({ code: "wire.limit" }),
    );
  });
});

describe("compact-array", () => {
  it("of structures packs members without tags", () => {
    const description: TypeDescription = { type: "structure", of: [{ type: "unsigned" }, { type: "long-unsigned" }] };
    const element = (a: number, b: number): Data => ({
      type: "structure",
      value: [
        { type: "unsigned", value: a },
        { type: "long-unsigned", value: b },
      ],
    });
    const data: Data = { type: "compact-array", value: { description, elements: [element(1, 2), element(3, 4)] } };
    expect(toHex(encode(DataCodec, data))).toBe("130202111206010002030004");
    expect(decode(DataCodec, fromHex("130202111206010002030004"))).toEqual(data);
  });
  it("refuses to write an element that is not as described", () => {
    const data: Data = {
      type: "compact-array",
      value: { description: { type: "unsigned" }, elements: [{ type: "long-unsigned", value: 1 }] },
    };
    expect(() => encode(DataCodec, data)).toThrow(expect.objectContaining({ code: "wire.value" }));
  });

  it("goes both ways, however deep its description nests", () => {
    const { description } = fc.letrec<{ description: TypeDescription }>((tie) => ({
      description: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom<TypeDescription>({ type: "unsigned" }, { type: "octet-string" }, { type: "long64" }),
        fc
          .tuple(fc.integer({ min: 1, max: 3 }), tie("description"))
          .map(([count, of]): TypeDescription => ({ type: "array", count, of })),
        fc
          .array(tie("description"), { minLength: 1, maxLength: 3 })
          .map((of): TypeDescription => ({ type: "structure", of })),
      ),
    }));
    const filled = (of: TypeDescription, seed: number): Data => {
      if (of.type === "array")
        return { type: "array", value: Array.from({ length: of.count }, (_, index) => filled(of.of, seed + index)) };
      if (of.type === "structure")
        return { type: "structure", value: of.of.map((member, index) => filled(member, seed + index)) };
      if (of.type === "long64") return { type: "long64", value: BigInt(-seed) };
      return of.type === "octet-string"
        ? { type: "octet-string", value: Uint8Array.of(seed & 0xff) }
        : { type: "unsigned", value: seed & 0xff };
    };
    fc.assert(
      fc.property(description, fc.nat(4), (of, count) => {
        const elements = Array.from({ length: count }, (_, index) => filled(of, index));
        const data: Data = { type: "compact-array", value: { description: of, elements } };
        expect(decode(DataCodec, encode(DataCodec, data))).toEqual(data);
      }),
    );
  });
});
