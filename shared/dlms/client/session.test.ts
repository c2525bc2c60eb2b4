import { describe, expect, it } from "vitest";
import { decode, encode } from "../../wire/codec.ts";
import { ActionResponse } from "../action-response.ts";
import type { Data } from "../data.ts";
import { GetResponse } from "../get-response.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf, type MethodOf } from "../objects/interface-class.ts";
import { any } from "../objects/shape.ts";
import { actionResult, type CosemObject, dataResult } from "../server/cosem-object.ts";
import { Wrapper, wrap } from "../wrapper.ts";
import { responseInBlocks } from "./action.ts";
import { access, contextOf, deviceOf, holding, loopback, profileOf, type Wire } from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";

const octets = (length: number): Data => ({
  type: "octet-string",
  value: Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff),
});
const LONG = "0.0.96.1.1.255";
const SHORT = "0.0.96.1.0.255";
const NOTE = "0.0.96.13.0.255";
const ECHO: MethodOf<Data> = { descriptor: { classId: 9, instanceId: "0.0.10.0.0.255", methodId: 1 }, parameter: any };
const value = (name: string) => attributeOf(DataObject, DataObject.attributes.value, name);

function objectsWith(memory: { note: Data }): readonly CosemObject[] {
  const set = (data: Data) => {
    memory.note = data;
    return 0;
  };
  return [
    holding(1, LONG, { 2: octets(3000) }),
    holding(1, SHORT, { 2: { type: "unsigned", value: 5 } }),
    {
      classId: 1,
      version: 0,
      logicalName: NOTE,
      attributes: { 2: { get: () => dataResult(memory.note), set } },
    },
    {
      classId: 9,
      version: 0,
      logicalName: "0.0.10.0.0.255",
      attributes: {},
      methods: { 1: (parameters) => actionResult("success", parameters) },
    },
  ];
}

const FORMS = [
  ["in clear", { authentication: "none", ciphering: "none", clientSap: 16 }],
  ["ciphered", {}],
  ["in general ciphering", { ciphering: "general" }],
] as const;

async function session(part: Parameters<typeof access>[0] = {}, wire?: Wire) {
  const memory = { note: octets(1) };
  const link = loopback(deviceOf(objectsWith(memory), access(part)), wire);
  const opened = await openSession(contextOf(link, { profile: profileOf({ access: access(part) }) }));
  return { link, memory, session: opened };
}

describe.each(FORMS)("a session %s", (_, part) => {
  it("reads a short value, and one in blocks", async () => {
    const { session: open, link } = await session(part);
    expect(await open.read(value(SHORT))).toEqual({ kind: "value", value: { type: "unsigned", value: 5 } });
    const before = link.sent.length;
    expect(await open.read(value(LONG))).toEqual({ kind: "value", value: octets(3000) });
    expect(link.sent.length - before).toBeGreaterThan(5);
    for (const frame of link.answered) expect(frame.length).toBeLessThanOrEqual(512 + 8);
  });

  it("reads a list whose answer comes in blocks, refusals among it", async () => {
    const { session: open, link } = await session(part);
    const before = link.sent.length;
    const wanted = [value(SHORT), value("1.1.1.1.1.1"), value(LONG), value(SHORT)];
    expect(await open.readAll(wanted)).toEqual([
      { kind: "value", value: { type: "unsigned", value: 5 } },
      { kind: "refused", result: 4 },
      { kind: "value", value: octets(3000) },
      { kind: "value", value: { type: "unsigned", value: 5 } },
    ]);
    expect(decode(Wrapper, link.sent[before] as Uint8Array).apdu.length).toBeGreaterThan(40);
  });

  it("writes a short value, and one in blocks", async () => {
    const { session: open, memory, link } = await session(part);
    for (const length of [10, 470, 500, 3000]) {
      expect(await open.write(value(NOTE), octets(length))).toBe(0);
      expect(memory.note).toEqual(octets(length));
    }
    for (const frame of link.sent) expect(frame.length).toBeLessThanOrEqual(512 + 8);
    expect(await open.write(value(SHORT), octets(1))).toBe(3);
  });

  it("calls a method with blocks both ways", async () => {
    const { session: open } = await session(part);
    for (const length of [10, 3000])
      expect(await open.invoke(ECHO, octets(length))).toEqual({
        result: 0,
        returnParameters: { kind: "data", data: octets(length) },
      });
  });

  it("releases the association", async () => {
    const { session: open, link } = await session(part);
    await open.release();
    expect(decode(Wrapper, link.answered.at(-1) as Uint8Array).apdu[0]).toBe(0x63);
  });
});

