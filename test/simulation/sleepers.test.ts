import { describe, expect, it } from "vitest";
import { memoryAccess } from "../../shared/bridge/memory-access.ts";
import { pushBatcher } from "../../shared/bridge/push-batcher.ts";
import { putIntoMailbox } from "../../shared/bridge/put-into-mailbox.ts";
import { type Uplinks, uplinks } from "../../shared/bridge/uplinks.ts";
import { c1222Sleepers } from "../../shared/c1222/client/sleeper-protocol.ts";
import { groupsOf } from "../../shared/events/alarm.ts";
import { eventKeeper } from "../../shared/events/keep-events.ts";
import { memoryAlarms, memoryTimeline } from "../../shared/events/memory-timeline.ts";
import { CALLER, engine, T0 } from "../../shared/jobs/engine-fixture.ts";
import type { JobId } from "../../shared/jobs/job.ts";
import { memoryMailboxes } from "../../shared/jobs/mailbox.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { slotReason, slotState } from "../../shared/jobs/slots.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { sweepLedger } from "../../shared/jobs/sweep.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { readReadings } from "../../shared/readings/read-readings.ts";
import { memoryPushCounters } from "../../shared/security/push-window.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";

/** Modules on batteries, an MQTT broker on paper, two bridge tasks that share nothing but tables, and the real ingest. */
const SEGMENT = 4;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MODELS = ["gas-module-us", "water-module-us"] as const;
const keyOf = (slot: number): string => String(slot + 1).padStart(32, "a");

async function world() {
  const rows = MODELS.map((_, slot) => [`M-${slot}`, { segment: SEGMENT, slot }] as const);
  const base = engine(rows);
  const { clock } = base;
  const access = memoryAccess();
  const mailboxes = memoryMailboxes();
  const timeline = memoryTimeline();
  const alarms = memoryAlarms();
  const blocks = memoryDayBlocks();
  const ingest = {
    ...base.ports,
    blocks,
    pushes: memoryPushCounters(),
    batches: memoryBatches(nodeCrypto),
    keepers: [eventKeeper({ timeline, alarms, crypto: nodeCrypto })],
  };
  const modules = MODELS.map((model, slot) => {
    const profile = PROFILES.get(model);
    if (profile?.protocol !== "c1222") throw new Error(model);
    const keys = { unicast: keyOf(slot) };
    const plan = { meterId: `M-${slot}`, serial: `S-${slot}`, enrolled: keys, held: keys, fault: undefined };
    const ports = { crypto: nodeCrypto, random: seeded(slot), now: () => clock.now() };
    return new C1222Meter({ ...plan, index: slot, profile, apTitle: `.23.1.${slot}`, clockOffsetMs: 0 }, 5, ports);
  });
  for (const [slot, model] of MODELS.entries())
    await access.createAccessItem({
      segment: SEGMENT,
      slot,
      meterId: MeterId.parse(`M-${slot}`),
      routes: [{ kind: "sleepy", thing: `thing-${slot}` }],
      profile: { name: model, version: 1 },
      systemTitle: `.23.1.${slot}`,
      sealedKeys: { blob: new Uint8Array(1), version: 1 },
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
    });

  const results: string[] = [];
  /** What the broker has for each thing; a module takes it when it listens. */
  const mail: { thing: string; octets: Uint8Array }[] = [];
  const task = (bridgeId: string): Uplinks => {
    const queue = { send: async (body: string) => void results.push(body) };
    const ports = { queue, batches: ingest.batches };
    return uplinks({
      clock,
      sessionClock: clock,
      crypto: nodeCrypto,
      access,
      activeEpoch: async () => 1,
      registry: {
        claims: async (names) =>
          names.map(({ value }) => {
            const slot = MODELS.findIndex((_, at) => value === `.23.1.${at}`);
            return slot < 0 ? undefined : { meterId: MeterId.parse(`M-${slot}`), at: T0 };
          }),
        meters: async (meterIds) =>
          new Map(
            meterIds.map((meterId) => {
              const place = { segment: SEGMENT, slot: Number(meterId.slice(2)) };
              return [meterId, { state: "enrolled", place } as never];
            }),
          ),
      },
      profiles: async (name) => PROFILES.get(name),
      vault: { open: async ({ meterId }) => ({ unicast: keyOf(Number(meterId.slice(2))) }) },
      ledger: base.ports.ledger,
      mailboxes,
      protocols: [c1222Sleepers],
      results: ports,
      pushes: pushBatcher({ ...ports, clock, bridgeId: `${bridgeId}-pushes` }),
      send: async (thing, octets) => void mail.push({ thing, octets }),
      bridgeId,
    });
  };
  const tasks = [task("b1"), task("b2")] as const;

  const body = (slot: number, octets: Uint8Array, thing = `thing-${slot}`): string =>
    JSON.stringify({ payload: Buffer.from(octets).toString("base64"), thing, at: clock.now() });
  const ingestAll = async () => {
    const facts = [];
    for (const one of results.splice(0)) facts.push(await ingestBatch(ingest, one));
    return facts;
  };
  /** A module wakes: what it says goes to one task, what it answers to its mail to the other. */
  const wake = async (slot: number): Promise<void> => {
    const module = modules[slot]!;
    for (const push of module.pushes()) await tasks[0].receive(body(slot, push));
    await ingestAll();
    for (const { octets } of mail.splice(0).filter(({ thing }) => thing === `thing-${slot}`))
      for (const answer of module.connect().receive(octets).send) await tasks[1].receive(body(slot, answer));
    await ingestAll();
  };
  /** A job for one module, put into its mailbox as the bridge does. */
  const ask = async (slot: number, operation: Operation, hours = 13) => {
    const deadline = clock.now() + hours * HOUR_MS;
    const target = { kind: "meters" as const, meterIds: [MeterId.parse(`M-${slot}`)] };
    const submitted = await submitJob({ ...base.ports, orders: access }, CALLER, {
      operation,
      target,
      deadline,
      reason: "a test",
    });
    if (submitted.kind !== "accepted") throw new Error(submitted.kind);
    const { jobId } = submitted;
    const job = await base.ports.ledger.job(jobId);
    const slice = await base.ports.ledger.slice({ jobId, segment: SEGMENT, part: 0 });
    const item = await access.read({ segment: SEGMENT, slot });
    const end = await putIntoMailbox({ mailboxes, clock }, job!, slice!, item!);
    return { jobId, end };
  };
  const taskOf = async (jobId: JobId, slot: number) => {
    const slice = await base.ports.ledger.slice({ jobId, segment: SEGMENT, part: 0 });
    return { state: slotState(slice!.slots, slot), reason: slotReason(slice!.slots, slot) };
  };
  const readings = (slot: number) => readReadings({ blocks }, { segment: SEGMENT, slot }, T0 - 3 * DAY_MS, T0 + DAY_MS);
  return {
    base,
    clock,
    modules,
    mail,
    mailboxes,
    tasks,
    body,
    ingestAll,
    wake,
    ask,
    taskOf,
    readings,
    raised: async () => groupsOf(alarms.within(T0 - DAY_MS, T0 + DAY_MS)),
  };
}

