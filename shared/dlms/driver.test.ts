import { describe, expect, it } from "vitest";
import type { DlmsLoadProfile } from "../metering/profile.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { access, contextOf, deviceOf, holding, loopback, NOW, profileOf } from "./client/loopback-fixture.ts";
import type { Data } from "./data.ts";
import { type DateTime, dateTimeAt, dateTimeData } from "./date-time.ts";
import { dlmsDriver } from "./driver.ts";
import { type CaptureObject, captureObject } from "./objects/profile-generic.ts";
import { type CosemObject, refusedGet } from "./server/cosem-object.ts";

const CLOCK = "0.0.1.0.0.255";
const IMPORT = "1.0.1.8.0.255";
const EXPORT = "1.0.2.8.0.255";
const STATUS = "0.0.96.10.1.255";
const PROFILE = "1.0.99.1.0.255";
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });
const u8 = (value: number): Data => ({ type: "unsigned", value });
const NULL: Data = { type: "null-data", value: null };
const row = (...value: readonly Data[]): Data => ({ type: "structure", value });
const column = (classId: number, logicalName: string): CaptureObject => ({
  classId,
  logicalName,
  attributeIndex: 2,
  dataIndex: 0,
});
const winter = (instant: number): Data => dateTimeData(dateTimeAt(instant, -60));
const scalerUnit = (scaler: number, unit: number): Data =>
  row({ type: "integer", value: scaler }, { type: "enum", value: unit });

const clear = access({ authentication: "none", ciphering: "none", clientSap: 16 });
const loadProfile = (part: Partial<DlmsLoadProfile> = {}): DlmsLoadProfile => ({
  channelSet: "load",
  obis: PROFILE,
  period: 900,
  depth: 100,
  channels: [
    { measurement: "energy.active.import.total", classId: 3, obis: IMPORT, attribute: 2, scaler: 0 },
    { measurement: "energy.active.export.total", classId: 3, obis: EXPORT, attribute: 2, scaler: 0 },
  ],
  status: STATUS,
  statusBits: { "0x04": "dataInvalid", "0x08": "daylightSaving", "0x80": "powerDown" },
  ...part,
});

const clockOf = (time: DateTime, zone: Data = { type: "long", value: -60 }): CosemObject =>
  holding(8, CLOCK, { 2: dateTimeData(time), 3: zone });
const COLUMNS = [column(8, CLOCK), column(1, STATUS), column(3, IMPORT), column(3, EXPORT)];
const profileObject = (rows: readonly Data[], columns: readonly CaptureObject[] = COLUMNS, period = 900): CosemObject =>
  holding(7, PROFILE, {
    2: { type: "array", value: rows },
    3: { type: "array", value: columns.map(captureObject.write) },
    4: u32(period),
  });
const REGISTERS = [
  { measurement: "energy.active.import.total", classId: 3, obis: IMPORT, total: true },
  { measurement: "energy.active.export.total", classId: 3, obis: EXPORT, total: true },
  { measurement: "demand.active.import.max", classId: 4, obis: "1.0.1.6.0.255", total: false },
  { measurement: "voltage.l1.line", classId: 3, obis: "1.0.32.7.0.255", scaler: -1, total: false },
] as const;

async function sessionWith(objects: readonly CosemObject[], dlms: Parameters<typeof profileOf>[0] = {}) {
  const link = loopback(deviceOf(objects, clear));
  const profile = profileOf({ access: clear, registers: [...REGISTERS], loadProfiles: [loadProfile()], ...dlms });
  return { link, session: await dlmsDriver.open(contextOf(link, { profile })) };
}

const NOON = NOW; // 2026-01-23T12:00Z
const STEP = 900_000;
const range = { from: NOON - 4 * STEP, to: NOON };
const read = { kind: "readIntervals", range } as const;
const clock = clockOf(dateTimeAt(NOW + 2_000, -60));