describe("a session whose answers go wrong", () => {
  const clear = FORMS[0][1];
  /** Changes answers after the association. */
  const later =
    (change: Wire): Wire =>
    (frame, count) =>
      count === 1 ? [frame] : change(frame, count);

  it("passes over answers to other invoke ids and PDUs of other ports", async () => {
    const { session: open } = await session(
      clear,
      later((frame) => {
        const stale = encode(GetResponse, {
          kind: "normal",
          invokeIdAndPriority: 0xcf,
          result: { kind: "dataAccessResult", dataAccessResult: 1 },
        });
        const push = Uint8Array.of(0x0f, 0x40, 0, 0, 0, 0, 0);
        return [wrap(1, 16, stale), wrap(7, 16, stale), wrap(1, 9, stale), wrap(1, 16, push), frame];
      }),
    );
    expect(await open.read(value(SHORT))).toMatchObject({ kind: "value" });
  });

  it("ends as interrupted when the meter closes in the middle of blocks, and then says no more", async () => {
    const { session: open, link } = await session(
      clear,
      later((frame, count) => (count < 5 ? [frame] : "close")),
    );
    await expect(open.read(value(LONG))).rejects.toMatchObject({
      reason: "interrupted",
      code: "dlms.connection-closed",
    });
    const sent = link.sent.length;
    await open.release();
    expect(link.sent).toHaveLength(sent);
  });

  it("ends as timeout when a block does not come", async () => {
    const { session: open } = await session(
      clear,
      later((frame, count) => (count < 5 ? [frame] : [])),
    );
    await expect(open.read(value(LONG))).rejects.toMatchObject({ reason: "timeout", code: "dlms.no-answer" });
  });

  it("refuses blocks out of order", async () => {
    let kept: Uint8Array | undefined;
    const { session: open } = await session(
      clear,
      later((frame, count) => {
        if (count === 3) kept = frame;
        return [count === 4 ? (kept as Uint8Array) : frame];
      }),
    );
    await expect(open.read(value(LONG))).rejects.toMatchObject({ reason: "protocol", code: "dlms.block-out-of-order" });
  });

  it("refuses an answer of another service", async () => {
    const { session: open } = await session(
      clear,
      later(() => [
        wrap(1, 16, encode(ActionResponse, { kind: "nextPblock", invokeIdAndPriority: 0xc1, blockNumber: 1 })),
      ]),
    );
    await expect(open.read(value(SHORT))).rejects.toMatchObject({ reason: "protocol", code: "dlms.unexpected-answer" });
  });

  it("refuses a ciphered answer sent twice: its counter did not rise", async () => {
    let kept: Uint8Array | undefined;
    const { session: open } = await session({}, (frame, count) => {
      if (count === 3) kept = frame;
      return [count === 4 ? (kept as Uint8Array) : frame];
    });
    expect(await open.read(value(SHORT))).toMatchObject({ kind: "value" });
    await expect(open.read(value(SHORT))).rejects.toMatchObject({ reason: "auth", code: "dlms.stale-counter" });
  });

  it("refuses any answer in which one octet of the ciphered part was changed", async () => {
    for (const index of [2, 3, 6, 7, 12, 13, 24]) {
      const { session: open } = await session({}, (frame, count) => {
        if (count === 3) frame[8 + index] = (frame[8 + index] as number) ^ 0x01;
        return [frame];
      });
      await expect(open.read(value(SHORT)), `octet ${index}`).rejects.toMatchObject({ reason: "auth" });
    }
  });

  it("does not use a service that was not negotiated", async () => {
    const link = loopback(deviceOf([], access(clear), { conformance: 0x10 }));
    const open = await openSession(contextOf(link, { profile: profileOf({ access: access(clear) }) }));
    const sent = link.sent.length;
    await expect(open.write(value(NOTE), octets(1))).rejects.toMatchObject({ code: "dlms.service-not-negotiated" });
    await expect(open.invoke(ECHO, octets(1))).rejects.toMatchObject({ reason: "unsupported" });
    expect(link.sent).toHaveLength(sent);
  });
});

describe("the answer of a method in blocks", () => {
  it("is read with its result before it, and as the bare parameters", () => {
    const expected = { result: 0, returnParameters: { kind: "data", data: { type: "unsigned", value: 5 } } };
    expect(responseInBlocks(Uint8Array.of(0, 1, 0, 0x11, 5))).toEqual(expected);
    expect(responseInBlocks(Uint8Array.of(0x11, 5))).toEqual(expected);
  });
});
