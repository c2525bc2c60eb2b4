import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../ports/octets.ts";
import { decode, encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { frameCheck, HdlcFrameCodec, hdlcControlOf, llcOf } from "./hdlc-frame.ts";
import file from "./vectors/dlms-vectors.json" with { type: "json" };

interface Expected {
  readonly dest?: number;
  readonly destUpper?: number;
  readonly destLower?: number;
  readonly src?: number;
  readonly control?: string;
  readonly type?: string;
  readonly info?: string;
  readonly ns?: number;
  readonly nr?: number;
}
const vectors = (
  file.vectors as readonly { id: string; kind: string; hex?: string; layer?: string; expect?: unknown }[]
).filter(({ kind }) => kind === "hdlc");
const recorded = (
  file.sessions as readonly { framing: string; messages: readonly { hex?: string; expect?: unknown }[] }[]
)
  .filter(({ framing }) => framing === "hdlc")
  .flatMap(({ messages }) => messages.map(({ hex, expect }, index) => ({ id: `message ${index}`, hex, expect })));

describe.each(
  [...vectors, ...recorded].map(({ id, hex, expect }) => ({ id, hex: hex as string, meaning: expect as Expected })),
)("HDLC frame, $id", ({ hex, meaning }) => {
  const octets = fromHex(hex);
  it("decodes as recorded", () => {
    const frame = decode(HdlcFrameCodec, octets);
    const control = hdlcControlOf(frame.control);
    expect(control.name).toBe(meaning.type ?? meaning.control);
    if (meaning.dest ?? meaning.destUpper) expect(frame.destination.upper).toBe(meaning.dest ?? meaning.destUpper);
    if (meaning.destLower !== undefined) expect(frame.destination.lower).toBe(meaning.destLower);
    if (meaning.src !== undefined) expect(frame.source.upper).toBe(meaning.src);
    if (meaning.info !== undefined) expect(toHex(frame.information)).toBe(meaning.info.toLowerCase());
    if (meaning.ns !== undefined)
      expect(control).toMatchObject({ sendSequence: meaning.ns, receiveSequence: meaning.nr });
  });
  it("encodes to the same octets", () => {
    expect(encode(HdlcFrameCodec, decode(HdlcFrameCodec, octets))).toEqual(octets);
  });
  it("refuses every truncation", () => {
    for (let length = 0; length < octets.length; length++)
      expect(() => decode(HdlcFrameCodec, octets.subarray(0, length))).toThrow(WireError);
  });
  it("refuses any flipped bit but in the flags", () => {
    for (let index = 1; index < octets.length - 1; index++) {
      const changed = Uint8Array.from(octets);
      changed[index] = (changed[index] as number) ^ 0x10;
      expect(() => decode(HdlcFrameCodec, changed), `octet ${index}`).toThrow(WireError);
    }
  });
});

describe("HDLC", () => {
  it("has the published check value", () => {
    expect(frameCheck(new TextEncoder().encode("123456789"))).toBe(0x6e90);
  });
  it("refuses the negative vectors", () => {
    for (const { hex, kind, layer } of file.vectors as readonly { hex?: string; kind: string; layer?: string }[])
      if (kind === "negative" && layer === "hdlc")
        expect(() => decode(HdlcFrameCodec, fromHex(hex as string))).toThrow(WireError);
  });
  it("knows the LLC header", () => {
    expect(llcOf(fromHex("e6e70062"))).toEqual({ sourceLsap: 0xe7, apdu: fromHex("62") });
    expect(llcOf(fromHex("c001"))).toBeUndefined();
  });
});
