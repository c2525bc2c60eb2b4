import { describe, expect, test } from "vitest";
import { DeviceProfile } from "../../metering/profile.ts";
import type { Data } from "../data.ts";
import { DATA_ACCESS_RESULT } from "../data-access-result.ts";
import { captureObject } from "../objects/profile-generic.ts";
import { UNIT } from "../objects/unit.ts";
import { classesOf } from "../selective-access.ts";
import { actionResult, type CosemObject, dataResult, refusedGet } from "../server/cosem-object.ts";
import { discoverObjects } from "./discover-objects.ts";
import { draftProfiles } from "./draft-profile.ts";
import { access, contextOf, deviceOf, holding, loopback, profileOf } from "./loopback-fixture.ts";
import { readDetails } from "./object-details.ts";
import { openSession } from "./open-session.ts";
import type { DlmsSession } from "./session.ts";

const CLOCK = "0.0.1.0.0.255";
const IMPORT = "1.0.1.8.0.255";
const STATUS = "0.0.96.10.1.255";
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });
const u8 = (value: number): Data => ({ type: "unsigned", value });
const enumerated = (value: number): Data => ({ type: "enum", value });
const scalerUnit = (scaler: number, unit: number): Data => ({
  type: "structure",
  value: [
    { type: "integer", value: scaler },
    { type: "enum", value: unit },
  ],
});
const register = (obis: string, scaler: number, unit: number, classId = 3): CosemObject =>
  holding(classId, obis, { 2: u32(1), 3: scalerUnit(scaler, unit) });
const column = (classId: number, logicalName: string, attributeIndex = 2) => ({
  classId,
  logicalName,
  attributeIndex,
  dataIndex: 0,
});
const profileObject = (
  obis: string,
  period: number,
  columns: readonly ReturnType<typeof column>[],
  entries = 100,
): CosemObject =>
  holding(7, obis, {
    2: { type: "array", value: [] },
    3: { type: "array", value: columns.map(captureObject.write) },
    4: u32(period),
    8: u32(entries),
  });
const clock: CosemObject = {
  ...holding(8, CLOCK, { 2: { type: "octet-string", value: new Uint8Array(12) } }),
  methods: { 6: () => actionResult("success") },
};

/** A meter with everything that a draft may hold, and things that it may not. */
const RICH: readonly CosemObject[] = [
  clock,
  register(IMPORT, 0, UNIT.Wh),
  register("1.0.2.8.0.255", 3, UNIT.Wh),
  register("1.0.1.8.1.255", 0, UNIT.Wh),
  register("1.0.1.6.0.255", 0, UNIT.W, 4),
  register("1.0.32.7.0.255", -1, UNIT.V),
  register("1.0.13.7.0.255", -3, UNIT.count),
  // Not of this unit, not of the catalogue, a billing period long past.
  register("1.0.31.7.0.255", 0, UNIT.V),
  register("1.0.81.7.4.255", 0, UNIT["°"]),
  register("1.0.1.8.0.101", 0, UNIT.Wh),
  holding(1, STATUS, { 2: u8(0) }),
  profileObject(
    "1.0.99.1.0.255",
    900,
    [column(8, CLOCK), column(1, STATUS), column(3, IMPORT), column(3, "1.0.9.9.9.255")],
    960,
  ),
  profileObject("1.0.99.2.0.255", 86_400, [column(8, CLOCK), column(3, IMPORT), column(3, "1.0.2.8.0.255")], 40),
  profileObject("1.0.99.3.0.255", 900, [column(3, IMPORT)]),
  profileObject("0.0.98.1.0.255", 0, [column(8, CLOCK), column(3, IMPORT), column(4, "1.0.1.6.0.255")], 13),
  profileObject("0.0.99.98.1.255", 0, [column(8, CLOCK), column(1, "0.0.96.11.1.255")], 50),
  {
    ...holding(9, "0.0.10.0.1.255", { 2: { type: "array", value: [] } }),
    methods: { 1: () => actionResult("success") },
  },
  holding(1, "1.0.0.1.0.255", { 2: u32(3) }),
  holding(1, "1.0.0.2.0.255", { 2: u32(3) }),
  holding(70, "0.0.96.3.10.255", { 2: { type: "boolean", value: true }, 3: enumerated(1), 4: enumerated(4) }),
  holding(71, "0.0.17.0.0.255", { 3: u32(1) }),
  holding(18, "0.0.44.0.0.255", { 2: u32(64) }),
  holding(64, "0.0.43.0.0.255", { 2: enumerated(3) }),
  holding(72, "0.1.24.1.0.255", { 4: u32(3600), 9: u8(3) }),
  register("0.1.24.2.1.255", -3, UNIT.m3, 4),
  profileObject("0.1.24.3.0.255", 3600, [column(8, CLOCK), column(4, "0.1.24.2.1.255")], 240),
  holding(72, "0.2.24.1.0.255", { 4: u32(0), 9: u8(7) }),
  register("0.2.24.2.1.255", 0, UNIT.l, 4),
];
const ACCESS = access({ authentication: "none", ciphering: "none", clientSap: 16 });

