import { describe, expect, it } from "vitest";
import { conformanceOf } from "../conformance.ts";
import type { Data } from "../data.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { actionResult, type CosemObject, dataResult } from "../server/cosem-object.ts";
import { access, contextOf, deviceOf, loopback, profileOf } from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";
import { written } from "./session.ts";

const octets = (length: number): Data => ({
  type: "octet-string",
  value: Uint8Array.from({ length }, (_, index) => (index * 5) & 0xff),
});
const NAMES = ["0.0.96.13.0.255", "0.0.96.13.1.255", "0.0.96.13.2.255"] as const;
const attribute = (name: string) => attributeOf(DataObject, DataObject.attributes.value, name);
const echo = (instanceId: string) => ({ classId: 9, instanceId, methodId: 1 });
const clear = { authentication: "none", ciphering: "none", clientSap: 16 } as const;

async function session(part: Parameters<typeof access>[0], conformance?: number) {
  const memory = new Map<string, Data>();
  const objects: CosemObject[] = NAMES.map((name) => ({
    classId: 1,
    version: 0,
    logicalName: name,
    attributes: {
      2: {
        get: () => dataResult(memory.get(name) ?? octets(0)),
        set: (data) => {
          memory.set(name, data);
          return 0;
        },
      },
    },
  }));
  objects.push({
    classId: 9,
    version: 0,
    logicalName: "0.0.10.0.0.255",
    attributes: {},
    methods: { 1: (parameters) => actionResult("success", parameters) },
  });
  const link = loopback(deviceOf(objects, access(part), conformance === undefined ? {} : { conformance }));
  return { link, memory, open: await openSession(contextOf(link, { profile: profileOf({ access: access(part) }) })) };
}

describe.each([
  ["in clear", clear],
  ["ciphered", {}],
] as const)("lists %s", (_, part) => {
  it.each([
    ["short", 20],
    ["in blocks", 900],
  ])("writes several values, %s, and tells each result", async (_, length) => {
    const { open, memory, link } = await session(part);
    const before = link.sent.length;
    const writes = [...NAMES, "1.1.1.1.1.1"].map((name) => written(attribute(name), octets(length)));
    expect(await open.writeAll(writes)).toEqual([0, 0, 0, 4]);
    expect([...memory.values()]).toEqual(NAMES.map(() => octets(length)));
    expect(link.sent.length - before).toBe(length < 100 ? 1 : Math.ceil((4 * 903) / 490));
  });

  it.each([
    ["short", 20],
    ["in blocks both ways", 900],
  ])("calls several methods, %s", async (_, length) => {
    const { open } = await session(part);
    const answers = await open.invokeAll([
      { cosemMethodDescriptor: echo("0.0.10.0.0.255"), parameters: octets(length) },
      { cosemMethodDescriptor: echo("0.0.10.0.9.255"), parameters: octets(length) },
      { cosemMethodDescriptor: echo("0.0.10.0.0.255"), parameters: octets(length + 1) },
    ]);
    expect(answers).toEqual([
      { result: 0, returnParameters: dataResult(octets(length)) },
      { result: 4, returnParameters: undefined },
      { result: 0, returnParameters: dataResult(octets(length + 1)) },
    ]);
  });
});

it("goes one by one where the meter offers no lists", async () => {
  const { open, link } = await session(clear, conformanceOf("get", "set", "action"));
  const before = link.sent.length;
  expect(await open.writeAll(NAMES.map((name) => written(attribute(name), octets(3))))).toEqual([0, 0, 0]);
  expect(link.sent.length - before).toBe(3);
  const calls = [1, 2].map(() => ({ cosemMethodDescriptor: echo("0.0.10.0.0.255"), parameters: octets(1) }));
  expect((await open.invokeAll(calls)).map(({ result }) => result)).toEqual([0, 0]);
});
