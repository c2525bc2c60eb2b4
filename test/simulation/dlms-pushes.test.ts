import { describe, expect, it } from "vitest";
import { dlmsPushes } from "../../shared/bridge/dlms-pushes.ts";
import { pushBatcher } from "../../shared/bridge/push-batcher.ts";
import { PUSH_LIMITS } from "../../shared/bridge/push-limits.ts";
import { pushTap } from "../../shared/bridge/push-tap.ts";
import type { ResultGroup } from "../../shared/bridge/result-batcher.ts";
import { taskReport } from "../../shared/bridge/task-report.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { WrapperSplitter } from "../../shared/dlms/wrapper.ts";
import { eventKeeper } from "../../shared/events/keep-events.ts";
import { memoryAlarms, memoryTimeline } from "../../shared/events/memory-timeline.ts";
import { engine, meterRows } from "../../shared/jobs/engine-fixture.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { encodeMessage, ResultBatch } from "../../shared/jobs/messages.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { type IngestFacts, ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { readReadings } from "../../shared/readings/read-readings.ts";
import { memoryPushCounters } from "../../shared/security/push-window.ts";
import { Field, linkPair, PLANS, SEGMENT } from "./attached-field.ts";

const QUARTER_MS = 900_000;
const CLIENT = "4852440000000001";
const SLOT = PLANS.findIndex(({ profile }) => profile.name === "generic-eu");

/** A bridge's push desk before the real ingest, all in memory and in virtual time. */
async function world() {
  const field = new Field();
  const { clock, access } = field;
  await field.enrol(SLOT, { routes: [{ kind: "dial", host: "10.0.0.1", port: 4059, transport: "tcp" }] });
  const meter = field.meters[SLOT]!;
  meter.duePushes(); // it begins to live
  const timeline = memoryTimeline();
  const alarms = memoryAlarms();
  const blocks = memoryDayBlocks();
  const ports = {
    ...engine(meterRows([SEGMENT], 8)).ports,
    blocks,
    pushes: memoryPushCounters(),
    batches: memoryBatches(nodeCrypto),
    random: seeded("ingest"),
    crypto: nodeCrypto,
    clock,
    keepers: [eventKeeper({ timeline, alarms, crypto: nodeCrypto })],
  };
  const ingested: (IngestFacts & { readonly group: ResultGroup; readonly at: number })[] = [];
  const batcher = pushBatcher({
    clock,
    bridgeId: "b1",
    queue: {
      async send(body, group) {
        ingested.push({ ...(await ingestBatch(ports, body)), group, at: clock.now() });
      },
    },
    batches: ports.batches,
  });
  const hints: string[] = [];
  const plan = PLANS[SLOT]!;
  const desk = dlmsPushes(
    {
      clock,
      sessionClock: clock,
      crypto: nodeCrypto,
      access,
      activeEpoch: async () => 1,
      registry: {
        claims: async (names) =>
          names.map(({ value }) =>
            value === plan.systemTitle ? { meterId: MeterId.parse(plan.meterId), at: 0 } : undefined,
          ),
        meters: async ([meterId]) =>
          new Map([[meterId!, { state: "enrolled", place: { segment: SEGMENT, slot: SLOT } } as never]]),
      },
      profiles: async () => plan.profile,
      vault: { open: async () => plan.enrolled },
      clientSystemTitle: CLIENT,
      pushes: batcher,
      onHint: (meterId) => void hints.push(meterId),
    },
    PUSH_LIMITS,
  );
  const tap = pushTap(desk, clock);
  const range = () => [clock.now() - 86_400_000, clock.now() + 86_400_000] as const;
  return {
    field,
    clock,
    meter,
    ports,
    ingested,
    hints,
    desk,
    tap,
    /** The APDUs of what the meter has to say now. */
    due: () => new WrapperSplitter().push(Buffer.concat(meter.duePushes())).map(({ apdu }) => Uint8Array.from(apdu)),
    async send(...apdus: readonly Uint8Array[]) {
      const all = Promise.all(apdus.map((apdu) => desk.receive(apdu, { transport: "udp" })));
      await clock.until(all);
      return desk.counts();
    },
    entries: () => timeline.of(MeterId.parse(plan.meterId), ...range(), 100),
    load: async () =>
      (await readReadings({ blocks }, { segment: SEGMENT, slot: SLOT }, ...range())).intervals.find(
        ({ channelSet }) => channelSet === "load",
      )?.entries ?? [],
  };
}

describe("a DLMS meter that pushes", () => {
  it("its load profile is stored, and a poll of the same intervals finds them there", async () => {
    const { clock, due, send, ingested, load, field, meter, ports } = await world();
    await clock.pass(QUARTER_MS - (clock.now() % QUARTER_MS) + 1_000);
    due();
    await clock.pass(QUARTER_MS);
    expect(await send(...due())).toMatchObject({ "push.taken": 1 });
    const stored = await load();
    const end = Math.floor(clock.now() / QUARTER_MS) * QUARTER_MS;
    expect(stored.map((entry) => entry.end)).toEqual([end - QUARTER_MS, end]);
    const truth = meter.truth(end - 2 * QUARTER_MS, end).sets?.find(({ channelSet }) => channelSet === "load");
    expect(stored.map(({ values }) => values)).toEqual(truth?.entries.map(({ values }) => values));

    const link = field.call(SLOT);
    let counter = 5_000;
    const result = await clock.until(
      (async () => {
        const session = await dlmsDriver.open({
          link,
          clock,
          random: seeded("reader"),
          crypto: nodeCrypto,
          profile: meter.plan.profile,
          systemTitle: meter.plan.systemTitle,
          clientSystemTitle: CLIENT,
          keys: meter.plan.enrolled,
          counters: { next: () => ++counter },
          responseTimeoutMs: 2_000,
        });
        return session.perform({ kind: "readIntervals", range: { from: end - 2 * QUARTER_MS, to: end } });
      })(),
    );
    const item = await field.item(SLOT);
    const report = taskReport(item, 1, clock.now(), {
      kind: "done",
      result: { ...result, intervals: result.intervals.filter(({ channelSet }) => channelSet === "load") },
    });
    const polled = await ingestBatch(
      ports,
      encodeMessage(ResultBatch, {
        v: 1,
        batch: "poll-1",
        bridge: "b1",
        lane: "bulk",
        job: JobId.parse("a".repeat(26)),
        segment: SEGMENT,
        part: 0,
        generation: 1,
        sentAt: clock.now(),
        tasks: [{ ...report, registers: undefined }],
        passOver: false,
      }),
    );
    expect(report.intervals?.[0]?.ends).toHaveLength(2);
    expect(polled.readings).toMatchObject({ added: 0, corrected: 0, written: 0, unchanged: 1 });
    expect(await load()).toEqual(stored);
    expect(ingested.map(({ group }) => group)).toEqual(["pushes"]);
  });

  it("a recorded push is refused when it comes again, and the meter's timeline says so", async () => {
    const { clock, due, send, ingested, entries } = await world();
    await clock.pass(QUARTER_MS);
    const [recorded] = due();
    await send(recorded!);
    await clock.pass(60_000);
    await send(recorded!);
    expect(ingested.map(({ pushes }) => pushes)).toMatchObject([{ new: 1 }, { new: 0, replayed: 1 }]);
    expect(await entries()).toMatchObject([{ event: "security.push-replayed", log: "headend" }]);
  });

  it("a last gasp is on the timeline at once, while what is no alarm waits for company", async () => {
    const { clock, meter, due, send, desk, ingested, entries } = await world();
    await clock.pass(QUARTER_MS);
    const waiting = due().map((apdu) => desk.receive(apdu, { transport: "tcp" }));
    meter.parts.state.events.record("power.failed");
    await clock.pass(1_000);
    const began = clock.now();
    await send(...due());
    await clock.until(Promise.all(waiting));
    expect(ingested.map(({ group }) => group).toSorted()).toEqual(["alarms", "pushes"]);
    expect(ingested.find(({ group }) => group === "alarms")?.at).toBe(began);
    expect(await entries()).toMatchObject([{ event: "power.last-gasp", log: "alarms-2", code: "0" }]);
    expect(due()).toEqual([]);
  });

  it("a forged one and one of nobody's are not believed; one in clear is a hint, once in a while", async () => {
    const { clock, meter, due, send, hints, ingested } = await world();
    await clock.pass(QUARTER_MS);
    const [real] = due();
    const forged = real!.with(-1, real!.at(-1)! ^ 1);
    expect(await send(forged)).toEqual({ "dlms.bad-tag": 1 });
    const stranger = Uint8Array.from(real!);
    stranger[5]! ^= 0xff; // in the title
    expect(await send(stranger)).toEqual({ "push.not-enrolled": 1 });
    const clear = (value: number) =>
      new WrapperSplitter()
        .push(
          meter.push(
            {
              name: "EventNotificationRequest",
              value: {
                time: undefined,
                cosemAttributeDescriptor: { classId: 1, instanceId: "0.0.97.98.20.255", attributeId: 2 },
                attributeValue: { type: "double-long-unsigned", value },
              },
            },
            { dress: { form: "clear", scope: "global" } },
          )[0]!,
        )
        .map(({ apdu }) => Uint8Array.from(apdu));
    expect(await send(...clear(1))).toEqual({ "push.nameless": 1 });
    expect(hints).toEqual([meter.plan.meterId]); // by the forged one
    expect(ingested).toEqual([]);
    expect(await send(Uint8Array.of(1, 2, 3))).toEqual({ "push.nameless": 1 });
  });

  it("that connects only to push is listened to, though nobody has a use for its connection", async () => {
    const { clock, meter, tap, ingested } = await world();
    const [ours, theirs] = linkPair(clock);
    const tapped = tap.tap(ours);
    await clock.pass(QUARTER_MS);
    for (const octets of meter.duePushes()) await theirs.send(octets);
    expect((await clock.until(tapped.receive(clock.now() + 1_000))).length).toBeGreaterThan(0);
    await tapped.close();
    expect(tap.lingering).toBe(1);
    await clock.pass(8_000);
    meter.parts.state.events.record("power.failed");
    await clock.pass(1_000);
    for (const octets of meter.duePushes()) await theirs.send(octets);
    await clock.pass(60_000);
    expect(ingested.map(({ group }) => group).toSorted()).toEqual(["alarms", "pushes"]);
    expect(tap.lingering).toBe(0);
    await expect(clock.until(theirs.receive(clock.now() + 1_000))).rejects.toThrow(LinkError);
  });
});