describe("readIntervals", () => {
  it("gives ends in UTC, values, status, and what the clock was off by", async () => {
    const { session } = await sessionWith([
      clock,
      profileObject([
        row(winter(NOON - 4 * STEP), u8(0), u32(99), u32(1)), // ends at `from`: not asked for
        row(winter(NOON - 3 * STEP), u8(0), u32(100), u32(1)),
        row(winter(NOON - 2 * STEP), u8(0x84), u32(110), u32(1)),
        row(winter(NOON), u8(0), u32(120), u32(2)),
        row(winter(NOON + STEP), u8(0), u32(130), u32(2)),
      ]),
    ]);
    const result = await session.perform(read);
    expect(result.refusals).toEqual([]);
    expect(result.clockOffsetMs).toBe(2_000);
    expect(result.intervals).toEqual([
      {
        channelSet: "load",
        period: 900,
        channels: [
          { measurement: "energy.active.import.total", scaler: 0 },
          { measurement: "energy.active.export.total", scaler: 0 },
        ],
        entries: [
          { end: NOON - 3 * STEP, values: [100n, 1n], status: 0 },
          { end: NOON - 2 * STEP, values: [110n, 1n], status: INTERVAL_STATUS.dataInvalid | INTERVAL_STATUS.powerDown },
          { end: NOON, values: [120n, 2n], status: 0 },
        ],
      },
    ]);
  });

  it("undoes null and delta compression, by column", async () => {
    const { session } = await sessionWith([
      clock,
      profileObject([
        row(winter(NOON - 3 * STEP), u8(0), u32(100), NULL),
        row(NULL, NULL, NULL, u32(7)),
        row(NULL, NULL, { type: "delta-unsigned", value: 5 }, NULL),
        row(winter(NOON), NULL, { type: "delta-integer", value: -2 }, u32(8)),
      ]),
    ]);
    const [set] = (await session.perform(read)).intervals;
    expect(set?.entries).toEqual([
      { end: NOON - 3 * STEP, values: [100n, undefined], status: 0 },
      { end: NOON - 2 * STEP, values: [100n, 7n], status: 0 },
      { end: NOON - STEP, values: [105n, 7n], status: 0 },
      { end: NOON, values: [103n, 8n], status: 0 },
    ]);
  });

  it("keeps 64-bit values exact, and a compact-array is as good as an array", async () => {
    const big = 9_007_199_254_740_993n;
    const rows = [row(winter(NOON), u8(0), { type: "long64-unsigned", value: big }, u32(0))];
    const object = holding(7, PROFILE, {
      2: {
        type: "compact-array",
        value: {
          description: {
            type: "structure",
            of: [
              { type: "octet-string" },
              { type: "unsigned" },
              { type: "long64-unsigned" },
              { type: "double-long-unsigned" },
            ],
          },
          elements: rows,
        },
      },
      3: { type: "array", value: COLUMNS.map(captureObject.write) },
      4: u32(900),
    });
    const { session } = await sessionWith([clock, object]);
    expect((await session.perform(read)).intervals[0]?.entries[0]?.values).toEqual([big, 0n]);
  });

  it("finds the columns wherever the meter has them, newest first or not", async () => {
    const columns = [column(3, EXPORT), column(3, "1.0.3.8.0.255"), column(8, CLOCK), column(3, IMPORT)];
    const { session } = await sessionWith([
      clock,
      profileObject(
        [row(u32(2), u32(9), winter(NOON), u32(20)), row(u32(1), u32(9), winter(NOON - STEP), u32(10))],
        columns,
      ),
    ]);
    expect((await session.perform(read)).intervals[0]?.entries).toEqual([
      { end: NOON - STEP, values: [10n, 1n], status: 0 },
      { end: NOON, values: [20n, 2n], status: 0 },
    ]);
  });

  it("resolves local times without deviation by zone and DST flag, and says so when it cannot", async () => {
    const local = (hour: number, clockStatus: number | undefined): Data =>
      dateTimeData({
        ...dateTimeAt(Date.UTC(2026, 0, 23, hour), 0),
        deviation: undefined,
        clockStatus,
      });
    const { status: _, ...without } = loadProfile();
    const columns = [column(8, CLOCK), column(3, IMPORT), column(3, EXPORT)];
    const { session } = await sessionWith(
      [
        clockOf(dateTimeAt(NOW, -60)),
        profileObject(
          [
            row(local(13, 0), u32(1), u32(1)), // standard time: 12:00Z
            row(local(13, 0x80), u32(2), u32(2)), // summer time: 11:00Z
            row(local(12, undefined), u32(3), u32(3)), // not said: by the clock's present deviation
          ],
          columns,
        ),
      ],
      { loadProfiles: [without] },
    );
    const result = await session.perform({ kind: "readIntervals", range: { from: NOON - 24 * 3_600_000, to: NOON } });
    expect(result.intervals[0]?.entries.map(({ end, status }) => [end, status])).toEqual([
      [NOON - 3_600_000, 0],
      [NOON - 3_600_000, INTERVAL_STATUS.timeAmbiguous],
      [NOON, 0],
    ]);
  });

  it("reads meters that give the deviation the other sign", async () => {
    const other = (instant: number) => dateTimeAt(instant, -60, { sign: "local" });
    const { session } = await sessionWith(
      [
        clockOf(other(NOW), { type: "long", value: 60 }),
        profileObject([row(dateTimeData(other(NOON)), u8(0), u32(1), u32(2))]),
      ],
      { access: { ...clear, deviationSign: "local" } },
    );
    const result = await session.perform(read);
    expect(result.clockOffsetMs).toBe(0);
    expect(result.intervals[0]?.entries[0]?.end).toBe(NOON);
  });

  it("brings the total registers in the same session", async () => {
    const { session, link } = await sessionWith([
      clock,
      profileObject([row(winter(NOON), u8(0), u32(1), u32(2))]),
      holding(3, IMPORT, { 2: u32(12345), 3: scalerUnit(1, 30) }),
      holding(3, EXPORT, { 2: u32(5), 3: scalerUnit(0, 30) }),
    ]);
    const result = await session.perform({ ...read, registers: "total" });
    expect(result.registers).toEqual([
      { measurement: "energy.active.import.total", value: 12345n, scaler: 1 },
      { measurement: "energy.active.export.total", value: 5n, scaler: 0 },
    ]);
    expect(link.sent).toHaveLength(4); // association, clock and columns, buffer, registers
  });

  it("says what the meter does not capture, and goes on", async () => {
    const columns = [column(8, CLOCK), column(3, IMPORT)];
    const { session } = await sessionWith([clock, profileObject([row(winter(NOON), u32(1))], columns)]);
    const result = await session.perform(read);
    expect(result.intervals[0]?.entries[0]?.values).toEqual([1n, undefined]);
    expect(result.refusals).toEqual([{ item: "energy.active.export.total", code: "dlms.not-captured" }]);
  });

  it("says that the profile is refused, and goes on", async () => {
    const { session } = await sessionWith([clock]);
    const result = await session.perform(read);
    expect(result.intervals).toEqual([]);
    expect(result.refusals).toEqual([{ item: "load", code: "dlms.object-undefined" }]);
  });

  it.each<readonly [string, readonly CosemObject[], string]>([
    ["another capture period", [profileObject([], COLUMNS, 1800)], "dlms.capture-period"],
    ["no clock column", [profileObject([], [column(3, IMPORT)])], "dlms.no-clock-column"],
    ["an entry of too few columns", [profileObject([row(winter(NOON), u8(0))])], "dlms.bad-buffer"],
    ["an entry that does not say when", [profileObject([row(NULL, u8(0), u32(1), u32(1))])], "dlms.bad-buffer"],
    [
      "a buffer that is no array",
      [holding(7, PROFILE, { 2: u8(1), 3: { type: "array", value: COLUMNS.map(captureObject.write) } })],
      "dlms.bad-buffer",
    ],
    ["columns of another form", [holding(7, PROFILE, { 2: u8(1), 3: u8(1) })], "dlms.type-unmatched"],
  ])("refuses %s as malformed", async (_, objects, code) => {
    const { session } = await sessionWith([clock, ...objects]);
    await expect(session.perform(read)).rejects.toMatchObject({ reason: "protocol", code });
  });
});

