import { PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoAccess } from "../../functions/adapters/dynamo-access.ts";
import { dynamoDayBlocks } from "../../functions/adapters/dynamo-day-blocks.ts";
import { dynamoMissingRecords } from "../../functions/adapters/dynamo-missing-records.ts";
import { dynamoProfiles } from "../../functions/adapters/dynamo-profiles.ts";
import { dynamoRegistry } from "../../functions/adapters/dynamo-registry.ts";
import { dynamoSegments, registryTargets } from "../../functions/adapters/dynamo-segments.ts";
import { meterSearch } from "../../functions/adapters/meter-search.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import { slotsOfBitmap } from "../../shared/jobs/targets.ts";
import { Meter, type MeterId } from "../../shared/metering/meter.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { closeSegmentDay } from "../../shared/readings/close-day.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import { type ExchangePorts, exchangeMeter, type MeterExchange } from "../../shared/readings/exchange-meter.ts";
import { qualityFlags } from "../../shared/readings/quality.ts";
import { readReadings } from "../../shared/readings/read-readings.ts";
import { readServicePoint } from "../../shared/readings/read-service-point.ts";
import { type RetirePorts, retireMeter } from "../../shared/readings/retire-meter.ts";
import { reportOf } from "../../shared/readings/store-fixture.ts";
import { storeReadings } from "../../shared/readings/store-readings.ts";
import { enrolMeters, FILL_ALL } from "../../shared/registry/enrol-meters.ts";
import { ALL, groupSet } from "../../shared/registry/member-sets.ts";
import { keyVault } from "../../shared/security/key-vault.ts";
import { plainVault } from "../plain-vault.ts";
import { type EmbeddedDynamo, embeddedDynamo, TABLES } from "./embedded-dynamo.ts";
import { REGISTRY_TABLES } from "./registry-tables.ts";

const DAY = Date.UTC(2026, 10, 2);
const HOUR_MS = 3_600_000;
/** Seven minutes into the interval that ends at 10:15. */
const AT = DAY + 10 * HOUR_MS + 7 * 60_000;
const BATCH = "00000000000000c1";
const KEYS = { unicast: "000102030405060708090a0b0c0d0e0f", authentication: "101112131415161718191a1b1c1d1e1f" };

let dynamo: EmbeddedDynamo;
let now: number;
beforeAll(async () => {
  dynamo = await embeddedDynamo([...TABLES.filter(({ TableName }) => TableName !== "Registry"), ...REGISTRY_TABLES]);
  const profiles = dynamoProfiles(dynamo.db, "Registry");
  for (const profile of PROFILES.values()) await profiles.add(profile);
});
afterAll(() => dynamo.close());

class Crash extends Error {}

/** What an exchange works on; it ends before the write of that number, if there is one. */
function portsOn(crashBefore = Number.POSITIVE_INFINITY) {
  let writes = 0;
  const db = new Proxy(dynamo.db, {
    get(client, name) {
      if (name !== "send") return Reflect.get(client, name) as unknown;
      return (command: Parameters<typeof client.send>[0]) => {
        const isWrite = command instanceof PutCommand || command instanceof UpdateCommand;
        if (isWrite && writes++ >= crashBefore) throw new Crash();
        return client.send(command);
      };
    },
  });
  const told: string[] = [];
  const ports = {
    registry: dynamoRegistry(db, "Registry"),
    segments: dynamoSegments(db, "Registry"),
    profiles: dynamoProfiles(db, "Registry"),
    access: dynamoAccess(db, "Access"),
    blocks: dynamoDayBlocks(db, "Readings"),
    vault: keyVault(plainVault),
    clock: { now: () => now },
    meterTime: { now: () => now },
    crypto: nodeCrypto,
    audit: async () => void told.push("audit"),
    told: async ({ retires, meter }: MeterExchange) => void told.push(`${retires} → ${meter.meterId}`),
  } satisfies ExchangePorts;
  return { ports, told, writes: () => writes };
}

let named = 0;
const meterOf = (meterId: string, rest: object = {}) =>
  Meter.parse({
    meterId,
    commodity: "electric",
    serial: `S-${meterId}`,
    profile: "generic-eu",
    systemTitle: `485244${(++named).toString(16).padStart(10, "0")}`,
    routes: [{ kind: "dial", host: "127.0.0.1", port: 4059 }],
    memberships: {},
    ...rest,
  });

