import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoAccess } from "../../functions/adapters/dynamo-access.ts";
import { dynamoDayBlocks } from "../../functions/adapters/dynamo-day-blocks.ts";
import { dynamoMissingRecords } from "../../functions/adapters/dynamo-missing-records.ts";
import { systemClock } from "../../infra/local/clock.ts";
import type { Kpis } from "../../shared/api/kpis.ts";
import { type ChannelPlan, plannedSets } from "../../shared/metering/channel-plan.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { DeviceProfile } from "../../shared/metering/profile.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { formatClockSetting, scaledClock } from "../../shared/ports/scaled-clock.ts";
import { DayCounts } from "../../shared/readings/missing-records.ts";
import { type AnyMeter, simulatedMeter } from "../../shared/simulator/any-meter.ts";
import { population } from "../../shared/simulator/population.ts";
import type { GivenRegister } from "../simulation/week/field-meter.ts";
import { capturedBy } from "../simulation/week/simulated-device.ts";
import { type CountedMeter, countDays, type SlotCount } from "../simulation/week/week-count.ts";
import { DayField } from "./day-field.ts";
import { Deployment, until } from "./deployment.ts";

const FACTOR = 120;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The day whose slots are counted: of the night that follows it summer time ends. */
const DAY = Date.UTC(2026, 9, 24);
/** Of everything that has to do with meters: from the afternoon to the noon of the next day in eleven minutes. */
const setting = { start: DAY + 14 * HOUR_MS, factor: FACTOR, anchor: Date.now() };
const clock = scaledClock(systemClock, setting);
/** Meters of this test, and of `npm start`: some reached by datagrams and over relays, some asleep. */
const FIELD = 36;
const TOWN = 20;
const SLEEPERS = 4;
const TOWN_SEED = 1;
const DEPTH_MS = 9 * DAY_MS;
const STAMP_TOLERANCE_MS = 10_000 * FACTOR;

interface Listed {
  readonly meterId: string;
  readonly segment: number;
  readonly slot: number;
}
interface Enrolled extends Listed {
  readonly device: AnyMeter;
  readonly profile: DeviceProfile;
  /** Its plan begins between these instants. */
  readonly between: readonly [number, number];
}

/** At an instant of the product's clock, or at once where that is over. */
const at = (instant: number): Promise<void> => clock.sleep(Math.max(0, instant - clock.now()));
const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);

