import { describe, expect, it } from "vitest";
import type { SessionContext } from "../../metering/driver.ts";
import { type Link, LinkError } from "../../ports/link.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { concat, fromHex, toHex } from "../../ports/octets.ts";
import { seeded } from "../../ports/random.ts";
import { decode, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Data } from "../data.ts";
import { HdlcFrameCodec, hdlcControlOf } from "../hdlc-frame.ts";
import { HDLC_DEFAULTS, HdlcParametersCodec, negotiated } from "../hdlc-parameters.ts";
import { HdlcSplitter } from "../hdlc-splitter.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { dataResult } from "../server/cosem-object.ts";
import { HdlcServerConnection } from "../server/hdlc-connection.ts";
import file from "../vectors/dlms-vectors.json" with { type: "json" };
import { access, contextOf, deviceOf, profileOf } from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";

const NOTE = "0.0.96.13.0.255";
const note = attributeOf(DataObject, DataObject.attributes.value, NOTE);
const octets = (length: number): Data => ({
  type: "octet-string",
  value: Uint8Array.from({ length }, (_, index) => index & 0xff),
});

/** What may happen to a frame on the way; `count` runs over both directions. */
type Line = (frame: Uint8Array, count: number, towards: "meter" | "client") => readonly Uint8Array[];
type Hdlc = NonNullable<ReturnType<typeof access>["hdlc"]>;

function setUp(hdlc: Partial<Hdlc> = {}, meter: Partial<typeof HDLC_DEFAULTS> = {}, line: Line = (frame) => [frame]) {
  const wanted = access({
    framing: "hdlc",
    hdlc: { physicalDevice: 17, addressOctets: 1, informationMax: 128, window: 1, ...hdlc },
  });
  const memory = { note: octets(5), sets: 0 };
  const objects = [
    {
      classId: 1,
      version: 0,
      logicalName: NOTE,
      attributes: {
        2: {
          get: () => dataResult(memory.note),
          set: (data: Data) => {
            memory.note = data;
            memory.sets += 1;
            return 0;
          },
        },
      },
    },
  ];
  const server = new HdlcServerConnection(
    deviceOf(objects, wanted),
    { crypto: nodeCrypto, random: seeded("meter") },
    { physicalDevice: 17, parameters: { ...HDLC_DEFAULTS, ...meter } },
  );
  const waiting: Uint8Array[] = [];
  const sent: Uint8Array[] = [];
  const answered: Uint8Array[] = [];
  let count = 0;
  const link: Link = {
    kind: "stream",
    send: async (frame) => {
      sent.push(frame.slice());
      for (const passed of line(frame.slice(), ++count, "meter"))
        for (const answer of server.receive(passed).send) {
          answered.push(answer.slice());
          waiting.push(...line(answer.slice(), ++count, "client"));
        }
    },
    receive: async () => {
      const next = waiting.shift();
      if (next === undefined) throw new LinkError("link.timeout", "nothing came");
      return next;
    },
    close: async () => undefined,
  };
  const context = (part: Partial<SessionContext> = {}) =>
    contextOf(link, { profile: profileOf({ access: wanted }), ...part });
  return { open: () => openSession(context()), memory, sent, answered };
}

