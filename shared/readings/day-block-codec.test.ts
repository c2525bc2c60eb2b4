import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchReference } from "../jobs/batches.ts";
import type { Measurement } from "../metering/measurement.ts";
import { MEASUREMENT_NAMES } from "../metering/measurement.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { type BlockEntry, type DayBlock, emptyBlock, type Origin, slotsOfDay } from "./day-block.ts";
import { decodeDayBlock, encodeDayBlock } from "./day-block-codec.ts";
import { measurementCode, measurementOf } from "./measurement-codes.ts";

const DAY = Date.UTC(2026, 10, 2);
const ORIGIN: Origin = { batch: "0123456789abcdef", at: DAY + 50_000_123 };

const big = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), fc.bigInt({ min: -50n, max: 50_000n }));
const origin: fc.Arbitrary<Origin> = fc.record({
  batch: fc.stringMatching(/^[0-9a-f]{16}$/),
  at: fc.integer({ min: DAY - 1e9, max: DAY + 1e9 }),
});
const measurement = fc.constantFrom<Measurement>(...MEASUREMENT_NAMES);
/** Blocks as they can be stored: entries of the grid, side entries, registers, shared origins. */
const dayBlock: fc.Arbitrary<DayBlock> = fc
  .record({
    period: fc.constantFrom(300, 900, 3600, 86_400, 420),
    channels: fc.array(fc.record({ measurement, scaler: fc.integer({ min: -12, max: 12 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    origins: fc.array(origin, { minLength: 1, maxLength: 5 }),
  })
  .chain(({ period, channels, origins }) => {
    const entry: fc.Arbitrary<BlockEntry> = fc.record({
      values: fc.array(fc.option(big, { nil: undefined }), { minLength: channels.length, maxLength: channels.length }),
      status: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })),
      origin: fc.constantFrom(...origins),
    });
    const slots = slotsOfDay(period);
    return fc.record<DayBlock>({
      day: fc.constant(DAY),
      period: fc.constant(period),
      channels: fc.constant(channels),
      entries:
        slots === 0
          ? fc.constant(new Map())
          : fc
              .uniqueArray(fc.tuple(fc.integer({ min: 0, max: slots - 1 }), entry), { selector: ([number]) => number })
              .map((pairs) => new Map(pairs.sort(([left], [right]) => left - right))),
      side: fc.array(
        fc
          .tuple(entry, fc.integer({ min: -1e6, max: 1e8 }), fc.integer({ min: 1, max: 1e7 }))
          .map(([content, start, length]) => ({ ...content, start: DAY + start, end: DAY + start + length })),
        { maxLength: 4 },
      ),
      registers: fc.array(
        fc
          .tuple(
            measurement,
            big,
            fc.integer({ min: -6, max: 6 }),
            fc.constantFrom(...origins),
            fc.option(fc.integer({ min: 0, max: 2e9 }), { nil: undefined }),
          )
          .map(([name, value, scaler, by, at]) => ({
            measurement: name,
            value,
            scaler,
            origin: by,
            ...(at === undefined ? {} : { at: DAY + at }),
          })),
        { maxLength: 6 },
      ),
    });
  });

describe("the octets of a day block", () => {
  it("give back every block that was written", () => {
    fc.assert(
      fc.property(dayBlock, (block) => {
        expect(decodeDayBlock(DAY, encodeDayBlock(block))).toEqual(block);
      }),
    );
  });

  it("are refused with a typed error when cut anywhere, prolonged, or of another format", () => {
    const block = {
      ...emptyBlock(DAY),
      registers: [{ measurement: "volume.gas" as const, value: 5n, scaler: 0, origin: ORIGIN }],
    };
    const octets = encodeDayBlock(block);
    for (let length = 0; length < octets.length; length++)
      expect(() => decodeDayBlock(DAY, octets.subarray(0, length))).toThrow(/day block/);
    expect(() => decodeDayBlock(DAY, Uint8Array.from([...octets, 0]))).toThrow(/expected the end/);
    expect(() => decodeDayBlock(DAY, Uint8Array.from([9, ...octets.subarray(1)]))).toThrow(
      /expected format 1 to 3, found 9/,
    );
  });

  it("never do anything but decode or refuse, whatever they are", () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 200 }), (format, octets) => {
        try {
          decodeDayBlock(DAY, Uint8Array.from([format, ...octets]));
        } catch (error) {
          expect(error).toMatchObject({ code: "readings.block-malformed" });
        }
      }),
    );
  });

  it.each([
    { name: "two channels, read once with two registers", channels: 2, reads: 1, limit: 600 },
    { name: "two channels, read every four hours with two registers", channels: 2, reads: 6, limit: 750 },
    { name: "four channels, read every four hours with two registers", channels: 4, reads: 6, limit: 1000 },
  ])("stay below one write unit for a typical day: $name", ({ channels, reads, limit }) => {
    const origins = Array.from({ length: reads }, (_, read) => ({
      batch: `00000000000000a${read}`,
      at: DAY + read * 14_400_000 + 7777,
    }));
    const entries = new Map<number, BlockEntry>();
    const totals = Array.from({ length: channels }, (_, channel) => 12_345_678n + BigInt(channel) * 1_000_000n);
    for (let number = 0; number < 96; number++) {
      for (let channel = 0; channel < channels; channel++)
        totals[channel] = (totals[channel] ?? 0n) + BigInt((number * 37 + channel * 11) % 900);
      entries.set(number, {
        values: [...totals],
        status: number === 12 ? 0x10 : 0,
        origin: origins[Math.floor((number * reads) / 96)] ?? ORIGIN,
      });
    }
    const registers = (["energy.active.export.total", "energy.active.import.total"] as const).flatMap((name) =>
      origins.map((by, read) => ({
        measurement: name,
        value: 12_345_678n + BigInt(read * 3000),
        scaler: 0,
        origin: by,
      })),
    );
    const named = MEASUREMENT_NAMES.slice(0, channels).map((name) => ({ measurement: name, scaler: 0 }));
    const octets = encodeDayBlock({ ...emptyBlock(DAY, 900, named), entries, registers });
    expect(octets.length).toBeLessThan(limit);
  });

  it("take some six octets for the origin of each push of a day, though every push has its own, by turns of three bridges", () => {
    const named = MEASUREMENT_NAMES.slice(0, 1).map((name) => ({ measurement: name, scaler: 0 }));
    const block = (originOf: (number: number) => Origin) =>
      encodeDayBlock({
        ...emptyBlock(DAY, 900, named),
        entries: new Map(
          Array.from({ length: 96 }, (_, number) => [
            number,
            { values: [BigInt(number * 300)], status: 0, origin: originOf(number) },
          ]),
        ),
      });
    const pushed = block((number) => {
      const batch = batchReference(nodeCrypto, {
        segment: 7,
        batch: `b${number % 3}-pushes-${number * 9_000 + ((number * 37) % 5_000)}`,
      });
      return { batch, at: DAY + (number + 1) * 900_000 + 400_000 + ((number * 7_919) % 3_000) };
    });
    const once = block(() => ORIGIN);
    expect((pushed.length - once.length) / 96).toBeLessThan(6.5);
    expect(decodeDayBlock(DAY, pushed).entries.get(95)?.origin.at).toBe(
      DAY + 96 * 900_000 + 400_000 + ((95 * 7_919) % 3_000),
    );
  });

  it("of before origins were told by their differences are read as ever", () => {
    // One interval of one channel, format 2: value 7, its origin's reference whole.
    const bits = new Uint8Array(12);
    bits[0] = 1;
    const octets = [2, 132, 7, 1, measurementCode("energy.active.import.total"), 0, ...bits, 0, 14, 1, 1, 0, 1, 1, 0];
    const whole = [1, 1, 35, 69, 103, 137, 171, 205, 239, 2, 1, 1, 0, 0, 0];
    expect(decodeDayBlock(DAY, Uint8Array.from([...octets, ...whole])).entries.get(0)).toEqual({
      values: [7n],
      status: 0,
      origin: { batch: "0123456789abcdef", at: DAY + 1 },
    });
  });
});

describe("measurement numbers", () => {
  it("are there for every measurement, each its own", () => {
    for (const name of MEASUREMENT_NAMES) expect(measurementOf(measurementCode(name))).toBe(name);
    expect(measurementOf(9999)).toBeUndefined();
  });
});
