import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoAlarms, dynamoTimeline } from "../../functions/adapters/dynamo-timeline.ts";
import { type Alarm, type Alarms, groupsOf } from "../../shared/events/alarm.ts";
import { memoryAlarms, memoryTimeline } from "../../shared/events/memory-timeline.ts";
import type { Timeline, TimelineEntry, TimelineItem } from "../../shared/events/timeline.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const NOON = Date.UTC(2026, 10, 2, 12);
const HOUR_MS = 3_600_000;
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const one = MeterId.parse("M-1");
const item = (meterId: MeterId, at: number, id = "a"): TimelineItem => ({
  meterId,
  id,
  entry: { kind: "event", at, event: "power.failed", log: "standard", code: "1", receivedAt: at + 5, batch: "b" },
});
const instants = (entries: readonly TimelineEntry[]): number[] => entries.map(({ at }) => at);

describe.each<{ name: string; open: () => Timeline }>([
  { name: "in memory", open: memoryTimeline },
  { name: "on DynamoDB", open: () => dynamoTimeline(dynamo.db, "Timeline") },
])("timelines $name", ({ open }) => {
  it("hold an entry once, whoever adds it how often", async () => {
    const timeline = open();
    const meter = MeterId.parse("once");
    await timeline.add([item(meter, NOON), item(meter, NOON, "b")]);
    await timeline.add([item(meter, NOON)]);
    expect(await timeline.of(meter, NOON - 1, NOON, 10)).toHaveLength(2);
  });

  it("say what is new: for the first time, or by another try of the same batch", async () => {
    const timeline = open();
    const meter = MeterId.parse("fresh");
    const [one, two] = [item(meter, NOON), item(meter, NOON, "b")];
    const by = (batch: string, of: TimelineItem): TimelineItem => ({
      ...of,
      entry: { ...of.entry, batch } as typeof of.entry,
    });
    expect(await timeline.add([one])).toEqual([one]);
    expect(await timeline.add([one, two])).toEqual([one, two]);
    expect(await timeline.add([by("another", one), by("another", two)])).toEqual([]);
    expect(await timeline.add([one])).toEqual([one]);
    expect(new Set(await timeline.of(meter, 0, NOON, 10)), "as it first came").toEqual(new Set([one.entry, two.entry]));
  });

  it("answer newest first, without the start of the range and with its end", async () => {
    const timeline = open();
    await timeline.add([1, 2, 3, 4].map((hour) => item(one, NOON + hour * HOUR_MS)));
    await timeline.add([item(MeterId.parse("M-11"), NOON + 2 * HOUR_MS)]);
    expect(instants(await timeline.of(one, NOON + HOUR_MS, NOON + 3 * HOUR_MS, 10))).toEqual([
      NOON + 3 * HOUR_MS,
      NOON + 2 * HOUR_MS,
    ]);
  });

  it("cut nothing within one instant", async () => {
    const timeline = open();
    const meter = MeterId.parse("M-cut");
    await timeline.add(["a", "b", "c", "d"].map((id) => item(meter, NOON, id)));
    await timeline.add([item(meter, NOON + 1), item(meter, NOON - 1)]);
    expect(instants(await timeline.of(meter, 0, NOON + 1, 2))).toEqual([NOON + 1, NOON, NOON, NOON, NOON]);
  });
});

describe.each<{ name: string; open: () => Alarms }>([
  { name: "in memory", open: memoryAlarms },
  { name: "on DynamoDB", open: () => dynamoAlarms(dynamo.db, "Timeline") },
])("alarms $name", ({ open }) => {
  const alarm = (meter: string, receivedAt: number): Alarm => ({
    meterId: MeterId.parse(meter),
    event: "tamper.cover-opened",
    at: receivedAt - 1000,
    receivedAt,
  });

  it("are kept once a meter, event and hour, and found by when they came, across days", async () => {
    const alarms = open();
    const midnight = Date.UTC(2026, 10, 3);
    await alarms.raise([alarm("M-1", midnight - 10)]);
    const [again, later, other] = [alarm("M-1", midnight - 10), alarm("M-1", midnight - 5), alarm("M-2", midnight + 5)];
    expect(await alarms.raise([again, later, other])).toEqual([again, other]);
    const found = await collected(alarms.within(midnight - HOUR_MS, midnight + HOUR_MS));
    expect(found.map(({ meterId, receivedAt }) => [meterId, receivedAt - midnight]).sort()).toEqual([
      ["M-1", -10],
      ["M-2", 5],
    ]);
    expect(await collected(alarms.within(midnight, midnight + 4))).toEqual([]);
  });

  it("of a storm are one line an hour", async () => {
    const alarms = open();
    const start = Date.UTC(2026, 10, 5, 8);
    await alarms.raise(Array.from({ length: 120 }, (_, meter) => alarm(`S-${meter}`, start + meter * 1000)));
    const [group, ...others] = await groupsOf(alarms.within(start - 1, start + HOUR_MS));
    expect(others).toEqual([]);
    expect(group).toMatchObject({
      event: "tamper.cover-opened",
      hour: start,
      meters: 120,
      firstAt: start - 1000,
      lastAt: start + 118_000,
    });
    expect(group?.meterIds).toHaveLength(50);
  });
});

it("a kind that the deployment does not want is not stored", async () => {
  const timeline = dynamoTimeline(dynamo.db, "Timeline", new Map([["event", 0]]));
  const meter = MeterId.parse("unwanted");
  expect(await timeline.add([item(meter, NOON)]), "nobody knows whether it is new").toHaveLength(1);
  expect(await timeline.of(meter, 0, NOON, 10)).toEqual([]);
});
