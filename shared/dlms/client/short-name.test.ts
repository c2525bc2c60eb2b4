import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { toHex } from "../../ports/octets.ts";
import { seeded } from "../../ports/random.ts";
import { decode, encode } from "../../wire/codec.ts";
import { Aarq } from "../aarq.ts";
import { type Apdu, decodeApdu } from "../apdu.ts";
import { CONFORMANCE, type ConformanceService, conformanceOf } from "../conformance.ts";
import type { Data } from "../data.ts";
import { dateTimeAt, dateTimeData } from "../date-time.ts";
import { dlmsDriver } from "../driver.ts";
import { CURRENT_ASSOCIATION } from "../objects/association-ln.ts";
import { AssociationSn } from "../objects/association-sn.ts";
import { DataObject } from "../objects/data.ts";
import { type AttributeOf, attributeOf, methodOf } from "../objects/interface-class.ts";
import { captureObject, ProfileGeneric } from "../objects/profile-generic.ts";
import { Register } from "../objects/register.ts";
import { ScriptTable } from "../objects/script-table.ts";
import { any } from "../objects/shape.ts";
import { byEntry } from "../selective-access.ts";
import { AssociationTable } from "../server/association-table.ts";
import { actionResult, type CosemObject, dataResult } from "../server/cosem-object.ts";
import { Wrapper } from "../wrapper.ts";
import { type AssociationPlan, aarqOf, initiateRequestOf } from "./association.ts";
import { access, contextOf, deviceOf, holding, loopback, NOW, profileOf } from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";
import { written } from "./session.ts";
import { resultsInBlocks, ShortNameServices } from "./short-name-services.ts";

const LONG = "0.0.96.1.1.255";
const TEXT = "0.0.96.13.0.255";
const ECHO = "0.0.10.0.0.255";
const ENERGY = "1.0.1.8.0.255";
const CLOCK = "0.0.1.0.0.255";
const PROFILE = "1.0.99.1.0.255";
const STEP = 900_000;
const octets = (length: number): Data => ({
  type: "octet-string",
  value: Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff),
});
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });
const column = (classId: number, logicalName: string) => ({ classId, logicalName, attributeIndex: 2, dataIndex: 0 });
const row = (...value: readonly Data[]): Data => ({ type: "structure", value });

function objects() {
  const memory: { text: Data } = { text: octets(0) };
  const rows = Array.from({ length: 40 }, (_, at) =>
    row(dateTimeData(dateTimeAt(NOW - at * STEP, -60)), u32(1000 - at)),
  );
  const all: readonly CosemObject[] = [
    holding(1, LONG, { 2: octets(900) }),
    {
      classId: 1,
      version: 0,
      logicalName: TEXT,
      attributes: {
        2: {
          get: () => dataResult(memory.text),
          set: (value) => {
            memory.text = value;
            return 0;
          },
        },
      },
    },
    {
      classId: 9,
      version: 0,
      logicalName: ECHO,
      attributes: { 2: {} },
      methods: { 1: (parameters) => actionResult("success", parameters) },
    },
    holding(3, ENERGY, { 2: u32(123_456), 3: row({ type: "integer", value: 0 }, { type: "enum", value: 30 }) }),
    holding(8, CLOCK, { 2: dateTimeData(dateTimeAt(NOW, -60)), 3: { type: "long", value: -60 } }),
    holding(7, PROFILE, {
      2: { type: "array", value: rows },
      3: { type: "array", value: [column(8, CLOCK), column(3, ENERGY)].map(captureObject.write) },
      4: u32(900),
    }),
  ];
  return { memory, all };
}

const bySn = (part: Parameters<typeof access>[0] = {}) => access({ referencing: "short-name", ...part });
const clear = bySn({ authentication: "none", ciphering: "none" });
const PLAN: AssociationPlan = {
  referencing: "short-name",
  authentication: "none",
  ciphered: false,
  clientTitle: new Uint8Array(8),
  meterTitle: undefined,
  secret: undefined,
  challenge: undefined,
  maxPduSize: 1024,
};
const ALL = Object.values(CONFORMANCE).reduce<number>((bits, bit) => bits | bit, 0);

async function session(wanted = clear, options: { conformance?: number; maxPduSize?: number } = {}) {
  const { memory, all } = objects();
  const link = loopback(deviceOf(all, wanted, { conformance: ALL, ...options }));
  const profile = profileOf({ access: wanted });
  return { memory, link, session: await openSession(contextOf(link, { profile })) };
}
const requests = (frames: readonly Uint8Array[]): readonly Apdu[] =>
  frames.map((frame) => decodeApdu(decode(Wrapper, frame).apdu));
