import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "../ports/octets.ts";
import { WireError } from "../wire/wire-error.ts";
import { compactBuffer, compactTemplate, compactValues, templateDescription } from "./compact-buffer.ts";

// structure of 5: template_id, date-time as octet-string, double-long-unsigned, an array of 2 long-unsigned, a structure.
const DESCRIPTION = fromHex("020511090601000212020203".concat("0f"));
const BUFFER = fromHex("2a 02 07e8 0000012c 0001 0002 01 fe");

describe("the buffer of Compact data", () => {
  test("reads by its template, and writes back the same octets", () => {
    const template = compactTemplate(42, DESCRIPTION);
    const values = compactValues(template, BUFFER);
    expect(values).toEqual([
      { type: "unsigned", value: 42 },
      { type: "octet-string", value: fromHex("07e8") },
      { type: "double-long-unsigned", value: 300 },
      {
        type: "array",
        value: [
          { type: "long-unsigned", value: 1 },
          { type: "long-unsigned", value: 2 },
        ],
      },
      {
        type: "structure",
        value: [
          { type: "boolean", value: true },
          { type: "integer", value: -2 },
        ],
      },
    ]);
    expect(toHex(compactBuffer(template, values))).toBe(toHex(BUFFER));
    expect(toHex(templateDescription(template))).toBe(toHex(DESCRIPTION));
  });

  test("refuses every truncation of template and buffer, and octets left over", () => {
    const template = compactTemplate(42, DESCRIPTION);
    for (let length = 0; length < DESCRIPTION.length; length++)
      expect(() => compactTemplate(42, DESCRIPTION.subarray(0, length))).toThrow(WireError);
    for (let length = 0; length < BUFFER.length; length++)
      expect(() => compactValues(template, BUFFER.subarray(0, length))).toThrow(WireError);
    expect(() => compactTemplate(42, Uint8Array.of(...DESCRIPTION, 0))).toThrow(WireError);
    expect(() => compactValues(template, Uint8Array.of(...BUFFER, 0))).toThrow(WireError);
  });

  test("refuses a buffer that another template made, and a template that does not start with its id", () => {
    expect(() => compactValues(compactTemplate(41, DESCRIPTION), BUFFER)).toThrow("template 41");
    expect(() => compactTemplate(42, fromHex("020112"))).toThrow(WireError);
    expect(() => compactTemplate(42, fromHex("11"))).toThrow(WireError);
  });

  test("is bounded: a template that unfolds without octets is refused", () => {
    const template = compactTemplate(1, fromHex("0203 11 01ffff01ffff00 11"));
    expect(() => compactValues(template, fromHex("0101"))).toThrow("packed values");
  });
});
