import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../ports/octets.ts";
import { decode, encode } from "../wire/codec.ts";
import { DateTimeCodec, dateTimeAt, dateTimeIn, instantOf } from "./date-time.ts";

const at = (hex: string) => decode(DateTimeCodec, fromHex(hex));

describe("date-time", () => {
  it.each([
    ["winter, UTC+1", "07ea0117030f1e0000ffc400", Date.UTC(2026, 0, 23, 14, 30)],
    ["summer, UTC+2 with DST", "07ea0717040f1e0000ff8880", Date.UTC(2026, 6, 23, 13, 30)],
    ["west of Greenwich", "07ea0117030f1e0000012c00", Date.UTC(2026, 0, 23, 20, 30)],
    ["hundredths", "07ea0117030f1e0032000000", Date.UTC(2026, 0, 23, 15, 30, 0, 500)],
    ["24:00 is midnight", "07ea011703180000ff000000", Date.UTC(2026, 0, 24)],
  ])("%s is an instant by its deviation", (_, hex, instant) => {
    expect(instantOf(at(hex))).toBe(instant);
    expect(toHex(encode(DateTimeCodec, at(hex)))).toBe(hex);
  });

  it("of the repeated hour in October is two instants", () => {
    expect(instantOf(at("07ea0a190702000000ff8880"))).toBe(Date.UTC(2026, 9, 25, 0));
    expect(instantOf(at("07ea0a190702000000ffc400"))).toBe(Date.UTC(2026, 9, 25, 1));
  });

  it("with the opposite sign is read as the profile says", () => {
    expect(instantOf(at("07ea0117030f1e0000003c00"), "local")).toBe(Date.UTC(2026, 0, 23, 14, 30));
  });

  it("without a deviation needs a fallback", () => {
    expect(instantOf(at("07ea0117030f1e0000800000"))).toBeUndefined();
    expect(instantOf(at("07ea0117030f1e0000800000"), "utc", -60)).toBe(Date.UTC(2026, 0, 23, 14, 30));
  });

  it.each([
    "07eaff17030f1e0000ffc400",
    "07ea021e030f1e0000ffc400",
    "ffff0117030f1e0000ffc400",
    "07ea0117031a1e0000ffc400",
  ])("%s has no instant", (hex) => expect(instantOf(at(hex))).toBeUndefined());

  it("refuses a deviation that no place has", () => {
    expect(() => at("07ea0117030f1e00007fff00")).toThrow(expect.objectContaining({ code: "wire.value", offset: 9 }));
  });

  it("is written as the meter's local time", () => {
    const instant = Date.UTC(2026, 0, 23, 14, 30);
    expect(toHex(encode(DateTimeCodec, dateTimeAt(instant, -60)))).toBe("07ea0117050f1e0000ffc400");
    expect(instantOf(dateTimeAt(instant, -60, { sign: "local" }), "local")).toBe(instant);
  });

  it("comes tagged or as an octet-string", () => {
    const value = fromHex("07ea0117030f1e0000ffc400");
    expect(dateTimeIn({ type: "octet-string", value })).toEqual(dateTimeIn({ type: "date-time", value }));
    expect(dateTimeIn({ type: "octet-string", value: value.subarray(1) })).toBeUndefined();
  });
});