const value = (logicalName: string): AttributeOf<Data> =>
  attributeOf(DataObject, DataObject.attributes.value, logicalName);
const echo = methodOf(ScriptTable, { id: 1, parameter: any }, ECHO);

describe("a session by short names", () => {
  it("learns base names from the object list, once, and reads under them", async () => {
    const { link, session: open } = await session();
    expect(await open.read(attributeOf(Register, Register.attributes.value, ENERGY))).toEqual({
      kind: "value",
      value: u32(123_456),
    });
    await open.read(value(TEXT));
    const names = requests(link.sent)
      .slice(1)
      .flatMap((apdu) => (apdu.name === "ReadRequest" ? apdu.value.variableAccessSpecification : []))
      .filter(({ kind }) => kind === "variableName");
    expect(names[0]).toEqual({ kind: "variableName", variableName: 0xfa08 });
    expect(names).toHaveLength(3);
    expect(names.every((name) => name.kind === "variableName" && name.variableName % 8 === 0)).toBe(true);
  });

  it("does not ask for the list where the device profile fixes the base names", async () => {
    const { all } = objects();
    const link = loopback(deviceOf(all, clear));
    const fixed = [{ classId: 1, version: 0, obis: LONG, baseName: 0x0100 }];
    const open = await openSession(contextOf(link, { profile: profileOf({ access: clear, baseNames: fixed }) }));
    expect(await open.read(value(LONG))).toEqual({ kind: "value", value: octets(900) });
    expect(requests(link.sent)[1]).toMatchObject({
      value: { variableAccessSpecification: [{ kind: "variableName", variableName: 0x0108 }] },
    });
  });

  it("reads a list in one request, with a refusal beside values", async () => {
    const { session: open, link } = await session();
    await open.read(value(TEXT));
    const before = link.sent.length;
    const missing = { ...value(TEXT), descriptor: { classId: 1, instanceId: TEXT, attributeId: 7 } };
    const other = { ...value(ENERGY), descriptor: { classId: 1, instanceId: ENERGY, attributeId: 2 } };
    expect(await open.readAll([value(LONG), missing, value("1.0.99.98.0.255"), other, value(TEXT)])).toEqual([
      { kind: "value", value: octets(900) },
      { kind: "refused", result: 4 },
      { kind: "refused", result: 4 },
      { kind: "refused", result: 9 },
      { kind: "value", value: octets(0) },
    ]);
    expect(requests(link.sent)[before]).toMatchObject({ value: { variableAccessSpecification: { length: 2 } } });
  });

  it("never reads under a name that is another object's, or a method's: reading it would call the method", async () => {
    const { session: open, link } = await session();
    await open.read(value(TEXT));
    const before = link.sent.length;
    const beyond = (classId: number, instanceId: string, attributeId: number) => ({
      ...value(instanceId),
      descriptor: { classId, instanceId, attributeId },
    });
    for (let id = 3; id < 60; id++)
      expect(await open.read(beyond(1, TEXT, id))).toEqual({ kind: "refused", result: 4 });
    for (let id = 5; id < 60; id++)
      expect(await open.read(beyond(9, ECHO, id))).toEqual({ kind: "refused", result: 4 });
    expect(link.sent).toHaveLength(before);
  });

  it("reads one by one where the meter takes no lists", async () => {
    const { session: open, link } = await session(clear, { conformance: ALL & ~CONFORMANCE["multiple-references"] });
    await open.readAll([value(TEXT), value(LONG), attributeOf(Register, Register.attributes.value, ENERGY)]);
    for (const apdu of requests(link.sent).slice(1))
      expect(apdu).toMatchObject({ name: "ReadRequest", value: { variableAccessSpecification: { length: 1 } } });
  });

  it("writes, in a list and in blocks", async () => {
    const { session: open, memory, link } = await session(clear, { maxPduSize: 128 });
    expect(await open.write(value(TEXT), octets(5))).toBe(0);
    expect(memory.text).toEqual(octets(5));
    expect(await open.writeAll([written(value(TEXT), octets(9)), written(value(LONG), octets(1))])).toEqual([0, 3]);
    expect(memory.text).toEqual(octets(9));
    const before = link.sent.length;
    expect(await open.write(value(TEXT), octets(700))).toBe(0);
    expect(memory.text).toEqual(octets(700));
    const blocks = requests(link.sent).slice(before);
    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks)
      expect(block).toMatchObject({ value: { variableAccessSpecification: [{ kind: "writeDataBlockAccess" }] } });
  });

  it("writes without an answer, and nothing is awaited", async () => {
    const { session: open, memory, link } = await session();
    const services = new ShortNameServices(open.exchange);
    const item = { cosemAttributeDescriptor: value(TEXT).descriptor, accessSelection: undefined };
    await services.writeUnconfirmed([{ ...item, value: octets(6) }]);
    expect(memory.text).toEqual(octets(6));
    expect(requests(link.sent).at(-1)?.name).toBe("UnconfirmedWriteRequest");
    expect(await open.read(value(TEXT))).toEqual({ kind: "value", value: octets(6) });
    const { session: unable } = await session(clear, { conformance: ALL & ~CONFORMANCE["unconfirmed-write"] });
    const refused = new ShortNameServices(unable.exchange).writeUnconfirmed([{ ...item, value: octets(6) }]);
    await expect(refused).rejects.toMatchObject({ code: "dlms.service-not-negotiated" });
  });

  it("calls methods, with long parameters and answers in blocks", async () => {
    const { session: open, link } = await session(clear, { maxPduSize: 128 });
    const parameter = octets(600);
    expect(await open.invoke(echo, parameter)).toEqual({
      result: 0,
      returnParameters: { kind: "data", data: parameter },
    });
    const kinds = requests(link.sent).flatMap((apdu) =>
      apdu.name === "ReadRequest" ? apdu.value.variableAccessSpecification.map(({ kind }) => kind) : [],
    );
    expect(kinds).toContain("readDataBlockAccess");
    expect(kinds).toContain("blockNumberAccess");
    expect(await open.invoke(echo, { type: "null-data", value: null })).toEqual({
      result: 0,
      returnParameters: undefined,
    });
  });

  it("selects entries of a profile by parameterized access", async () => {
    const { all } = objects();
    const selected: Data[] = [];
    const chooser: CosemObject = {
      classId: 7,
      version: 1,
      logicalName: "1.0.99.2.0.255",
      attributes: {
        2: {
          selectors: [2],
          get: (selection) => {
            if (selection !== undefined) selected.push(selection.accessParameters);
            return dataResult({ type: "array", value: [] });
          },
        },
      },
    };
    const link = loopback(deviceOf([...all, chooser], clear));
    const open = await openSession(contextOf(link, { profile: profileOf({ access: clear }) }));
    const buffer = attributeOf(ProfileGeneric, ProfileGeneric.attributes.buffer, "1.0.99.2.0.255");
    const entries = { fromEntry: 1, toEntry: 3, fromSelectedValue: 1, toSelectedValue: 0 };
    expect(await open.read(buffer, byEntry(entries))).toMatchObject({ kind: "value" });
    expect(selected).toEqual([byEntry(entries).accessParameters]);
  });

  it.each([
    ["service-specific", {}],
    ["general", { ciphering: "general" }],
    ["a dedicated key", { dedicatedKey: true }],
  ] as const)("proves both sides under Association SN and talks ciphered: %s", async (_, part) => {
    const { session: open, link, memory } = await session(bySn(part));
    expect(await open.read(value(LONG))).toEqual({ kind: "value", value: octets(900) });
    expect(await open.write(value(TEXT), octets(4))).toBe(0);
    expect(memory.text).toEqual(octets(4));
    await open.release();
    const tags = link.sent.map((frame) => decode(Wrapper, frame).apdu[0]);
    expect(tags[0]).toBe(0x60);
    expect(tags.at(-1)).toBe(0x62);
    const general = "ciphering" in part;
    const allowed = general ? [0xdb] : "dedicatedKey" in part ? [0x25, 0x45, 0x46] : [0x25, 0x26];
    for (const tag of tags.slice(1, -1)) expect(allowed).toContain(tag);
  });

  it("shows the association itself: what it lists, and what may be done with it", async () => {
    const { session: open } = await session();
    const list = await open.read(attributeOf(AssociationSn, AssociationSn.attributes.objectList, CURRENT_ASSOCIATION));
    if (list.kind !== "value") throw new Error("refused");
    expect(list.value.find(({ classId }) => classId === 12)).toMatchObject({
      baseName: 0xfa00 - 0x1_0000,
      logicalName: CURRENT_ASSOCIATION,
    });
    const rights = await open.read(
      attributeOf(AssociationSn, AssociationSn.attributes.accessRightsList, CURRENT_ASSOCIATION),
    );
    expect(rights).toMatchObject({ kind: "value", value: { length: list.value.length } });
  });

  it("is refused with a ConfirmedServiceError where a service was not negotiated, and says so", async () => {
    const { session: open, link } = await session(clear, { conformance: conformanceOf("read") });
    await expect(open.write(value(TEXT), octets(1))).rejects.toMatchObject({ code: "dlms.service-not-negotiated" });
    await expect(open.invoke(echo, octets(1))).rejects.toMatchObject({ code: "dlms.service-not-negotiated" });
    await expect(open.read(value(LONG))).rejects.toMatchObject({
      reason: "unsupported",
      code: "dlms.confirmed-service-error",
      detail: { service: "read", category: "service", error: "pdu-size" },
    });
    expect(requests(link.sent).some(({ name }) => name === "WriteRequest")).toBe(false);
  });

  it("refuses an association by logical names in answer to one by short names", async () => {
    const { all } = objects();
    const link = loopback(deviceOf(all, { ...clear, referencing: "logical-name" }));
    await expect(openSession(contextOf(link, { profile: profileOf({ access: clear }) }))).rejects.toMatchObject({
      code: "dlms.association-rejected",
      detail: { diagnostic: "application-context-name-not-supported" },
    });
  });
});

