import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex } from "../ports/octets.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { Wrapper, WrapperSplitter, wrap } from "./wrapper.ts";

const FRAME = fromHex("000100100001000DC001C1000100002A0000FF0200"); // known answer wrapper-get

describe("Wrapper", () => {
  it("goes both ways", () => {
    const pdu = decode(Wrapper, FRAME);
    expect(pdu).toMatchObject({ sourceWPort: 16, destinationWPort: 1 });
    expect(toHex(wrap(16, 1, pdu.apdu))).toBe(toHex(FRAME));
  });
  it("refuses every truncation, and octets after its length", () => {
    for (let length = 0; length < FRAME.length; length++)
      expect(() => decode(Wrapper, FRAME.subarray(0, length))).toThrow(WireError);
    expect(() => decode(Wrapper, concat(FRAME, Uint8Array.of(0)))).toThrow(WireError);
  });
});

describe("WrapperSplitter", () => {
  it("finds the same PDUs however the stream is cut", () => {
    const apdus = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 6 });
    fc.assert(
      fc.property(apdus, fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }), (sent, cuts) => {
        const stream = concat(...sent.map((apdu, index) => wrap(index, 1, apdu)));
        const splitter = new WrapperSplitter();
        const got = [];
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const size = Math.max(1, cuts[cut % cuts.length] as number);
          got.push(...splitter.push(stream.slice(at, at + size)));
          at += size;
        }
        expect(got).toEqual(
          sent.map((apdu, index) => ({ sourceWPort: index, destinationWPort: 1, apdu, frame: wrap(index, 1, apdu) })),
        );
        expect(splitter.pending).toBe(0);
      }),
    );
  });
  it("passes over PDUs that carry nothing", () => {
    const splitter = new WrapperSplitter();
    expect(splitter.push(concat(wrap(1, 2, new Uint8Array(0)), FRAME))).toHaveLength(1);
  });
  it("refuses another version as soon as it is told", () => {
    expect(() => new WrapperSplitter().push(fromHex("0002"))).toThrow(WireError);
    const splitter = new WrapperSplitter();
    splitter.push(FRAME.subarray(0, 1));
    expect(() => splitter.push(fromHex("02001000010001"))).toThrow(WireError);
  });
});
