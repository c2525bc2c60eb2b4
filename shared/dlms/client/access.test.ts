import { describe, expect, it } from "vitest";
import type { Data } from "../data.ts";
import { actionResult, type CosemObject, dataResult } from "../server/cosem-object.ts";
import { access, contextOf, deviceOf, loopback, profileOf } from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";

const NOTE = { classId: 1, instanceId: "0.0.96.13.0.255", attributeId: 2 } as const;
const NONE = { ...NOTE, instanceId: "1.1.1.1.1.1" };
const ECHO = { classId: 9, instanceId: "0.0.10.0.0.255", methodId: 1 } as const;
const number = (value: number): Data => ({ type: "unsigned", value });
const NULL: Data = { type: "null-data", value: null };

async function session(part: Parameters<typeof access>[0], conformance?: number) {
  const wanted = access({ accessService: true, ...part });
  const memory = { note: number(1) };
  const objects: CosemObject[] = [
    {
      classId: 1,
      version: 0,
      logicalName: NOTE.instanceId,
      attributes: {
        2: {
          get: () => dataResult(memory.note),
          set: (data) => {
            memory.note = data;
            return 0;
          },
        },
      },
    },
    {
      classId: 9,
      version: 0,
      logicalName: ECHO.instanceId,
      attributes: {},
      methods: { 1: (parameters) => actionResult("success", parameters) },
    },
  ];
  const link = loopback(deviceOf(objects, wanted, conformance === undefined ? {} : { conformance }));
  return { link, memory, open: await openSession(contextOf(link, { profile: profileOf({ access: wanted }) })) };
}

describe.each([
  ["in clear", { authentication: "none", ciphering: "none", clientSap: 16 }],
  ["ciphered, in the general form that it takes", {}],
  ["through general-block-transfer", { generalBlockTransfer: { window: 4 } }],
] as const)("ACCESS %s", (_, part) => {
  it("reads, writes and calls in one request, each with its result", async () => {
    const { open } = await session(part);
    const answers = await open.access([
      { kind: "get", attribute: NOTE },
      { kind: "set", attribute: NOTE, value: number(7) },
      { kind: "get", attribute: NONE },
      { kind: "get", attribute: NOTE },
      { kind: "action", method: ECHO, parameters: number(9) },
    ]);
    expect(answers).toEqual([
      { result: 0, data: number(1) },
      { result: 0, data: NULL },
      { result: 4, data: NULL },
      { result: 0, data: number(7) },
      { result: 0, data: number(9) },
    ]);
  });
  it("does nothing after a failure when told to break", async () => {
    const { open, memory } = await session(part);
    const answers = await open.access(
      [
        { kind: "get", attribute: NONE },
        { kind: "set", attribute: NOTE, value: number(7) },
        { kind: "action", method: ECHO, parameters: number(9) },
      ],
      { breakOnError: true },
    );
    expect(answers.map(({ result }) => result)).toEqual([4, 250, 250]);
    expect(memory.note).toEqual(number(1));
  });
});

it("is not used where it was not negotiated", async () => {
  const { open, link } = await session({ authentication: "none", ciphering: "none" }, 0x10);
  const sent = link.sent.length;
  await expect(open.access([{ kind: "get", attribute: NOTE }])).rejects.toMatchObject({
    code: "dlms.service-not-negotiated",
  });
  expect(link.sent).toHaveLength(sent);
});
