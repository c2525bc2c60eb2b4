import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../wire/codec.ts";
import { type Data, DataCodec } from "../data.ts";
import type { AnyAttribute, AnyMethod } from "./interface-class.ts";
import { INTERFACE_CLASSES, interfaceClassOf } from "./interface-classes.ts";
import type { Form } from "./shape.ts";

const octetString = (length: number | undefined): fc.Arbitrary<Data> =>
  fc
    .uint8Array(length === undefined ? { maxLength: 16 } : { minLength: length, maxLength: length })
    .map((value) => ({ type: "octet-string", value }) as const);

const SIMPLE: Readonly<Partial<Record<Data["type"], fc.Arbitrary<unknown>>>> = {
  unsigned: fc.integer({ min: 0, max: 0xff }),
  "long-unsigned": fc.integer({ min: 0, max: 0xffff }),
  "double-long-unsigned": fc.integer({ min: 0, max: 0xffff_ffff }),
  "long64-unsigned": fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  integer: fc.integer({ min: -0x80, max: 0x7f }),
  long: fc.integer({ min: -0x8000, max: 0x7fff }),
  "double-long": fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  long64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  boolean: fc.boolean(),
  "visible-string": fc.string({ maxLength: 16 }),
  "utf8-string": fc.string({ maxLength: 16, unit: "grapheme" }),
  "bit-string": fc.uint8Array({ maxLength: 4 }).map((octets) => ({ length: octets.length * 8, octets })),
};

/** Data as a form describes them, in the way that this side writes them. */
function dataOf(form: Form): fc.Arbitrary<Data> {
  switch (form.kind) {
    case "simple": {
      const value =
        form.type === "enum"
          ? fc.constantFrom(...Object.values(form.names ?? { one: 1, other: 200 }))
          : SIMPLE[form.type];
      if (value === undefined) throw new Error(`no arbitrary for ${form.type}`);
      return value.map((each) => ({ type: form.type, value: each }) as Data);
    }
    case "octets":
      return octetString(form.length);
    case "any":
      return fc.constantFrom<Data>({ type: "unsigned", value: 7 }, { type: "structure", value: [] });
    case "date-time":
      return fc
        .tuple(fc.uint8Array({ minLength: 9, maxLength: 9 }), fc.integer({ min: -840, max: 840 }), fc.nat(0xff))
        .map(([parts, deviation, status]) => ({
          type: "octet-string",
          value: Uint8Array.of(...parts, (deviation >> 8) & 0xff, deviation & 0xff, status),
        }));
    case "date":
      return octetString(5);
    case "time":
      return octetString(4);
    case "optional":
      return fc.oneof(fc.constant<Data>({ type: "null-data", value: null }), dataOf(form.of));
    case "array":
      return fc.array(dataOf(form.of), { maxLength: 3 }).map((value) => ({ type: "array", value }));
    case "structure":
      return fc.tuple(...Object.values(form.members).map(dataOf)).map((value) => ({ type: "structure", value }));
  }
}

/** Data that no form but `any` describes. */
const ALIEN: Data = { type: "float64", value: 1 };

type Written = { readonly read: (data: Data) => unknown; readonly write: (value: unknown) => Data };
const partsOf = (parts: Readonly<Record<string, AnyAttribute | AnyMethod>>): [string, Form, Written][] =>
  Object.entries(parts).map(([name, part]) => {
    const shape = "shape" in part ? part.shape : part.parameter;
    return [name, shape.form, shape as unknown as Written];
  });

describe.each(
  INTERFACE_CLASSES.map((each) => [`${each.name} (${each.classId}, version ${each.version})`, each] as const),
)("%s", (_, each) => {
  test("reads and writes whatever its description allows, and comes back from the octets the same", () => {
    for (const [name, form, shape] of [...partsOf(each.attributes), ...partsOf(each.methods)])
      fc.assert(
        fc.property(dataOf(form), (data) => {
          const arrived = decode(DataCodec, encode(DataCodec, data));
          const value = shape.read(arrived);
          expect(value, name).toBeDefined();
          expect(shape.write(value), name).toEqual(data);
        }),
        { numRuns: 10, seed: each.classId },
      );
  });

  test("refuses data of another type, and structures of one member more or fewer", () => {
    for (const [name, form, shape] of [...partsOf(each.attributes), ...partsOf(each.methods)]) {
      if (form.kind === "any") continue;
      expect(shape.read(ALIEN), name).toBeUndefined();
      if (form.kind !== "structure") continue;
      const [whole] = fc.sample(dataOf(form), { numRuns: 1, seed: 1 });
      const members = (whole as Data & { type: "structure" }).value;
      expect(shape.read({ type: "structure", value: [...members, ALIEN] }), name).toBeUndefined();
      expect(shape.read({ type: "structure", value: members.slice(1) }), name).toBeUndefined();
    }
  });

  test("numbers attributes and methods from 1 without a gap", () => {
    const ids = (parts: Readonly<Record<string, { readonly id: number }>>) => Object.values(parts).map(({ id }) => id);
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
    expect(ids(each.attributes)).toEqual(upTo(ids(each.attributes).length));
    expect(ids(each.methods)).toEqual(upTo(ids(each.methods).length));
  });
});

test("a class is found in its own version only, and stands in the list once", () => {
  for (const each of INTERFACE_CLASSES) expect(interfaceClassOf(each.classId, each.version)).toBe(each);
  expect(interfaceClassOf(7, 200)).toBeUndefined();
});