describe("readRegisters", () => {
  const objects = [
    clock,
    holding(3, IMPORT, { 2: u32(100), 3: scalerUnit(-1, 30) }),
    holding(3, EXPORT, { 2: { type: "float32", value: 12.5 }, 3: scalerUnit(0, 30) }),
    holding(4, "1.0.1.6.0.255", { 2: u32(77), 3: scalerUnit(2, 27), 4: u8(0), 5: winter(NOON - STEP) }),
    holding(3, "1.0.32.7.0.255", { 2: u32(2301) }),
  ];

  it("reads value, scaler and capture time; a fixed scaler is not asked for", async () => {
    const { session } = await sessionWith(objects);
    const result = await session.perform({ kind: "readRegisters" });
    expect(result.registers).toEqual([
      { measurement: "energy.active.import.total", value: 100n, scaler: -1 },
      { measurement: "energy.active.export.total", value: 125n, scaler: -1 },
      { measurement: "demand.active.import.max", value: 77n, scaler: 2, at: NOON - STEP },
      { measurement: "voltage.l1.line", value: 2301n, scaler: -1 },
    ]);
    expect(result.refusals).toEqual([]);
  });

  it("reads the ones asked for, and names what is not mapped or refused", async () => {
    const { session } = await sessionWith([clock, holding(3, IMPORT, { 2: u32(1), 3: scalerUnit(0, 30) })]);
    const result = await session.perform({
      kind: "readRegisters",
      measurements: ["energy.active.import.total", "energy.active.export.total", "volume.gas"],
    });
    expect(result.registers).toHaveLength(1);
    expect(result.refusals).toEqual([
      { item: "volume.gas", code: "profile.not-mapped" },
      { item: "energy.active.export.total", code: "dlms.object-undefined" },
    ]);
  });

  it("does not take a transient refusal for an answer", async () => {
    const busy: CosemObject = {
      classId: 3,
      version: 0,
      logicalName: IMPORT,
      attributes: { 2: { get: () => refusedGet("temporary-failure") } },
    };
    const { session } = await sessionWith([clock, busy]);
    await expect(
      session.perform({ kind: "readRegisters", measurements: ["energy.active.import.total"] }),
    ).rejects.toMatchObject({ reason: "refused", code: "dlms.temporary-failure", retry: "later" });
  });

  it("does not believe a value in another unit", async () => {
    const { session } = await sessionWith([clock, holding(3, IMPORT, { 2: u32(1), 3: scalerUnit(0, 32) })]);
    const result = await session.perform({ kind: "readRegisters", measurements: ["energy.active.import.total"] });
    expect(result).toMatchObject({
      registers: [],
      refusals: [{ item: "energy.active.import.total", code: "dlms.unit-mismatch" }],
    });
  });
});

describe("ping", () => {
  it("of the network is answered by the association alone", async () => {
    const { session, link } = await sessionWith([clock]);
    expect(await session.perform({ kind: "ping", depth: "network" })).toMatchObject({
      evidence: ["tcp-accept", "module-answer"],
    });
    expect(link.sent).toHaveLength(1);
  });
  it("of the meter reads an object past the interface", async () => {
    const { session } = await sessionWith([clock, holding(3, IMPORT, { 2: u32(1) })]);
    const result = await session.perform({ kind: "ping", depth: "meter" });
    expect(result.evidence).toEqual(["tcp-accept", "module-answer", "meter-answer"]);
    expect(result.clockOffsetMs).toBe(2_000);
  });
  it("says when the meter behind the module does not answer", async () => {
    const { session } = await sessionWith([clock]);
    const result = await session.perform({ kind: "ping", depth: "meter" });
    expect(result.evidence).toEqual(["tcp-accept", "module-answer"]);
    expect(result.refusals).toEqual([{ item: "energy.active.import.total", code: "dlms.object-undefined" }]);
  });
});