describe("the DLMS driver by short names", () => {
  it.each([
    ["in clear", clear],
    ["proved and ciphered", bySn()],
  ])("reads registers and intervals and pings, %s", async (_, wanted) => {
    const { all } = objects();
    const link = loopback(deviceOf(all, wanted, { maxPduSize: 256 }));
    const profile = profileOf({
      access: wanted,
      registers: [{ measurement: "energy.active.import.total", classId: 3, obis: ENERGY, total: true }],
      loadProfiles: [
        {
          channelSet: "load",
          obis: PROFILE,
          period: 900,
          depth: 100,
          channels: [{ measurement: "energy.active.import.total", classId: 3, obis: ENERGY, attribute: 2, scaler: 0 }],
          statusBits: {},
        },
      ],
    });
    const open = await dlmsDriver.open(contextOf(link, { profile }));
    expect(await open.perform({ kind: "ping", depth: "meter" })).toMatchObject({
      evidence: ["tcp-accept", "module-answer", "meter-answer"],
    });
    expect((await open.perform({ kind: "readRegisters" })).registers).toEqual([
      { measurement: "energy.active.import.total", value: 123_456n, scaler: 0 },
    ]);
    const { intervals } = await open.perform({
      kind: "readIntervals",
      range: { from: NOW - 4 * STEP, to: NOW },
      registers: "total",
    });
    expect(intervals[0]?.entries.map(({ values }) => values)).toEqual([[997n], [998n], [999n], [1000n]]);
    await open.release();
  });
});

