import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoDemand } from "../../functions/adapters/dynamo-demand.ts";
import type { DrEvent, Wave } from "../../shared/demand/dr-event.ts";
import { memoryDemand } from "../../shared/demand/memory-store.ts";
import { DEFAULT_BASELINE, type DrProgram } from "../../shared/demand/program.ts";
import type { DemandStore } from "../../shared/demand/store.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const M = (id: string): MeterId => MeterId.parse(id);
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const program = (programId: string): DrProgram => ({
  programId,
  name: programId,
  baseline: DEFAULT_BASELINE,
  targets: ["north"],
  createdAt: 1,
  modifiedAt: 1,
  said: { programType: "DR" },
});
const event = (eventId: string): DrEvent => ({
  eventId,
  programId: "heat",
  phases: [{ from: 0, to: 1000, control: { mode: "off" } }],
  randomSeconds: 0,
  targets: [],
  state: "planned",
  createdAt: 1,
  modifiedAt: 1,
  caller: { id: "anna", roles: ["operator"] },
  version: 1,
});

describe.each<{ name: string; open: () => DemandStore }>([
  { name: "in memory", open: memoryDemand },
  { name: "on DynamoDB", open: () => dynamoDemand(dynamo.db, "Ledger") },
])("demand response $name", ({ open }) => {
  it("programs are created once, replaced, listed and removed", async () => {
    const store = open();
    expect(await store.createProgram(program("heat"))).toBe(true);
    expect(await store.createProgram(program("heat"))).toBe(false);
    await store.putProgram({ ...program("cars"), name: "Vehicles" });
    expect((await store.programs()).map(({ programId }) => programId)).toEqual(["cars", "heat"]);
    expect(await store.program("heat")).toEqual(program("heat"));
    await store.removeProgram("cars");
    expect(await store.program("cars")).toBeUndefined();
  });

  it("enrolments belong to their program", async () => {
    const store = open();
    const one = { programId: "heat", meterId: M("M-1"), consent: { by: "anna", at: 1, how: "form" }, targets: ["ac"] };
    await store.putEnrolment(one);
    await store.putEnrolment({ ...one, programId: "cars" });
    await store.putEnrolment({ ...one, optedOutAt: 5 });
    expect(await store.enrolments("heat")).toEqual([{ ...one, optedOutAt: 5 }]);
    expect(await store.enrolment("cars", M("M-1"))).toEqual({ ...one, programId: "cars" });
    expect(await store.enrolment("heat", M("M-2"))).toBeUndefined();
  });

  it("events are written under the version that was read, and are open until they are closed", async () => {
    const store = open();
    expect(await store.createEvent(event("a"))).toBe(true);
    expect(await store.createEvent(event("a"))).toBe(false);
    expect(await store.createEvent(event("b"))).toBe(true);
    const next = await store.writeEvent(event("a"), { state: "active", meters: 3 });
    expect(next).toEqual({ ...event("a"), state: "active", meters: 3, version: 2 });
    expect(await store.writeEvent(event("a"), { state: "cancelled" })).toBeUndefined();
    expect(await store.event("a")).toEqual(next);
    expect((await store.events(1)).map(({ eventId }) => eventId)).toEqual(["b"]);
    await store.closeEvent("b");
    expect((await store.openEvents()).map(({ eventId }) => eventId)).toEqual(["a"]);
  });

  it("rosters, waves, opt-outs and participation are an event's own", async () => {
    const store = open();
    const meters = Array.from({ length: 2_500 }, (_, number) => M(`M-${String(number).padStart(4, "0")}`));
    await store.putRoster("a", meters);
    expect(await store.roster("a")).toEqual(meters);
    expect(await store.roster("b")).toEqual([]);
    const wave: Wave = {
      eventId: "a",
      number: 0,
      at: 5,
      order: { mode: "off", until: 9000 },
      meterIds: meters.slice(0, 3),
    };
    expect(await store.createWave(wave)).toBe(true);
    expect(await store.createWave({ ...wave, at: 6 })).toBe(false);
    const release: Wave = { eventId: "a", number: 1, at: 7, order: { mode: "release" }, meterIds: meters.slice(0, 1) };
    expect(await store.createWave(release)).toBe(true);
    await store.putWave({ ...wave, problem: "nobody" });
    expect(await store.waves("a")).toEqual([{ ...wave, problem: "nobody" }, release]);
    await store.putOptOut("a", M("M-0001"), 8);
    await store.putOptOut("a", M("M-0001"), 9);
    expect(await store.optOuts("a")).toEqual(new Map([[M("M-0001"), 8]]));
    await store.putParticipation("a", [{ meterId: M("M-0000"), outcome: "told", baselineWh: 5, actualWh: 3 }]);
    await store.putParticipation("a", [{ meterId: M("M-0001"), outcome: "opted-out" }]);
    expect((await store.participation("a")).map(({ outcome }) => outcome)).toEqual(["told", "opted-out"]);
  });
});