describe("a session over HDLC", () => {
  it.each([
    ["1 octet, defaults", {}, {}],
    ["2 octets", { addressOctets: 2 }, {}],
    ["4 octets", { addressOctets: 4 }, {}],
    ["long fields", { informationMax: 2030 }, { transmitMax: 1024, receiveMax: 2030 }],
    ["a window of 3", { window: 3 }, { transmitWindow: 7, receiveWindow: 7 }],
    ["a window of 7 and short fields", { window: 7, informationMax: 32 }, { transmitWindow: 7, receiveWindow: 7 }],
    ["a meter that grants less", { window: 7, informationMax: 1024 }, {}],
  ] as const)("%s", async (_, hdlc, meter) => {
    const { open, memory, sent } = setUp(hdlc, meter);
    const session = await open();
    expect(await session.write(note, octets(900))).toBe(0);
    expect(await session.read(note)).toEqual({ kind: "value", value: octets(900) });
    expect(memory.sets).toBe(1);
    await session.release();
    const last = decode(HdlcFrameCodec, sent.at(-1) as Uint8Array);
    expect(hdlcControlOf(last.control).name).toBe("DISC");
    expect(last.destination.octets).toBe("addressOctets" in hdlc ? hdlc.addressOctets : 1);
  });

  it("sends within the window and the field that were granted", async () => {
    const { open, sent, answered } = setUp(
      { window: 3, informationMax: 200 },
      { transmitMax: 100, receiveMax: 64, transmitWindow: 2, receiveWindow: 2 },
    );
    const session = await open();
    await session.write(note, octets(700));
    await session.read(note);
    const run = (frames: readonly Uint8Array[]): number => {
      let longest = 0;
      let now = 0;
      for (const frame of frames.map((one) => decode(HdlcFrameCodec, one))) {
        const { name, pollFinal } = hdlcControlOf(frame.control);
        if (name === "I") now += 1;
        longest = Math.max(longest, now);
        if (pollFinal) now = 0;
      }
      return longest;
    };
    const longest = (frames: readonly Uint8Array[]): number =>
      Math.max(
        ...frames
          .map((one) => decode(HdlcFrameCodec, one))
          .filter(({ control }) => (control & 1) === 0)
          .map(({ information }) => information.length),
      );
    expect([run(sent), run(answered)]).toEqual([2, 2]);
    expect([longest(sent), longest(answered)]).toEqual([64, 100]);
  });

  it.each(Array.from({ length: 24 }, (_, index) => index + 1))(
    "loses frame %i and loses nothing else",
    async (lost) => {
      const { open, memory } = setUp({ window: 2 }, { transmitWindow: 2, receiveWindow: 2 }, (frame, count) =>
        count === lost ? [] : [frame],
      );
      const session = await open();
      expect(await session.write(note, octets(600))).toBe(0);
      expect(await session.read(note)).toEqual({ kind: "value", value: octets(600) });
      expect(memory.sets).toBe(1);
    },
  );

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "on a line that loses, repeats and garbles (seed %i): the value once, or a typed end",
    async (seed) => {
      const random = seeded(seed);
      const { open, memory } = setUp({ window: 3 }, { transmitWindow: 3, receiveWindow: 3 }, (frame) => {
        const dice = random.uint32() % 20;
        if (dice === 0) return [];
        if (dice === 1) return [frame, frame];
        if (dice === 2) frame[random.uint32() % frame.length] = random.uint32() & 0xff;
        return dice === 3 ? [Uint8Array.of(0, 0x7e, 0x41), frame] : [frame];
      });
      try {
        const session = await open();
        expect(await session.write(note, octets(600))).toBe(0);
        expect(await session.read(note)).toEqual({ kind: "value", value: octets(600) });
        expect(memory.sets).toBe(1);
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^(dlms|link|wire)\./);
        expect(memory.sets).toBeLessThanOrEqual(1);
      }
    },
  );

  it("ends as no answer when the meter falls silent, after repeating", async () => {
    const { open, sent } = setUp({}, {}, (frame, count) => (count > 4 ? [] : [frame]));
    const session = await open().catch((error: unknown) => error);
    expect(session).toMatchObject({ code: "dlms.no-answer" });
    expect(sent.length).toBeGreaterThan(4);
  });
  it("is refused by a meter that answers DM", async () => {
    const { open } = setUp({}, {}, (frame, _, towards) => {
      if (towards === "meter") return [frame];
      const answer = decode(HdlcFrameCodec, frame);
      return [encode(HdlcFrameCodec, { ...answer, control: 0x1f, information: new Uint8Array(0) })];
    });
    await expect(open()).rejects.toMatchObject({ reason: "refused", code: "dlms.hdlc-refused" });
  });
});

describe("HDLC parameters", () => {
  it.each([
    ["canonical default", "818012050180060180070400000001080400000001", HDLC_DEFAULTS],
    [
      "512 both ways",
      "8180140502020006020200070400000001080400000001",
      { ...HDLC_DEFAULTS, transmitMax: 512, receiveMax: 512 },
    ],
  ])("%s goes both ways, and no truncation passes", (_, hex, value) => {
    expect(decode(HdlcParametersCodec, fromHex(hex))).toEqual(value);
    expect(toHex(encode(HdlcParametersCodec, value))).toBe(hex);
    for (let length = 0; length < hex.length / 2; length++)
      expect(() => decode(HdlcParametersCodec, fromHex(hex).subarray(0, length))).toThrow(WireError);
  });
  it("takes what is absent for the default, as seen on meters", () => {
    expect(decode(HdlcParametersCodec, fromHex("8180080502020006020200"))).toEqual({
      ...HDLC_DEFAULTS,
      transmitMax: 512,
      receiveMax: 512,
    });
  });
  it("the smaller of what one sends and the other receives holds", () => {
    const own = { transmitMax: 512, receiveMax: 256, transmitWindow: 3, receiveWindow: 2 };
    const peer = { transmitMax: 128, receiveMax: 300, transmitWindow: 1, receiveWindow: 7 };
    expect(negotiated(own, peer)).toEqual({ transmitMax: 300, receiveMax: 128, transmitWindow: 3, receiveWindow: 1 });
  });
});

describe("a recorded session", () => {
  const frames = file.sessions
    .filter(({ framing }) => framing === "hdlc")
    .flatMap(({ messages }) => messages.map(({ hex }) => fromHex(hex ?? "")));
  it("is cut to the same frames in chunks of any size", () => {
    const stream = concat(...frames);
    for (const size of [1, 3, 17, stream.length]) {
      const splitter = new HdlcSplitter();
      const found: string[] = [];
      for (let at = 0; at < stream.length; at += size)
        found.push(...splitter.push(stream.subarray(at, at + size)).map(({ octets: one }) => toHex(one)));
      expect(found).toEqual(frames.map(toHex));
    }
  });
});