async function enrolled(meterId: string) {
  now = DAY - DAY_MS;
  const servicePoint = `SP-${meterId}`;
  const request = {
    ...meterOf(meterId, { servicePoint, memberships: { groups: ["north"], feeder: "F-1" } }),
    keys: KEYS,
  };
  const { ports } = portsOn();
  const [outcome] = await enrolMeters(ports, [request], FILL_ALL);
  if (outcome?.kind !== "enrolled") throw new Error(`expected to enrol ${meterId}`);
  now = DAY + 14 * HOUR_MS;
  return { place: outcome.place, servicePoint };
}
function exchangeOf(retires: string, change: Partial<MeterExchange> = {}): MeterExchange {
  const { memberships: _given, ...next } = meterOf(`${retires}-next`);
  return {
    retires: retires as MeterId,
    at: AT,
    finalReads: [{ measurement: "energy.active.import.total", value: 98_765n, scaler: 0 }],
    startReads: [{ measurement: "energy.active.import.total", value: 3n, scaler: 0 }],
    meter: { ...next, keys: KEYS },
    ...change,
  };
}
/** Quarter hours of a place that end within [from, to], dials that rise from there. */
function read(place: { segment: number; slot: number }, from: number, to: number, change: object = {}) {
  const rows = [];
  for (let end = from; end <= to; end += 900_000) rows.push([end, (end - from) / 900_000 + 100, 0] as const);
  const report = reportOf(rows, { slot: place.slot, at: to + 1_000, ...change });
  return storeReadings(portsOn().ports, place.segment, BATCH, [report]);
}

