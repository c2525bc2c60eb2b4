import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../ports/octets.ts";
import { below, seeded } from "../ports/random.ts";
import { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import { Writer } from "../wire/writer.ts";
import { type Field, parseDescription } from "./description.ts";
import type { GenConfig } from "./gen-config.ts";
import { decimalText, readNonInteger, writeNonInteger } from "./non-integer.ts";
import {
  procedureRequestOctets,
  procedureRequestOf,
  procedureResponseOctets,
  procedureResponseOf,
} from "./procedure.ts";
import { contextOf, readGenConfig, STANDARD_TABLES } from "./standard-tables.ts";
import { rangeOfIndex } from "./table-index.ts";
import {
  layoutCodec,
  layoutOctets,
  readTable,
  type TableContext,
  type TableRecord,
  writeTable,
} from "./table-layout.ts";
import { readTime, writeTime } from "./time.ts";
import vectors from "./vectors/time-vectors.json" with { type: "json" };

const CONFIG: GenConfig = {
  dataOrder: "little",
  charFormat: 1,
  timeFormat: 4,
  dataAccessMethod: 1,
  idForm: 0,
  intFormat: 0,
  niFormat1: 8,
  niFormat2: 8,
};
const CONTEXT: TableContext = { config: CONFIG, tables: [] };

/** Reads, writes the same octets, and refuses every truncation. */
function both(description: string, hex: string, context = CONTEXT) {
  const fields = parseDescription(description);
  const octets = fromHex(hex);
  const value = readTable(fields, context, octets);
  expect(toHex(writeTable(fields, context, value))).toBe(hex);
  for (let length = 0; length < octets.length; length++)
    expect(() => readTable(fields, context, octets.subarray(0, length))).toThrow(WireError);
  expect(() => readTable(fields, context, fromHex(`${hex}00`))).toThrow(WireError);
  return value;
}

describe("descriptions", () => {
  it("say counts, conditions, bits and records", () => {
    const text = `record PART { A : UINT8; B : INT16 if WIDE; }
      FLAGS : UINT8 { WIDE : 0; MANY : 1 .. 3; };  # a comment
      PARTS : PART [MANY];
      MEMBERS : SET((MANY + 7) / 8);
      NAME : STRING(MANY * 2) if not WIDE or MANY == 2;`;
    expect(both(text, "0505feff06ffff03" + "41424344")).toEqual({
      FLAGS: { WIDE: true, MANY: 2 },
      PARTS: [
        { A: 5, B: -2 },
        { A: 6, B: -1 },
      ],
      MEMBERS: [0, 1],
      NAME: "ABCD",
    });
    expect(both(text, "0200004142".replace("0000", "0700")).PARTS).toEqual([{ A: 7, B: undefined }]);
  });
  it("follow the meter's data order", () => {
    expect(both("A : UINT32; B : UINT64;", "01000000" + "0200000000000000")).toEqual({ A: 1, B: 2n });
    const big = { config: { ...CONFIG, dataOrder: "big" as const }, tables: [] };
    expect(both("A : UINT24;", "000102", big)).toEqual({ A: 258 });
  });
  it.each([
    "A : NOTHING;",
    "A : UINT8",
    "A UINT8;",
    "A : UINT8 { B : 8; };",
    "A : UINT8 [B];",
    "A : STRING(3;",
    "A : $;",
  ])("are refused when they say nothing: %s", (text) =>
    expect(() => readTable(parseDescription(text), CONTEXT, fromHex("00"))).toThrow(
      expect.objectContaining({ code: "c1219.description" }),
    ),
  );
});

describe("numbers", () => {
  it.each([
    [0, "000000000000f83f", "15e-1"],
    [1, "cdcccc3d", "1e-1"],
    [2, "202020202d31322e35303030".slice(0, 24), "-125000e-4"],
    [4, "10270000", "10000e-4"],
    [7, "feffff", "-2e0"],
    [8, "ffffff7f", "2147483647e0"],
    [11, "feffffffffffffff", "-2e0"],
  ])("NI format %i", (format, hex, text) => {
    const value = readNonInteger(new Reader(fromHex(hex)), format, CONFIG);
    expect(decimalText(value)).toBe(text);
    if (format === 2) return; // a text can say one number in many ways
    const target = new Writer();
    writeNonInteger(target, format, value, CONFIG);
    expect(toHex(target.done())).toBe(hex);
  });
  it.each([
    [5, "000000012345", "12345e0"],
    [5, "d00000123b45", "-12345e-2"],
    [6, "0000b125", "125e-3"],
    [12, "9999999999999999", "9999999999999999e0"],
  ])("FIXED_BCD, where the device profile says how: format %i, %s", (format, hex, text) => {
    const config: GenConfig = { ...CONFIG, fixedBcd: "point-b-minus-d" };
    const value = readNonInteger(new Reader(fromHex(hex)), format, config);
    expect(decimalText(value)).toBe(text);
    const target = new Writer();
    writeNonInteger(target, format, value, config);
    expect(readNonInteger(new Reader(target.done()), format, config)).toEqual(value);
    expect(() => readNonInteger(new Reader(fromHex(`a${hex.slice(1)}`)), format, config)).toThrow(WireError);
  });
  it("FIXED_BCD is not interpreted where nobody says how it is coded", () => {
    for (const format of [5, 6, 12, 15])
      expect(() => readNonInteger(new Reader(new Uint8Array(32)), format, CONFIG)).toThrow(
        expect.objectContaining({ code: "c1219.ni-format" }),
      );
  });
  it("sign and magnitude, one's complement", () => {
    expect(both("A : INT16;", "0280", { config: { ...CONFIG, intFormat: 2 }, tables: [] })).toEqual({ A: -2 });
    expect(both("A : INT16;", "fdff", { config: { ...CONFIG, intFormat: 1 }, tables: [] })).toEqual({ A: -2 });
  });
});

describe("times", () => {
  it.each(vectors.ltime)("$id", ({ tm_format: timeFormat, type, hex, value, value_epoch_s: seconds }) => {
    const config: GenConfig = { ...CONFIG, timeFormat };
    const expected = value === undefined ? (seconds ?? 0) * 1000 : Date.parse(`${value}Z`);
    const kind = type as "LTIME_DATE" | "STIME_DATE";
    expect(readTime(new Reader(fromHex(hex)), kind, config)).toBe(expected);
    const target = new Writer();
    writeTime(target, kind, expected, config);
    expect(toHex(target.done())).toBe(hex);
  });
  it.each([
    [1, "235958"],
    [2, "173b3a"],
    [3, "7e510100"],
    [4, "7e510100"],
  ])("a time of day in time format %i", (timeFormat, hex) => {
    const config: TableContext = { config: { ...CONFIG, timeFormat }, tables: [] };
    expect(both("A : TIME;", hex, config)).toEqual({ A: 86_398_000 });
    expect(() => both("A : TIME;", "ff".repeat(hex.length / 2), config)).toThrow(WireError);
  });
  it("no date is null, an impossible one is refused", () => {
    const config: GenConfig = { ...CONFIG, timeFormat: 2 };
    expect(readTime(new Reader(new Uint8Array(6)), "LTIME_DATE", config)).toBeNull();
    expect(() => readTime(new Reader(fromHex("1a0d01000000")), "LTIME_DATE", config)).toThrow(WireError);
  });
});

describe("identifications", () => {
  it("are text, or BCD of half as many octets", () => {
    expect(both("A : IDENTIFICATION(4);", "41424320")).toEqual({ A: "ABC " });
    const bcd: TableContext = { config: { ...CONFIG, idForm: 1 }, tables: [] };
    expect(both("A : IDENTIFICATION(4); B : BCD(1);", "001299", bcd)).toEqual({ A: "0012", B: "99" });
    expect(() => both("A : IDENTIFICATION(4);", "00a2", bcd)).toThrow(WireError);
  });
  it("are not read in characters of several octets", () =>
    expect(() =>
      readTable(
        parseDescription("A : STRING(2);"),
        { config: { ...CONFIG, charFormat: 4 }, tables: [] },
        fromHex("4142"),
      ),
    ).toThrow(expect.objectContaining({ code: "c1219.char-format" })));
});

describe("an index names octets", () => {
  const fields = parseDescription(`
    HEAD : UINT8 { MANY : 0 .. 3; WIDE : 4; };
    MORE : UINT32 if WIDE;
    PARTS : { A : UINT8; B : UINT16 [2]; } [MANY];
    TAIL : UINT8;`);
  const octets = fromHex("02" + "0101000200" + "0203000400" + "ff");
  it.each([
    [[0], 1, 0, 1],
    [[0], 0, 0, 12],
    [[2], 1, 1, 10],
    [[2, 1], 1, 6, 5],
    [[2, 0], 0, 1, 10],
    [[2, 1, 1], 1, 7, 4],
    [[2, 1, 1, 1], 1, 9, 2],
    [[3], 1, 11, 1],
  ])("%j, %i elements", (index, count, offset, length) =>
    expect(rangeOfIndex(fields, CONTEXT, octets, index, count)).toEqual({ offset, length }),
  );
  it.each([[[4]], [[1, 0]], [[2, 2]], [[2, 1, 2]], [[2, 1, 1, 2]], [[0, 0]], [[3, 0]]])("none at %j", (index) =>
    expect(rangeOfIndex(fields, CONTEXT, octets, index, 1)).toBeUndefined(),
  );
  it("and no more than there are", () => expect(rangeOfIndex(fields, CONTEXT, octets, [2, 1], 2)).toBeUndefined());
});

/** Values that fit a layout: small numbers, so that arrays stay short. */
function sample(fields: readonly Field[], context: TableContext): TableRecord {
  for (let seed = 0; ; seed++)
    try {
      const random = seeded(`table ${seed}`);
      const octets = Uint8Array.from({ length: 4096 }, () => Math.max(0, below(random, 8) - 3));
      return layoutCodec(fields, context).read(new Reader(octets));
    } catch (error) {
      if (!(error instanceof WireError) || seed === 400) throw error;
    }
}

describe("standard tables", () => {
  it.each([...STANDARD_TABLES.values()].map((one) => [one.number, one.name, one] as const))(
    "%i %s is written as it is read, and every truncation refused",
    (_, _name, { fields, uses, number }) => {
      const table0 = fromHex(
        `021c88${"48525331"}0200ff_ff0200${"12"}0004000000`.replace("_", "") + "ff".repeat(36) + "00".repeat(4),
      );
      const base = readGenConfig(table0);
      expect(base).toBeDefined();
      if (base === undefined) return;
      const read = new Map<number, TableRecord>([[0, base.tables.at(-1) ?? {}]]);
      const whole = [...new Set(uses.flatMap((id) => [...(STANDARD_TABLES.get(id)?.uses ?? []), id]))];
      let context = contextOf(base, read);
      for (const id of whole) {
        read.set(id, sample(STANDARD_TABLES.get(id)?.fields ?? [], context));
        context = contextOf(base, read);
      }
      const value = number === 0 ? (base.tables.at(-1) ?? {}) : sample(fields, context);
      const octets = writeTable(fields, context, value);
      expect(readTable(fields, context, octets)).toEqual(value);
      for (let length = 0; length < octets.length; length += Math.max(1, octets.length >> 6))
        expect(() => readTable(fields, context, octets.subarray(0, length))).toThrow(WireError);
    },
  );

  it("table 0 says how to read itself and which sets there are", () => {
    const head = fromHex("021922" + "48524d31" + "0200" + "10ff" + "0200" + "0200" + "0000" + "0000" + "0b80" + "0000");
    const context = readGenConfig(head);
    expect(context?.config).toMatchObject({ dataOrder: "little", timeFormat: 1, niFormat1: 2, niFormat2: 2 });
    expect(context?.tables.at(-1)).toMatchObject({ STD_TBLS_USED: [0, 1, 3, 15], DIM_STD_TBLS_USED: 2 });
  });
  it("registers have the sizes that table 21 says", () => {
    const limits = readTable(STANDARD_TABLES.get(21)!.fields, CONTEXT, fromHex("06000002010001000000"));
    const context = contextOf(CONTEXT, new Map([[21, limits]]));
    const { fields } = STANDARD_TABLES.get(23)!;
    expect(layoutOctets(fields, context)).toBe(1 + 2 * 4 + 4 + 4);
    const value = readTable(fields, context, fromHex("07" + "64000000" + "c8000000" + "0b43046b" + "0a000000"));
    expect(value).toMatchObject({
      NBR_DEMAND_RESETS: 7,
      TOT_DATA_BLOCK: {
        SUMMATIONS: [{ mantissa: 100n }, { mantissa: 200n }],
        DEMANDS: [{ DEMAND: [{ mantissa: 10n }] }],
      },
    });
  });
  it("every description is one", () => {
    for (const { fields, evidence } of STANDARD_TABLES.values()) {
      expect(fields.length).toBeGreaterThan(0);
      expect(["confirmed", "single-source"]).toContain(evidence);
    }
  });
});

it("procedures are named in the meter's data order", () => {
  const request = { number: 9, manufacturer: false, selector: 0, sequence: 33, parameters: fromHex("01") };
  expect(toHex(procedureRequestOctets(request, CONFIG))).toBe("09002101");
  expect(procedureRequestOf(fromHex("09002101"), CONFIG)).toEqual(request);
  expect(procedureRequestOf(fromHex("0c3822"), CONFIG)).toMatchObject({ number: 12, manufacturer: true, selector: 3 });
  const response = { ...request, parameters: undefined, resultCode: 0, data: fromHex("ff") };
  expect(toHex(procedureResponseOctets(response, CONFIG))).toBe("09002100ff");
  expect(procedureResponseOf(fromHex("09002100ff"), CONFIG)).toMatchObject({ number: 9, sequence: 33, resultCode: 0 });
});
