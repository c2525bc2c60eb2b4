import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { counted, quantity, scaledDecimal } from "./scaled-decimal.ts";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("scaledDecimal", () => {
  it.each([
    { name: "zero", value: "0", scaler: 0, shown: "0" },
    { name: "zero with places", value: "0", scaler: -3, shown: "0.000" },
    { name: "places beyond the digits", value: "7", scaler: -3, shown: "0.007" },
    { name: "trailing zeros are digits too", value: "1200", scaler: -2, shown: "12.00" },
    { name: "a rising scaler", value: "12", scaler: 3, shown: "12 000" },
    { name: "zero with a rising scaler", value: "0", scaler: 3, shown: "0" },
    { name: "groups in the whole part alone", value: "1234567891", scaler: -4, shown: "123 456.7891" },
    { name: "below zero", value: "-2304", scaler: -1, shown: "−230.4" },
    {
      name: "2^64 - 1, beyond any float",
      value: "18446744073709551615",
      scaler: 0,
      shown: "18 446 744 073 709 551 615",
    },
    { name: "leading zeros are not digits", value: "0042", scaler: 0, shown: "42" },
  ])("$name", ({ value, scaler, shown }) => expect(plain(scaledDecimal(value, scaler))).toBe(shown));

  it("keeps every digit of any integer under any scaler", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
        fc.integer({ min: -12, max: 12 }),
        (value, scaler) => {
          const shown = plain(scaledDecimal(value.toString(), scaler)).replaceAll(" ", "").replace("−", "-");
          const [whole = "", fraction = ""] = shown.split(".");
          const integer = BigInt(whole + fraction);
          expect(integer).toBe(value * 10n ** BigInt(Math.max(scaler, 0)));
          expect(fraction.length).toBe(Math.max(-scaler, 0));
        },
      ),
    );
  });

  it.each(["1.5", "", "12e3", "0x10"])("refuses %s, which is no integer", (value) =>
    expect(() => scaledDecimal(value, 0)).toThrow(RangeError),
  );
});

describe("quantity", () => {
  it.each([
    { value: "1234567", scaler: 0, unit: "Wh", shown: "1 234.567 kWh" },
    { value: "1234567", scaler: -1, unit: "Wh", shown: "123.4567 kWh" },
    { value: "12", scaler: 3, unit: "Wh", shown: "12 kWh" },
    { value: "2304", scaler: -1, unit: "V", shown: "230.4 V" },
    { value: "123456", scaler: -3, unit: "m3", shown: "123.456 m³" },
  ])("$value × 10^$scaler $unit is $shown", ({ value, scaler, unit, shown }) =>
    expect(plain(quantity(value, scaler, unit))).toBe(shown),
  );
});

describe("counted", () => {
  it("says one thing, or many", () => {
    expect([counted(1, "gap"), counted(0, "gap"), plain(counted(1200, "batch", "batches"))]).toEqual([
      "1 gap",
      "0 gaps",
      "1 200 batches",
    ]);
  });
});