const entry = (classId: number, obis: string, version = 0, ...rights: readonly Data[]): Data => ({
  type: "structure",
  value: [
    { type: "long-unsigned", value: classId },
    u8(version),
    { type: "octet-string", value: Uint8Array.from(obis.split("."), Number) },
    ...rights,
  ],
});

async function sessionWith(objects: readonly CosemObject[], part: Parameters<typeof access>[0] = {}) {
  const wanted = { ...ACCESS, ...part };
  const link = loopback(deviceOf(objects, wanted));
  return { link, session: await openSession(contextOf(link, { profile: profileOf({ access: wanted }) })) };
}
async function draftOf(objects: readonly CosemObject[]) {
  const { session } = await sessionWith(objects);
  const list = await discoverObjects(session, "logical-name");
  const details = await readDetails(session, list.objects);
  return draftProfiles("found", ACCESS, { objects: list.objects, details });
}

describe("the object list of an unknown meter", () => {
  test("comes with versions and rights, over as many blocks as it takes", async () => {
    const { session, link } = await sessionWith(RICH);
    const { objects, untold } = await discoverObjects(session, "logical-name");
    expect(untold).toEqual([]);
    expect(objects.map(({ logicalName }) => logicalName)).toEqual([
      "0.0.40.0.0.255",
      ...RICH.map(({ logicalName }) => logicalName),
    ]);
    expect(link.answered.length).toBeGreaterThan(4);
    const found = objects.find(({ logicalName }) => logicalName === CLOCK);
    expect(found?.attributes?.get(2)).toEqual({ read: true, write: false, selectors: [1] });
    expect([...(found?.methods ?? [])]).toEqual([6]);
  });

  test("can be asked for by class", async () => {
    const { session } = await sessionWith(RICH);
    const { objects } = await discoverObjects(session, "logical-name", [70, 71]);
    expect(objects.map(({ logicalName }) => logicalName)).toEqual(["0.0.96.3.10.255", "0.0.17.0.0.255"]);
  });

  test("is read class by class from a meter that will not give it whole", async () => {
    const asked: number[][] = [];
    const session = {
      exchange: { offers: () => true },
      read: async (_: unknown, selection?: Parameters<typeof classesOf>[0]) => {
        const classes = selection && classesOf(selection);
        if (classes === undefined) return { kind: "refused", result: DATA_ACCESS_RESULT["other-reason"] };
        asked.push([...classes]);
        const value = classes.includes(70) ? [entry(70, "0.0.96.3.10.255")] : [];
        return { kind: "value", value: { type: "array", value } };
      },
    } as unknown as DlmsSession;
    const { objects, untold } = await discoverObjects(session, "logical-name");
    expect(objects).toEqual([
      { classId: 70, version: 0, logicalName: "0.0.96.3.10.255", attributes: undefined, methods: undefined },
    ]);
    expect(untold.map(({ because }) => because)).toEqual([expect.stringContaining("by class alone")]);
    expect(asked.flat()).toEqual(expect.arrayContaining([1, 3, 7, 70, 113]));
    expect(asked.every((classes) => classes.length <= 8)).toBe(true);
  });

  test("passes over an entry of another form, and refuses what is no list", async () => {
    const session = (value: Data) =>
      ({ exchange: { offers: () => false }, read: async () => ({ kind: "value", value }) }) as unknown as DlmsSession;
    const list: Data = { type: "array", value: [u8(1), entry(3, IMPORT)] };
    const { objects, untold } = await discoverObjects(session(list), "logical-name");
    expect(objects.map(({ logicalName }) => logicalName)).toEqual([IMPORT]);
    expect(untold).toHaveLength(1);
    await expect(discoverObjects(session(u8(1)), "logical-name")).rejects.toThrow("not as its class says");
  });

  test("tells rights by bits where the association is of version 3", async () => {
    const rights: Data = {
      type: "structure",
      value: [
        {
          type: "array",
          value: [0x21, 0x06, 0x08].map((mode, index) => ({
            type: "structure",
            value: [{ type: "integer", value: index + 1 }, enumerated(mode), { type: "null-data", value: null }],
          })),
        },
        { type: "array", value: [] },
      ],
    };
    const list: Data = { type: "array", value: [entry(15, "0.0.40.0.0.255", 3, rights)] };
    const session = { exchange: { offers: () => false }, read: async () => ({ kind: "value", value: list }) };
    const { objects } = await discoverObjects(session as unknown as DlmsSession, "logical-name");
    expect([...(objects[0]?.attributes ?? [])].map(([, { read, write }]) => [read, write])).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ]);
  });

  test("is read by short names from Association SN", async () => {
    const objects = RICH.slice(0, 6);
    const { session } = await sessionWith(objects, { referencing: "short-name", clientSap: 1 });
    const { objects: found } = await discoverObjects(session, "short-name");
    expect(found.map(({ logicalName }) => logicalName)).toEqual(
      expect.arrayContaining(objects.map(({ logicalName }) => logicalName)),
    );
    expect(found.find(({ logicalName }) => logicalName === IMPORT)?.attributes?.get(2)?.read).toBe(true);
  });
});