describe("a meter that takes another one's place", () => {
  it("is expected from that instant on, and the one before until then; its keys are gone and nothing is asked of it", async () => {
    const { place, servicePoint } = await enrolled("A-1");
    await read(place, DAY + 900_000, DAY + 10 * HOUR_MS);
    const { ports, told } = portsOn();
    const exchange = exchangeOf("A-1");
    const outcome = await exchangeMeter(ports, exchange);
    expect(outcome).toMatchObject({ kind: "exchanged", there: { meter: { servicePoint }, state: "enrolled" } });
    expect(told).toEqual(["audit", "A-1 → A-1-next"]);
    if (outcome.kind === "refused") return;
    const { there } = outcome;
    expect(there.meter.memberships).toMatchObject({ groups: ["north"], feeder: "F-1" });

    const retired = (await ports.registry.meters(["A-1" as MeterId])).get("A-1" as MeterId);
    const retirement = { at: AT, replacedBy: "A-1-next" };
    expect(retired).toMatchObject({ state: "retired", secured: false, retired: retirement });
    expect(await ports.access.read(place)).toBeUndefined();
    expect(await ports.access.readMany(place.segment, [place.slot, there.place.slot])).toHaveLength(1);
    expect((await ports.access.ownersOf(place.segment, [place.slot])).get(place.slot)).toBe("A-1");
    for (const set of [ALL, groupSet("north"), { kind: "feeder", name: "F-1" } as const]) {
      const slots = (await collected(ports.segments.members(set))).flatMap(({ bitmap }) => slotsOfBitmap(bitmap));
      expect(slots).not.toContain(place.slot);
      expect(slots).toContain(there.place.slot);
    }
    const search = meterSearch(dynamo.db, { registry: "Registry", readings: "Readings", access: "Access" });
    const missing = dynamoMissingRecords(dynamo.db, "Readings");
    const targets = registryTargets(ports.registry, search, ports.segments, missing);
    expect([...(await targets.places(["A-1", "A-1-next"] as MeterId[])).keys()]).toEqual(["A-1-next"]);

    const plans = await ports.access.plansOf(place.segment);
    expect(plans.get(place.slot)?.at(-1)).toEqual({ from: AT, sets: [] });
    expect(plans.get(there.place.slot)).toMatchObject([{ from: AT }]);
  });

  it("leaves no interval expected twice nor not at all, and what nobody read of the old one is missing as retired", async () => {
    const { place } = await enrolled("B-1");
    await read(place, DAY + 900_000, DAY + 9 * HOUR_MS); // the last hour before the exchange was never read
    const { ports } = portsOn();
    const outcome = await exchangeMeter(ports, exchangeOf("B-1"));
    if (outcome.kind === "refused") throw new Error(outcome.expected);
    await read(outcome.there.place, DAY + 10.5 * HOUR_MS, DAY + DAY_MS);
    const all = await ports.access.plansOf(place.segment);
    const own = new Map([place.slot, outcome.there.place.slot].map((slot) => [slot, all.get(slot) ?? []]));
    const closed = await closeSegmentDay(
      {
        plans: { plansOf: async () => new Map([...own].map(([slot, plan]) => [slot, onlyLoad(plan)])) },
        blocks: ports.blocks,
        records: dynamoMissingRecords(dynamo.db, "Readings"),
        ledger: { async *slicesOf() {} },
      },
      place.segment,
      DAY,
      [],
      DAY + DAY_MS + 6 * HOUR_MS,
      DAY + DAY_MS + 6 * HOUR_MS,
    );
    // 40 quarter hours until 10:00; of the new one those that begin at 10:15 or later.
    expect(closed.counts).toMatchObject({ expected: 40 + 55, present: 36 + 55, missing: 4, unaccounted: 0 });
    expect(closed.counts.reasons).toEqual({ retired: 4 });
    expect(closed.toRead).toEqual([]);
  });

  it("is read with it as one service point, each for its own time, with what the displays showed", async () => {
    const { place, servicePoint } = await enrolled("C-1");
    await read(place, DAY + 900_000, DAY + 11 * HOUR_MS); // known of only later: it had been taken away at 10:07
    const { ports } = portsOn();
    const outcome = await exchangeMeter(ports, exchangeOf("C-1"));
    if (outcome.kind === "refused") throw new Error(outcome.expected);
    // From the test bench on, as the new meter has it in its memory.
    await read(outcome.there.place, DAY + 8 * HOUR_MS, DAY + 12 * HOUR_MS, { installedAt: AT });
    const found = await readServicePoint(ports, servicePoint, DAY, DAY + DAY_MS);
    const seen = found?.map(({ meter, readings: { intervals, snapshots } }) => ({
      meter: meter.meter.meterId,
      ends: intervals.flatMap(({ entries }) => entries.map(({ end }) => (end - DAY) / HOUR_MS)).slice(0, 2),
      last: intervals.flatMap(({ entries }) => entries.map(({ end }) => (end - DAY) / HOUR_MS)).at(-1),
      flags: intervals.flatMap(({ entries }) => entries.slice(0, 2).map(({ quality }) => qualityFlags(quality))),
      snapshots: snapshots.map(({ kind, at, registers }) => [kind, at, registers[0]?.value]),
    }));
    expect(seen).toEqual([
      { meter: "C-1", ends: [0.25, 0.5], last: 10, flags: [[], []], snapshots: [["removal", AT, 98_765n]] },
      {
        meter: "C-1-next",
        ends: [10.25, 10.5],
        last: 12,
        flags: [["meterExchange"], []], // it hung there for eight minutes of the first one
        snapshots: [["installation", AT, 3n]],
      },
    ]);
    expect(await readServicePoint(ports, servicePoint, AT, DAY + DAY_MS)).toHaveLength(1);
    expect(await readServicePoint(ports, "SP-none", DAY, AT)).toBeUndefined();
    // What is stored of each outside its time says so.
    const { entries: [, old] = [] } = await entriesOf(ports.blocks, place);
    expect(old).toBe("10.25 10.5 10.75 11");
    const { entries: [, bench] = [] } = await entriesOf(ports.blocks, outcome.there.place);
    expect(bench).toBe("8 8.25 8.5 8.75 9 9.25 9.5 9.75 10 10.25");
  });

  // Every third write: each would take its time.
  it("takes its place whatever write it ended before, when the same is asked again", async () => {
    let crashes = 0;
    for (let crashBefore = 0; ; crashBefore += 3) {
      const name = `D-${crashBefore}`;
      const { place, servicePoint } = await enrolled(name);
      await read(place, DAY + 900_000, DAY + 11 * HOUR_MS);
      const exchange = exchangeOf(name);
      const first = await exchangeMeter(portsOn(crashBefore).ports, exchange).catch((error: unknown) => error);
      if (!(first instanceof Crash)) break;
      crashes++;
      const { ports } = portsOn();
      expect(await exchangeMeter(ports, exchange)).toMatchObject({ there: { state: "enrolled" } });
      if (crashBefore % 2 === 0) {
        const { writes, ports: again } = portsOn();
        expect(await exchangeMeter(again, exchange)).toMatchObject({ kind: "unchanged" });
        expect(writes()).toBeLessThanOrEqual(3); // its access item and its group say so again
      }
      const points = await readServicePoint(ports, servicePoint, DAY, DAY + DAY_MS);
      expect(points?.map(({ meter, until }) => [meter.meter.meterId, meter.state, until])).toEqual([
        [name, "retired", AT],
        [`${name}-next`, "enrolled", undefined],
      ]);
      expect(await ports.access.read(place)).toBeUndefined();
    }
    expect(crashes).toBeGreaterThan(5);
  }, 60_000);

  it("is refused, and nothing written, where it cannot be", async () => {
    const { place } = await enrolled("E-1");
    const cases: readonly (readonly [Partial<MeterExchange>, string])[] = [
      [{ at: now + 1_000 }, "at"],
      [{ at: now - 50 * DAY_MS }, "at"],
      [{ retires: "E-none" as MeterId }, "meterId"],
      [{ meter: meterOf("E-1") }, "meter.meterId"],
      [{ meter: { ...meterOf("E-2"), commodity: "gas" } }, "meter.commodity"],
      [{ meter: { ...meterOf("E-2"), servicePoint: "SP-else" } }, "meter.servicePoint"],
      [{ meter: { ...meterOf("E-2"), serial: "S-E-1", keys: KEYS } }, "meter.serial"],
      [{ meter: meterOf("E-2") }, "meter.keys.unicast"],
    ];
    for (const [change, field] of cases) {
      const { ports, writes } = portsOn();
      expect(await exchangeMeter(ports, exchangeOf("E-1", change))).toMatchObject({ kind: "refused", field });
      expect(writes()).toBe(0);
    }
    expect(await portsOn().ports.access.read(place)).toBeDefined();
    const { ports } = portsOn();
    expect(await exchangeMeter(ports, exchangeOf("E-1"))).toMatchObject({ kind: "exchanged" });
    const other = exchangeOf("E-1", { meter: { ...meterOf("E-3"), keys: KEYS } });
    expect(await exchangeMeter(ports, other)).toMatchObject({ kind: "refused", because: "conflict" });
  });
});