describe("blocks of a ReadResponse", () => {
  const data = octets(3);
  it.each([
    ["a list of one", "01000903000 70e".replaceAll(" ", "")],
    ["its data alone, as a public peer sends it", "090300070e"],
  ])("join to %s", (_, hex) => {
    const joined = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    expect(resultsInBlocks(joined, 1)).toEqual([{ kind: "data", data }]);
    expect(toHex(joined)).toBe(hex);
  });
});

describe("services that only the other referencing has", () => {
  it.each<readonly [string, ConformanceService[]]>([
    ["short-name", ["get", "set", "action", "selective-access", "access"]],
    ["logical-name", ["read", "write", "unconfirmed-write", "parameterized-access"]],
  ])("are not agreed on by an association by %ss", async (referencing, services) => {
    const wanted = { ...clear, referencing: referencing as "short-name", accessService: true };
    const { session: open } = await session(wanted);
    expect(services.filter((service) => open.exchange.offers(service))).toEqual([]);
  });
});

describe("a meter by short names", () => {
  it("answers or refuses whatever is asked, and does nothing of it by accident", () => {
    const random = seeded("mutants of requests");
    const { all } = objects();
    const table = new AssociationTable(deviceOf(all, clear), { crypto: nodeCrypto, random: seeded("meter") });
    const aarq = aarqOf(PLAN, initiateRequestOf(PLAN));
    expect(decodeApdu(table.answers(1, encode(Aarq, aarq))[0] ?? new Uint8Array()).name).toBe("AARE");
    const genuine = [
      "050102fa08",
      "0502020108040118010f00",
      "05010601000102ffff",
      "060102010801110a",
      "0601070000010109020aff",
      "160102010801110a",
    ];
    for (let round = 0; round < 3_000; round++) {
      const octets = Uint8Array.from(genuine[round % genuine.length]?.match(/../g) ?? [], (pair) =>
        Number.parseInt(pair, 16),
      );
      for (let times = 1 + (random.uint32() % 2); times > 0; times--)
        octets[1 + (random.uint32() % (octets.length - 1))] = random.uint32() & 0xff;
      for (const answer of table.answers(1, octets))
        expect(["ReadResponse", "WriteResponse", "ConfirmedServiceError", "ExceptionResponse"]).toContain(
          decodeApdu(answer).name,
        );
    }
  });
});
