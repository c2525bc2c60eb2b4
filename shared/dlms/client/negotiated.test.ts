import { describe, expect, it } from "vitest";
import { fromHex } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import { type Apdu, decodeApdu } from "../apdu.ts";
import { CONFORMANCE, type ConformanceService, conformanceOf, type Referencing } from "../conformance.ts";
import type { Data } from "../data.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf, methodOf } from "../objects/interface-class.ts";
import { ProfileGeneric } from "../objects/profile-generic.ts";
import { ScriptTable } from "../objects/script-table.ts";
import { any } from "../objects/shape.ts";
import { byEntry } from "../selective-access.ts";
import { actionResult, type CosemObject, dataResult } from "../server/cosem-object.ts";
import { Wrapper } from "../wrapper.ts";
import { access, contextOf, deviceOf, loopback, profileOf } from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";
import { type DlmsSession, written } from "./session.ts";

const TEXT = "0.0.96.13.0.255";
const ECHO = "0.0.10.0.0.255";
const PROFILE = "1.0.99.1.0.255";
const octets = (length: number): Data => ({ type: "octet-string", value: new Uint8Array(length) });
const text = attributeOf(DataObject, DataObject.attributes.value, TEXT);
const buffer = attributeOf(ProfileGeneric, ProfileGeneric.attributes.buffer, PROFILE);
const echo = methodOf(ScriptTable, { id: 1, parameter: any }, ECHO);
const entries = byEntry({ fromEntry: 1, toEntry: 2, fromSelectedValue: 1, toSelectedValue: 0 });
const OBJECTS: readonly CosemObject[] = [
  { classId: 1, version: 0, logicalName: TEXT, attributes: { 2: { get: () => dataResult(octets(4)), set: () => 0 } } },
  {
    classId: 9,
    version: 0,
    logicalName: ECHO,
    attributes: {},
    methods: { 1: (parameters) => actionResult("success", parameters) },
  },
  {
    classId: 7,
    version: 1,
    logicalName: PROFILE,
    attributes: { 2: { get: () => dataResult({ type: "array", value: [] }), selectors: [2] } },
  },
];
const ALL = Object.values(CONFORMANCE).reduce<number>((bits, bit) => bits | bit, 0);

async function opened(referencing: Referencing, conformance: number, part: Parameters<typeof access>[0] = {}) {
  const wanted = access({
    authentication: "none",
    ciphering: "none",
    clientSap: 16,
    referencing,
    accessService: true,
    ...part,
  });
  const link = loopback(deviceOf(OBJECTS, wanted, { conformance, maxPduSize: 128 }));
  const session = await openSession(contextOf(link, { profile: profileOf({ access: wanted }) }));
  const sent = (): readonly Apdu[] => link.sent.slice(1).map((frame) => decodeApdu(decode(Wrapper, frame).apdu));
  return { session, sent };
}

type Row = readonly [
  referencing: Referencing,
  service: ConformanceService,
  what: (session: DlmsSession) => Promise<unknown>,
];
const ROWS: readonly Row[] = [
  ["logical-name", "get", (session) => session.read(text)],
  ["logical-name", "selective-access", (session) => session.read(buffer, entries)],
  ["logical-name", "set", (session) => session.write(text, octets(1))],
  ["logical-name", "block-transfer-with-set-or-write", (session) => session.write(text, octets(500))],
  ["logical-name", "action", (session) => session.invoke(echo, octets(1))],
  ["logical-name", "block-transfer-with-action", (session) => session.invoke(echo, octets(500))],
  ["logical-name", "access", (session) => session.access([{ kind: "get", attribute: text.descriptor }])],
  ["short-name", "read", (session) => session.read(text)],
  ["short-name", "parameterized-access", (session) => session.read(buffer, entries)],
  ["short-name", "parameterized-access", (session) => session.invoke(echo, octets(1))],
  ["short-name", "block-transfer-with-get-or-read", (session) => session.invoke(echo, octets(500))],
  ["short-name", "write", (session) => session.write(text, octets(1))],
  ["short-name", "block-transfer-with-set-or-write", (session) => session.write(text, octets(500))],
];