describe("a drafted profile", () => {
  test("holds what the meter has, by neutral names, and parses as a device profile", async () => {
    const { profiles } = await draftOf(RICH);
    const [electric, gas, water, ...more] = profiles;
    expect(more).toEqual([]);
    for (const profile of profiles) expect(DeviceProfile.parse(profile)).toEqual(profile);
    expect(electric?.commodity).toBe("electric");
    expect(electric?.dlms.registers.map(({ measurement, total }) => [measurement, total])).toEqual([
      ["energy.active.import.total", true],
      ["energy.active.export.total", true],
      ["energy.active.import.tou.1", false],
      ["demand.active.import.max", false],
      ["voltage.l1.line", false],
      ["power-factor.total", false],
    ]);
    expect(
      electric?.dlms.loadProfiles.map(({ channelSet, obis, period, depth, status, channels }) => ({
        channelSet,
        obis,
        period,
        depth,
        status,
        channels: channels.map(({ measurement, scaler }) => [measurement, scaler]),
      })),
    ).toEqual([
      {
        channelSet: "load",
        obis: "1.0.99.1.0.255",
        period: 900,
        depth: 960,
        status: STATUS,
        channels: [["energy.active.import.total", 0]],
      },
      {
        channelSet: "daily",
        obis: "1.0.99.2.0.255",
        period: 86_400,
        depth: 40,
        status: undefined,
        channels: [
          ["energy.active.import.total", 0],
          ["energy.active.export.total", 3],
        ],
      },
    ]);
    expect(electric?.dlms).toMatchObject({
      clock: CLOCK,
      demandReset: {
        script: 1,
        counter: "1.0.0.1.0.255",
        registers: ["demand.active.import.max"],
        evidence: "unverified",
      },
      switch: { control: "0.0.96.3.10.255", mode: 4, evidence: "unverified" },
      clockSetting: { method: "shift", evidence: "unverified" },
      limiter: { obis: "0.0.17.0.0.255" },
      imageTransfer: { obis: "0.0.44.0.0.255", activeFirmware: "1.0.0.2.0.255" },
      securitySetup: { obis: "0.0.43.0.0.255", version: 0, keyTransfer: [] },
      events: [{ log: "fraud", obis: "0.0.99.98.1.255", code: "0.0.96.11.1.255", depth: 50 }],
      billing: { obis: "0.0.98.1.0.255", depth: 13, registers: [{ classId: 3 }, { classId: 4 }] },
    });
    expect(gas).toMatchObject({
      name: "found-mbus-1",
      commodity: "gas",
      dlms: {
        mbus: { channel: 1, client: "0.1.24.1.0.255", deviceTypes: [3], capturePeriod: 3600 },
        registers: [{ measurement: "volume.gas", classId: 4, obis: "0.1.24.2.1.255", total: true }],
        loadProfiles: [{ channelSet: "hourly", channels: [{ measurement: "volume.gas", scaler: -3 }] }],
      },
    });
    expect(water).toMatchObject({
      commodity: "water",
      dlms: { registers: [{ measurement: "volume.water" }], mbus: { channel: 2, capturePeriod: 3600 } },
    });
  });

  test("says what it could not tell and what it assumed", async () => {
    const { untold } = await draftOf(RICH);
    const about = (name: string) => untold.filter((each) => each.about === name).map(({ because }) => because);
    expect(about("1.0.31.7.0.255")).toEqual(["its unit V is not that of current.l1"]);
    expect(about("1.0.81.7.4.255")).toEqual(["the measurement catalogue has no such value"]);
    expect(about("1.0.99.1.0.255")).toEqual([
      "its column 1.0.9.9.9.255, attribute 2, is no register of this profile",
      `the bits of ${STATUS} are assumed to be the AMR profile status`,
    ]);
    expect(about("1.0.99.3.0.255")).toEqual([`it does not capture the clock ${CLOCK}`]);
    expect(about("0.0.10.0.1.255")).toEqual(["script 1 is assumed to be the demand reset"]);
    expect(about("0.2.24.1.0.255")).toEqual(["its capture period is not told: an hour is assumed"]);
    expect(about("1.0.1.8.0.101")).toEqual([]);
  });

  test("leaves out a register whose unit the meter will not tell, and says so", async () => {
    const silent: CosemObject = {
      classId: 3,
      version: 0,
      logicalName: "1.0.2.8.0.255",
      attributes: { 2: { get: () => dataResult(u32(1)) }, 3: { get: () => refusedGet("read-write-denied") } },
    };
    const { profiles, untold } = await draftOf([clock, register(IMPORT, 0, UNIT.Wh), silent]);
    expect(profiles[0]?.dlms.registers.map(({ obis }) => obis)).toEqual([IMPORT]);
    expect(untold).toEqual([
      { about: "1.0.2.8.0.255", because: "attribute 3 is refused: read-write-denied" },
      { about: "1.0.2.8.0.255", because: "its scaler and unit could not be read" },
    ]);
  });

  test("is none without a clock, and none without a register", async () => {
    expect((await draftOf([register(IMPORT, 0, UNIT.Wh)])).profiles).toEqual([]);
    const { profiles, untold } = await draftOf([clock]);
    expect(profiles).toEqual([]);
    expect(untold).toEqual([
      { about: "registers", because: "no register measures electricity, gas or water: no profile of the meter itself" },
    ]);
  });
});