describe.each(MODELS.map((model, slot) => ({ model, slot })))("a $model that sleeps", ({ slot }) => {
  it("says the volumes of each hour when it wakes, and they are stored as it holds them", async () => {
    const { wake, readings, modules, tasks } = await world();
    await wake(slot);
    expect(tasks[0].counts()).toEqual({ told: 1 });
    const stored = await readings(slot);
    const truth = modules[slot]!.truth(T0 - DAY_MS, T0);
    const told = stored.intervals[0]?.entries.filter(({ end }) => end > T0 - DAY_MS) ?? [];
    expect(told.map(({ end, values }) => [end, values])).toEqual(
      truth.sets?.[0]?.entries.map(({ end, values }) => [end, values]),
    );
    expect(told).toHaveLength(24);
    expect(stored.registers).toHaveLength(1);
  });

  it.each([
    ["registers", { kind: "readRegisters" }],
    ["intervals", { kind: "readIntervals", range: { from: T0 - 3 * DAY_MS, to: T0 }, registers: "total" }],
    ["events", { kind: "readEvents", range: { from: T0 - DAY_MS, to: T0 } }],
    ["the clock set", { kind: "setClock" }],
  ] as const)("is asked for %s by its mailbox, and answers to whichever task", async (_, operation) => {
    const { wake, ask, taskOf, mailboxes, tasks } = await world();
    const { jobId, end } = await ask(slot, operation);
    expect(end).toMatchObject({ kind: "failed", failure: { reason: "sleeping", retry: "later" }, rest: true });
    await wake(slot);
    expect(tasks[0].counts()).toEqual({ told: 1, "mail-sent": 1 });
    expect(tasks[1].counts()).toEqual({ answered: 1 });
    expect(await taskOf(jobId, slot)).toEqual({ state: "done", reason: "none" });
    expect((await mailboxes.read({ segment: SEGMENT, slot }, MeterId.parse(`M-${slot}`))).mails).toEqual([]);
  });

  it("that does not wake by the deadline leaves its task expired, as sleeping", async () => {
    const { base, clock, ask, taskOf, wake, mail } = await world();
    const { jobId } = await ask(slot, { kind: "readRegisters" }, 1);
    clock.pass(2 * HOUR_MS);
    await sweepLedger(base.ports);
    expect((await taskOf(jobId, slot)).state).toBe("expired");
    await wake(slot);
    expect(mail).toEqual([]); // nobody asks for it any more
  });

  it("that was asked and did not answer is asked anew at its next wake, under another id", async () => {
    const { clock, ask, mail, modules, tasks, body, taskOf } = await world();
    const { jobId } = await ask(slot, { kind: "readRegisters" }, 30);
    const push = async () => tasks[0].receive(body(slot, modules[slot]!.pushes()[0]!));
    await push();
    await push(); // while it listens, the same mail is not sent twice
    expect(mail).toHaveLength(1);
    clock.pass(12 * HOUR_MS - (clock.now() - T0));
    await push();
    expect(mail).toHaveLength(2);
    const [late, now] = mail.map(({ octets }) => modules[slot]!.connect().receive(octets).send);
    expect(late).toEqual([]); // refused by the module as played back
    expect(await tasks[1].receive(body(slot, now![0]!))).toEqual({ kind: "answered" });
    expect(await tasks[0].receive(body(slot, now![0]!))).toEqual({ kind: "refused", code: "uplink.no-such-mail" });
    expect((await taskOf(jobId, slot)).state).toBe("open"); // until ingest has it
  });
});