describe("a service that was not negotiated", () => {
  it.each(ROWS)("is never sent, by %ss: %s", async (referencing, service, what) => {
    const { session, sent } = await opened(referencing, ALL & ~CONFORMANCE[service]);
    if (referencing === "short-name" && service !== "read") await session.read(text); // learns the names
    const before = sent().length;
    await expect(what(session)).rejects.toMatchObject({
      reason: "unsupported",
      code: "dlms.service-not-negotiated",
      detail: { service },
    });
    expect(sent()).toHaveLength(before);
    const { session: able } = await opened(referencing, ALL);
    await expect(what(able)).resolves.toBeDefined();
  });

  it.each(["logical-name", "short-name"] as const)("means no lists, by %ss", async (referencing) => {
    const { session, sent } = await opened(referencing, ALL & ~CONFORMANCE["multiple-references"]);
    await session.readAll([text, buffer, text]);
    await session.writeAll([written(text, octets(1)), written(text, octets(2))]);
    await session.invokeAll([
      { cosemMethodDescriptor: echo.descriptor, parameters: octets(1) },
      { cosemMethodDescriptor: echo.descriptor, parameters: octets(2) },
    ]);
    for (const { value } of sent()) {
      if ("kind" in value) expect(value.kind).toBe("normal");
      else expect(value).toMatchObject({ variableAccessSpecification: { length: 1 } });
    }
  });

  it("is not believed in either when the meter offers more than was proposed", async () => {
    const { session } = await opened("logical-name", ALL, { accessService: false });
    expect(session.exchange.offers("access")).toBe(false);
    expect(session.exchange.offers("general-block-transfer")).toBe(false);
  });
});

describe("a pre-established association", () => {
  const agreed = {
    conformance: conformanceOf(
      "get",
      "set",
      "action",
      "selective-access",
      "multiple-references",
      "block-transfer-with-get-or-read",
      "read",
      "write",
      "parameterized-access",
    ),
    serverMaxPduSize: 512,
  };
  const device = (wanted: ReturnType<typeof access>) => {
    const made = deviceOf(OBJECTS, { ...wanted, authentication: wanted.ciphering === "none" ? "none" : "hls-gmac" });
    const clients = new Map(
      [...made.clients].map(([sap, rule]) => [
        sap,
        { ...rule, preEstablished: { conformance: agreed.conformance, clientMaxPduSize: 512 } },
      ]),
    );
    return { ...made, clients };
  };
  const session = async (part: Parameters<typeof access>[0]) => {
    const wanted = access({ authentication: "none", association: "pre-established", agreed, ...part });
    const link = loopback(device(wanted));
    return { link, session: await openSession(contextOf(link, { profile: profileOf({ access: wanted }) })) };
  };

  it.each([
    ["by logical names in clear", { ciphering: "none" }],
    ["by logical names, ciphered", {}],
    ["by short names, ciphered", { referencing: "short-name" }],
  ] as const)("reads %s without an AARQ, and nothing releases it", async (_, part) => {
    const { session: open, link } = await session(part);
    expect(await open.read(text)).toEqual({ kind: "value", value: octets(4) });
    expect(await open.read(buffer, entries)).toMatchObject({ kind: "value" });
    await open.release();
    const tags = link.sent.map((frame) => decode(Wrapper, frame).apdu[0]);
    expect(tags).not.toContain(0x60);
    expect(tags).not.toContain(0x62);
  });

  it.each([
    ["logical", {}],
    ["short", { referencing: "short-name" }],
  ] as const)("writes nothing and calls nothing, by %s names", async (_, part) => {
    const { session: open, link } = await session(part);
    await open.read(text);
    const before = link.sent.length;
    await expect(open.write(text, octets(1))).rejects.toMatchObject({ code: "dlms.service-not-negotiated" });
    await expect(open.invoke(echo, octets(1))).rejects.toMatchObject({ code: "dlms.service-not-negotiated" });
    expect(link.sent).toHaveLength(before);
  });

  it("is refused an AARQ and a release by the meter", () => {
    const link = loopback(device(access({ ciphering: "none", authentication: "none" })));
    void link.send(fromHex("00010001000100026200"));
    expect(link.answered.map((frame) => decodeApdu(decode(Wrapper, frame).apdu).name)).toEqual(["ExceptionResponse"]);
  });

  it("asks for no proof that it could not give", async () => {
    await expect(session({ authentication: "hls-gmac" })).rejects.toMatchObject({ code: "dlms.pre-established" });
  });
});

describe("a release", () => {
  it("that is not answered ends within its time, and never rejects", async () => {
    const wanted = access({ authentication: "none", ciphering: "none", clientSap: 16 });
    let frames = 0;
    const link = loopback(deviceOf(OBJECTS, wanted), (frame) => (frames++ === 0 ? [frame] : []));
    const deadlines: number[] = [];
    const watched = {
      ...link,
      receive: (deadline: number) => {
        deadlines.push(deadline);
        return link.receive(deadline);
      },
    };
    const context = contextOf(watched, { profile: profileOf({ access: wanted }), responseTimeoutMs: 60_000 });
    const session = await openSession(context);
    await session.release();
    expect((deadlines.at(-1) ?? 0) - context.clock.now()).toBe(1_000);
  });
});