describe("a day of a deployment whose clock runs 120 times as fast", () => {
  let town: Deployment;
  let field: DayField;
  const enrolled: Enrolled[] = [];
  let exchanged: { readonly meterId: string; readonly at: number } | undefined;
  let first: DayCounts;
  let last: DayCounts;
  let count: SlotCount;
  /** Meters of the field that answered within the last hour, those at its edge apart, and the key figures of then. */
  let heard: { readonly least: number; readonly most: number };
  let figures: Kpis;

  async function enrol(place: DayField["places"][number], meterId: string, device: AnyMeter): Promise<void> {
    const before = clock.now();
    const { status, body } = await town.call<Listed>(
      "administrator",
      "POST",
      "/meters",
      field.enrolment(place, meterId, device),
    );
    if (status !== 201) throw new Error(`${meterId}: ${status} ${JSON.stringify(body)}`);
    enrolled.push({ ...body, device, profile: place.profile, between: [before, clock.now()] });
  }

  async function schedule(scheduleId: string, body: object): Promise<void> {
    const made = await town.call("analyst", "POST", "/schedules", {
      scheduleId,
      name: scheduleId,
      target: { kind: "all" },
      deadlineSeconds: 100,
      ...body,
    });
    if (made.status !== 201) throw new Error(`${scheduleId}: ${made.status} ${JSON.stringify(made.body)}`);
  }

  beforeAll(async () => {
    town = await Deployment.start(["--meters", String(TOWN), "--sleepers", String(SLEEPERS)], {
      HEADRACE_CLOCK: formatClockSetting(setting),
    });
    const up = clock.now();
    const { body } = await town.call<{ meters: readonly Listed[] }>("operator", "GET", "/meters?limit=500");
    const ports = { crypto: nodeCrypto, random: seeded("twins"), now: () => clock.now() };
    const clientSystemTitle = clientTitle(town.info.dataDir);
    // What the meters of `npm start` hold follows from seed and number: a twin of each holds the same.
    const plans = population(nodeCrypto, {
      meters: TOWN,
      sleepers: SLEEPERS,
      seed: TOWN_SEED,
      faults: {},
      clientSystemTitle,
    });
    for (const plan of plans) {
      const found = body.meters.find(({ meterId }) => meterId === plan.meterId);
      if (found === undefined) throw new Error(`${plan.meterId} is enrolled`);
      const { segment, slot, meterId } = found;
      const device = simulatedMeter(plan, TOWN_SEED, ports);
      enrolled.push({ meterId, segment, slot, device, profile: plan.profile, between: [setting.start, up] });
    }
    field = new DayField(clock, clientSystemTitle);
    await field.listen(FIELD);
    for (const place of field.places) await enrol(place, place.meterId, place.device);
    await schedule("hours", {
      operation: { kind: "readIntervals", lastSeconds: 5 * 3600 },
      cron: "5 */2 * * *",
      retry: { passes: 2, backoffSeconds: 5 },
    });
    await schedule("night", {
      operation: { kind: "readIntervals", lastSeconds: 26 * 3600, registers: "total" },
      target: { kind: "group", group: "field" },
      // In the hour that is there twice.
      cron: "30 2 * * *",
      timeZone: "Europe/Vienna",
      retry: { passes: 3, backoffSeconds: 10 },
    });
  }, 300_000);
  afterAll(async () => {
    await field?.close();
    expect(await town?.stop()).toBe(0);
  }, 60_000);

  const wake = () => town.call("operator", "GET", "/local/wake");
  const bridges = async (): Promise<readonly { readonly pid: number }[]> =>
    (await town.call<{ bridges: readonly { pid: number }[] }>("operator", "GET", "/local/processes")).body.bridges;
  const killOne = async (): Promise<void> => {
    const [one] = await bridges();
    if (one !== undefined) process.kill(one.pid, "SIGKILL");
  };
  const counted = async (passes: number): Promise<DayCounts> =>
    until(240_000, `${passes} closing passes over ${dayText(DAY)}`, async () => {
      const { body } = await town.call<{ days: readonly Record<string, unknown>[] }>(
        "analyst",
        "GET",
        `/completeness?from=${dayText(DAY)}&to=${dayText(DAY)}`,
      );
      const [found] = body.days;
      return found !== undefined && Number(found.passes) >= passes ? DayCounts.loose().parse(found) : undefined;
    });

  it("goes by, with sessions lost, collectors dark, a device exchanged, a clock set, bridges killed, clocks put back", async () => {
    const [wrong, , , gone] = field.places;
    if (wrong === undefined || gone === undefined) throw new Error("the field has meters");
    field.dark.add("collector-1");
    await at(DAY + 17 * HOUR_MS);
    const set = await town.call("operator", "POST", "/jobs", {
      operation: { kind: "setClock" },
      target: { kind: "meters", meterIds: [wrong.meterId] },
      reason: "its clock is behind by an hour",
    });
    expect(set.status).toBe(202);
    await at(DAY + 17.6 * HOUR_MS);
    await killOne();
    await at(DAY + 18 * HOUR_MS);
    exchanged = { meterId: gone.meterId, at: clock.now() };
    const next = field.exchange(gone);
    await at(DAY + 19 * HOUR_MS);
    field.dark.add("collector-2");
    await wake();
    await at(DAY + 20 * HOUR_MS);
    await enrol(gone, `${gone.meterId}-new`, next);
    await at(DAY + 21.5 * HOUR_MS);
    field.dark.delete("collector-1");
    await at(DAY + 24.2 * HOUR_MS);
    await wake();
    await at(DAY + 25.5 * HOUR_MS + 60_000); // the nightly read runs
    await killOne();
    await at(DAY + 29.9 * HOUR_MS);
    first = await counted(1);
    await at(DAY + 30.4 * HOUR_MS);
    field.dark.delete("collector-2");
    field.fairFrom = clock.now();
    await at(DAY + 33 * HOUR_MS);
    for (const id of ["hours", "night"])
      expect((await town.call("analyst", "POST", `/schedules/${id}/pause`, { reason: "the day is over" })).status).toBe(
        200,
      );
    // Besides these and what is read again for its gaps, no meter is heard until the modules that sleep wake at noon.
    await at(DAY + 34.5 * HOUR_MS);
    const sample = field.places
      .map(({ meterId }) => meterId)
      .filter((meterId, index) => index % 3 === 0 && meterId !== gone.meterId);
    const asked = await town.runJob({
      operation: {
        kind: "readIntervals",
        range: { from: new Date(DAY + 33 * HOUR_MS).toISOString(), to: new Date(DAY + 34 * HOUR_MS).toISOString() },
        registers: "total",
      },
      target: { kind: "meters", meterIds: sample },
    });
    expect(asked.progress.done).toBe(sample.length);
    figures = (await town.call<Kpis>("analyst", "GET", "/kpis")).body;
    const since = (minutes: number): number =>
      field.places.filter(({ answeredAt }) => answeredAt > clock.now() - minutes * 60_000).length;
    heard = { least: since(55), most: since(65) };
    expect(heard.least).toBeGreaterThanOrEqual(sample.length);
    last = await counted(2);
    expect(field.sessions.lost).toBeGreaterThan(20);
    expect(field.sessions.dark).toBeGreaterThan(20);
  }, 900_000);

  it("every slot of it is present, late or missing for a true reason, and what is stored is what the meters' logs have", async () => {
    const { body } = await town.call<{ aws: Readonly<Record<string, string>> }>("operator", "GET", "/local/processes");
    const { aws } = body;
    const db = DynamoDBDocumentClient.from(
      new DynamoDBClient({
        region: aws.AWS_REGION ?? "",
        endpoint: aws.AWS_ENDPOINT_URL_DYNAMODB ?? "",
        credentials: { accessKeyId: aws.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: aws.AWS_SECRET_ACCESS_KEY ?? "" },
      }),
    );
    const access = dynamoAccess(db, aws.ACCESS_TABLE ?? "");
    const plans = new Map<string, ChannelPlan>();
    for (const segment of new Set(enrolled.map((meter) => meter.segment)))
      for (const [slot, plan] of await access.plansOf(segment)) plans.set(`${segment}/${slot}`, plan);
    const meters = enrolled.map((meter): CountedMeter => {
      const { meterId, segment, slot, device, profile, between } = meter;
      const isTwin = !meterId.startsWith("DAY");
      const plan = plans.get(`${segment}/${slot}`) ?? [];
      expect(plan, meterId).toEqual([{ from: expect.any(Number), sets: plannedSets(profile) }]);
      expect(plan[0]?.from, meterId).toBeGreaterThanOrEqual(between[0]);
      expect(plan[0]?.from, meterId).toBeLessThanOrEqual(between[1]);
      return {
        meterId: MeterId.parse(meterId),
        place: { segment, slot },
        plan,
        until: meterId === exchanged?.meterId ? exchanged.at : Number.POSITIVE_INFINITY,
        captured: (from, to) => capturedBy(device, from, to),
        keepsMs: () => DEPTH_MS,
        given: (register) => wasServed(device, register) || (isTwin && liesBetween(device, register)),
      };
    });
    const stores = {
      blocks: dynamoDayBlocks(db, aws.READINGS_TABLE ?? ""),
      records: dynamoMissingRecords(db, aws.READINGS_TABLE ?? ""),
    };
    count = await countDays({ start: DAY, end: DAY + DAY_MS }, meters, stores, new Map([[DAY, last]]));
    expect(count.differences).toEqual([]);
    const { total, reasons, verified } = count;
    expect(total.expected).toBeGreaterThan(1_500);
    expect(total.present + total.missing).toBe(total.expected);
    expect(total.late).toBe(last.present - first.present);
    expect(total.late).toBeGreaterThan(0);
    expect(total.missing).toBeLessThan(total.expected / 10);
    expect(reasons.auth).toBeGreaterThan(0); // the device that is no longer there
    expect(verified).toBeGreaterThan(total.present);
  }, 120_000);

  it("the key figures are those of the count", async () => {
    const { total } = count;
    const all = TOWN + SLEEPERS + FIELD + 1;
    expect(figures.active).toBe(all);
    const rateOf = (part: number, of: number) => ({ part, of, rate: part / of });
    const [hour, ...longer] = figures.communication.map(({ window, all: of }) => [window, of] as const);
    expect(longer).toEqual([
      ["day", rateOf(all, all)],
      ["week", rateOf(all, all)],
    ]);
    const part = hour?.[1].part ?? 0;
    expect(hour).toEqual(["hour", rateOf(part, all)]);
    expect(part).toBeGreaterThanOrEqual(heard.least);
    expect(part).toBeLessThanOrEqual(heard.most);
    const failed = figures.exceptions.filter(({ reason }) => reason !== "sleeping");
    expect(failed).toMatchObject([{ reason: "auth", meters: 1 }]);
    const { expected, present, late, missing } = total;
    const { body: kpis } = await town.call<Kpis>("analyst", "GET", "/kpis");
    expect(kpis.closed).toMatchObject({
      day: dayText(DAY),
      read: {
        all: rateOf(total.inTime, total.meters),
        counted: rateOf(total.inTimeOfCounted, total.meters - total.excluded),
      },
      expected,
      present,
      late,
      missing,
      unaccounted: 0,
      completeness: present / expected,
    });
  }, 60_000);
});