describe("uplinks", () => {
  it("that the queue keeps for minutes are of the time when the broker took them", async () => {
    const { clock, modules, tasks, body, ingestAll, readings } = await world();
    const said = body(0, modules[0]!.pushes()[0]!);
    const taken = clock.now();
    clock.pass(5 * 60_000);
    expect(await tasks[0].receive(said)).toEqual({ kind: "told" });
    await ingestAll();
    const { registers } = await readings(0);
    expect(registers).toHaveLength(1);
    expect(Math.abs(registers[0]!.at - taken)).toBeLessThan(10_000);
  });

  it("that are replayed are refused and raise an alarm; one that the queue brings twice does not", async () => {
    const { clock, modules, tasks, body, ingestAll, raised, readings } = await world();
    const octets = modules[0]!.pushes()[0]!;
    const message = body(0, octets);
    await tasks[0].receive(message);
    await tasks[1].receive(message);
    expect((await ingestAll()).map(({ pushes }) => pushes)).toMatchObject([{ new: 1 }, { again: 1, replayed: 0 }]);
    expect(await raised()).toEqual([]);
    const before = await readings(0);
    clock.pass(5_000);
    await tasks[0].receive(body(0, octets));
    expect((await ingestAll()).map(({ pushes }) => pushes)).toMatchObject([{ replayed: 1 }]);
    expect((await raised()).flatMap(({ meterIds }) => meterIds)).toEqual(["M-0"]);
    expect(await readings(0)).toEqual(before);
  });

  it.each([
    ["under another thing's name", "thing-1", (octets: Uint8Array) => octets, "uplink.other-thing"],
    ["that were changed on the way", "thing-0", (octets: Uint8Array) => flipped(octets), "c1222.bad-mac"],
    ["that are no message", "thing-0", () => Uint8Array.of(1, 2, 3), "uplink.no-message"],
  ])("%s are refused", async (_, thing, change, code) => {
    const { modules, tasks, body, ingestAll, ask, mail } = await world();
    await ask(0, { kind: "readRegisters" });
    const octets = change(modules[0]!.pushes()[0]!);
    expect(await tasks[0].receive(body(0, octets, thing))).toEqual({ kind: "refused", code });
    expect(await ingestAll()).toEqual([]);
    expect(mail).toEqual([]); // and nothing is sent for them
  });

  it("that nobody can read are told from those that are refused", async () => {
    const { tasks } = await world();
    expect(await tasks[0].receive('{"thing":"x"}')).toMatchObject({ kind: "malformed" });
    expect(await tasks[0].receive("no JSON")).toMatchObject({ kind: "malformed" });
  });

  it("bring alarms: suspected tampering", async () => {
    const { modules, tasks, body, ingestAll, raised } = await world();
    await tasks[0].receive(body(0, modules[0]!.notify({ exceptions: [47] })));
    await ingestAll();
    expect((await raised()).map(({ event }) => event)).toEqual(["tamper.suspected"]);
  });
});

describe("a mailbox", () => {
  it("takes no effect of class once: nothing would prove it", async () => {
    const { ask, mailboxes } = await world();
    const { end } = await ask(0, { kind: "resetDemand" });
    expect(end).toMatchObject({ failure: { reason: "unsupported", code: "mailbox.operation", retry: "never" } });
    expect((await mailboxes.read({ segment: SEGMENT, slot: 0 }, MeterId.parse("M-0"))).mails).toEqual([]);
  });

  it("drops an order that a newer one has superseded", async () => {
    const { ask, wake, taskOf, clock } = await world();
    const older = await ask(0, { kind: "setClock" });
    clock.pass(10);
    const newer = await ask(0, { kind: "setClock" });
    await wake(0);
    expect(await taskOf(older.jobId, 0)).toEqual({ state: "cancelled", reason: "superseded" });
    expect((await taskOf(newer.jobId, 0)).state).toBe("done");
  });
});

function flipped(octets: Uint8Array): Uint8Array {
  const changed = octets.slice();
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
}
