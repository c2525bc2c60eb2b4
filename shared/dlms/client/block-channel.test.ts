import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { BlockStream } from "../block-stream.ts";
import type { Data } from "../data.ts";
import { GeneralBlockTransfer } from "../general-block-transfer.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { dataResult } from "../server/cosem-object.ts";
import file from "../vectors/dlms-vectors.json" with { type: "json" };
import { Wrapper } from "../wrapper.ts";
import { access, contextOf, deviceOf, loopback, profileOf, type Wire } from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";

const NOTE = "0.0.96.13.0.255";
const note = attributeOf(DataObject, DataObject.attributes.value, NOTE);
const octets = (length: number): Data => ({
  type: "octet-string",
  value: Uint8Array.from({ length }, (_, index) => (index * 3) & 0xff),
});
const clear = { authentication: "none", ciphering: "none", clientSap: 16 } as const;

async function session(part: Parameters<typeof access>[0], window: number, wire?: Wire) {
  const wanted = access({ ...part, generalBlockTransfer: { window } });
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
  const link = loopback(deviceOf(objects, wanted), wire);
  return { link, memory, open: await openSession(contextOf(link, { profile: profileOf({ access: wanted }) })) };
}
const tagOf = (frame: Uint8Array | undefined): number | undefined => frame && decode(Wrapper, frame).apdu[0];

it("the published scenario: block 2 is lost, and everything from it comes again", () => {
  const found = file.vectors.find(({ id }) => id === "gbt-lost-block-scenario") as unknown as {
    steps: readonly { from: string; hex: string }[];
    expectApdu: string;
  };
  const [request, ...steps] = found.steps;
  const client = new BlockStream({ blockSize: 30, window: 3 });
  const server = new BlockStream({ blockSize: 30, window: 3 });
  const hex = (blocks: readonly GeneralBlockTransfer[]) =>
    blocks.map((block) => toHex(encode(GeneralBlockTransfer, block)).toUpperCase());
  const take = (stream: BlockStream, step: string | undefined) =>
    stream.take(decode(GeneralBlockTransfer, fromHex(step ?? "")));
  const asked = fromHex((request?.hex ?? "").slice(14));
  client.submit(asked);
  expect(hex(client.turn())).toEqual([request?.hex]);
  expect(take(server, request?.hex)).toEqual({ turn: true, apdu: asked });
  server.submit(fromHex(found.expectApdu));
  expect(hex(server.turn())).toEqual(steps.slice(0, 3).map((step) => step.hex));
  expect(take(client, steps[0]?.hex)).toEqual({ turn: false });
  expect(take(client, steps[2]?.hex)).toEqual({ turn: true });
  expect(hex(client.turn())).toEqual([steps[3]?.hex]);
  expect(take(server, steps[3]?.hex)).toEqual({ turn: true });
  expect(hex(server.turn())).toEqual(steps.slice(4).map((step) => step.hex));
  take(client, steps[4]?.hex);
  take(client, steps[5]?.hex);
  expect(take(client, steps[6]?.hex)).toEqual({ turn: true, apdu: fromHex(found.expectApdu) });
});

describe.each([
  ["in clear", clear],
  ["ciphered", {}],
  ["in general ciphering", { ciphering: "general" }],
] as const)("general-block-transfer %s", (_, part) => {
  it.each([1, 4, 63])("carries long values both ways with a window of %i", async (window) => {
    const { open, link, memory } = await session(part, window);
    expect(await open.write(note, octets(3000))).toBe(0);
    expect(memory.note).toEqual(octets(3000));
    const before = link.sent.length;
    expect(await open.read(note)).toEqual({ kind: "value", value: octets(3000) });
    const blocks = part === clear ? 6 : 7; // 3000 octets, with their protection where there is one
    expect(link.sent.length - before).toBe(Math.ceil(blocks / window));
    expect([tagOf(link.sent.at(-1)), tagOf(link.answered.at(-1))]).toEqual([0xe0, 0xe0]);
    for (const frame of [...link.answered, ...link.sent]) expect(frame.length).toBeLessThanOrEqual(512 + 8);
    await open.release();
  });
  it.each([3, 5, 8, 9, 10, 12, 14])("loses answer %i and loses nothing else", async (lost) => {
    const { open, memory } = await session(part, 3, (frame, count) => (count === lost ? [] : [frame]));
    expect(await open.write(note, octets(2500))).toBe(0);
    expect(await open.read(note)).toEqual({ kind: "value", value: octets(2500) });
    expect(memory.sets).toBe(1);
  });
});