/** Its own log has it. */
const wasServed = (device: AnyMeter, { measurement, value, scaler, at: stamp }: GivenRegister): boolean =>
  device
    .truth(0, 1)
    .registers.some(
      (one) =>
        one.measurement === measurement &&
        one.value === value &&
        one.scaler === scaler &&
        Math.min(Math.abs(one.servedAt - stamp), Math.abs(one.capturedAt - stamp)) <= STAMP_TOLERANCE_MS,
    );

/** A twin has served nothing: a dial stood between what it showed at the ends of intervals before and after. */
function liesBetween(device: AnyMeter, { measurement, value, scaler, at: stamp }: GivenRegister): boolean {
  const dials = capturedBy(device, stamp - DAY_MS, stamp + DAY_MS).flatMap(({ channels, entries }) => {
    const channel = channels.findIndex((one) => one.measurement === measurement && one.scaler === scaler);
    return channel < 0 ? [] : entries.map(({ end, values }) => ({ end, dial: values[channel] ?? 0n }));
  });
  const before = dials.filter(({ end }) => end <= stamp - STAMP_TOLERANCE_MS);
  const after = dials.filter(({ end }) => end >= stamp + STAMP_TOLERANCE_MS);
  return before.length > 0 && before.every(({ dial }) => dial <= value) && after.every(({ dial }) => dial >= value);
}

/** The title that the bridges show. */
function clientTitle(dataDir: string): string {
  const folder = join(dataDir, "assembly");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".template.json")) continue;
    const found = /"CLIENT_SYSTEM_TITLE",\s*"Value":\s*"([0-9a-f]{16})"/.exec(readFileSync(join(folder, file), "utf8"));
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error("the template has a CLIENT_SYSTEM_TITLE");
}