describe("a meter that is taken away and that none replaces", () => {
  const retirement = (retires: string) => ({ retires: retires as MeterId, at: AT, finalReads: [] });
  const display = [{ measurement: "energy.active.import.total", value: 98_765n, scaler: 0 }] as const;
  const portsOf = (crashBefore?: number): RetirePorts => ({
    ...portsOn(crashBefore).ports,
    told: async () => undefined,
  });

  it("is expected until then, and shown at its service point until then; the point is free", async () => {
    const { place, servicePoint } = await enrolled("R-1");
    await read(place, DAY + 900_000, DAY + 11 * HOUR_MS);
    const ports = portsOf();
    expect(await retireMeter(ports, { ...retirement("R-1"), finalReads: display })).toEqual({ kind: "retired" });
    expect((await dynamoAccess(dynamo.db, "Access").plansOf(place.segment)).get(place.slot)?.at(-1)).toEqual({
      from: AT,
      sets: [],
    });
    const { ports: enrol } = portsOn();
    const points = await readServicePoint(enrol, servicePoint, DAY, DAY + DAY_MS);
    expect(points?.map(({ until, readings }) => [until, readings.snapshots.map(({ kind }) => kind)])).toEqual([
      [AT, ["removal"]],
    ]);
    expect(await retireMeter(ports, { ...retirement("R-1"), at: AT - 1_000 })).toMatchObject({ because: "conflict" });
    const [next] = await enrolMeters(enrol, [{ ...meterOf("R-2", { servicePoint }), keys: KEYS }], FILL_ALL);
    expect(next?.kind).toBe("enrolled");
  });

  it("is gone whatever write that ended before, when the same is asked again", async () => {
    for (let crashBefore = 0; ; crashBefore++) {
      const name = `Q-${crashBefore}`;
      const { place } = await enrolled(name);
      await read(place, DAY + 900_000, DAY + 11 * HOUR_MS);
      const first = await retireMeter(portsOf(crashBefore), retirement(name)).catch((error: unknown) => error);
      if (!(first instanceof Crash)) {
        expect(crashBefore).toBeGreaterThan(3);
        break;
      }
      expect(await retireMeter(portsOf(), retirement(name))).toMatchObject({ kind: "retired" });
      const { ports } = portsOn();
      expect((await ports.registry.meters([name as MeterId])).get(name as MeterId)).toMatchObject({
        state: "retired",
        retired: { at: AT },
      });
      expect(await ports.access.read(place)).toBeUndefined();
      const all = (await collected(ports.segments.members(ALL))).filter(({ segment }) => segment === place.segment);
      expect(all.flatMap(({ bitmap }) => slotsOfBitmap(bitmap))).not.toContain(place.slot);
    }
  }, 60_000);
});

const onlyLoad = (plan: readonly { from: number; sets: readonly { set: string; period: number }[] }[]) =>
  plan.map(({ from, sets }) => ({ from, sets: sets.slice(0, 1).map(() => ({ set: "load", period: 900 })) }));

/** Ends of intervals in hours of the day: those without and those with the word of an exchange. */
async function entriesOf(blocks: ExchangePorts["blocks"], place: { segment: number; slot: number }) {
  const { intervals } = await readReadings({ blocks }, place, DAY, DAY + DAY_MS);
  const all = intervals.flatMap(({ entries }) => entries);
  const isMarked = (quality: number): boolean => qualityFlags(quality).includes("meterExchange");
  const hours = (marked: boolean): string =>
    all
      .filter(({ quality }) => isMarked(quality) === marked)
      .map(({ end }) => (end - DAY) / HOUR_MS)
      .join(" ");
  return { entries: [hours(false), hours(true)] };
}
