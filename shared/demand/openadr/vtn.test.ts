import { describe, expect, it } from "vitest";
import type { Caller } from "../../jobs/job.ts";
import { memoryDemand } from "../memory-store.ts";
import { memoryObjects } from "./memory-objects.ts";
import { type ListQuery, type Notification, onWire, Vtn, type VtnAnswer } from "./vtn.ts";

const NOW = Date.parse("2026-07-01T10:00:00Z");
const BL: Caller = { id: "drms", roles: ["operator"] };
const VEN: Caller = { id: "aggregator", roles: ["subscriber"] };
const OTHER: Caller = { id: "other", roles: ["subscriber"] };
const ALL: ListQuery = { skip: 0, limit: 50 };

function world() {
  const demand = memoryDemand();
  const told: Notification[] = [];
  let ids = 0;
  const vtn = new Vtn({
    demand,
    objects: memoryObjects(),
    now: () => NOW,
    newId: () => `id-${++ids}`,
    notify: async (notifications) => void told.push(...notifications),
  });
  const program = async (programName = "Heat") => idOf(await vtn.write(BL, "programs", { programName }));
  const event = (programID: string, rest: object = {}) => ({
    programID,
    eventName: "hot",
    intervalPeriod: { start: "2026-07-01T16:00:00Z", duration: "PT1H" },
    intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [3] }] }],
    ...rest,
  });
  return { vtn, demand, told, program, event };
}
function idOf(answer: VtnAnswer): string {
  if (answer.kind !== "object") throw new Error(`refused: ${answer.field}`);
  return answer.object.id;
}

describe("the VTN", () => {
  it("makes a program and an event of a client the headend's own", async () => {
    const { vtn, demand, program, event } = world();
    const programID = await program();
    const id = idOf(await vtn.write(BL, "events", event(programID, { priority: 2, targets: ["north"] })));
    expect(await demand.program(programID)).toMatchObject({ name: "Heat" });
    const from = Date.parse("2026-07-01T16:00:00Z");
    expect(await demand.event(id)).toMatchObject({
      programId: programID,
      state: "planned",
      priority: 2,
      targets: ["north"],
      phases: [{ from, to: from + 3_600_000, control: { mode: "off" } }],
      caller: BL,
    });
    expect((await demand.openEvents()).map(({ eventId }) => eventId)).toEqual([id]);
  });

  it("names of programs are their own; an event needs a program; a program with live events stays", async () => {
    const { vtn, program, event } = world();
    const programID = await program();
    expect(await vtn.write(BL, "programs", { programName: "Heat" })).toMatchObject({ kind: "conflict" });
    expect(await vtn.write(BL, "programs", { programName: "Heat", programType: "DR" }, programID)).toMatchObject({
      kind: "object",
    });
    expect(await vtn.write(BL, "events", event("nowhere"))).toMatchObject({ kind: "not-found", field: "programID" });
    await vtn.write(BL, "events", event(programID));
    expect(await vtn.remove(BL, "programs", programID)).toMatchObject({ kind: "conflict" });
  });

  it("an event that is replaced has other phases; one that is deleted is cancelled and not shown", async () => {
    const { vtn, demand, program, event } = world();
    const id = idOf(await vtn.write(BL, "events", event(await program(), { priority: 1 })));
    const { programId = "" } = (await demand.event(id)) ?? {};
    const shorter = event(programId, { intervalPeriod: { start: "2026-07-01T16:00:00Z", duration: "PT30M" } });
    await vtn.write(BL, "events", shorter, id);
    const changed = await demand.event(id);
    expect(changed?.phases).toMatchObject([{ to: Date.parse("2026-07-01T16:30:00Z") }]);
    expect(changed).not.toHaveProperty("priority");
    await vtn.remove(BL, "events", id);
    expect((await demand.event(id))?.state).toBe("cancelled");
    expect(await vtn.read(BL, "events", id)).toMatchObject({ kind: "not-found" });
    expect(await vtn.list(BL, "events", ALL)).toEqual([]);
  });

  it("a VEN sees what has no targets and what has one that business logic gave it, and not another's", async () => {
    const { vtn, program, event } = world();
    const programID = await program();
    const forAll = idOf(await vtn.write(BL, "events", event(programID)));
    const forNorth = idOf(await vtn.write(BL, "events", event(programID, { targets: ["north"] })));
    const ven = idOf(await vtn.write(VEN, "vens", { venName: "v", targets: ["north"], objectType: "VEN_VEN_REQUEST" }));
    const seen = async (caller: Caller) => (await vtn.list(caller, "events", ALL)).map(({ id }) => id);
    expect(await seen(VEN)).toEqual([forAll]); // it can't give itself a target
    await vtn.write(BL, "vens", { venName: "v", clientID: VEN.id, targets: ["north"] }, ven);
    expect(await seen(VEN)).toEqual([forAll, forNorth]);
    expect(await seen(OTHER)).toEqual([forAll]);
    expect(await vtn.read(OTHER, "events", forNorth)).toMatchObject({ kind: "not-found" });
    expect(await vtn.list(OTHER, "vens", ALL)).toEqual([]);
    expect(await vtn.remove(OTHER, "vens", ven)).toMatchObject({ kind: "not-found" });
  });

  it("reports belong to the VEN that sent them; business logic reads all", async () => {
    const { vtn, program, event } = world();
    const eventID = idOf(await vtn.write(BL, "events", event(await program())));
    const report = { eventID, clientName: "v", resources: [] };
    expect(await vtn.write(VEN, "reports", { ...report, eventID: "none" })).toMatchObject({ kind: "not-found" });
    const id = idOf(await vtn.write(VEN, "reports", report));
    expect((await vtn.list(OTHER, "reports", ALL)).length).toBe(0);
    const [read] = await vtn.list(BL, "reports", { ...ALL, eventID });
    expect(read && onWire("3.1.0", "reports", read)).toMatchObject({ id, objectType: "REPORT", clientID: VEN.id });
  });

  it("pages by skip and limit", async () => {
    const { vtn, program } = world();
    for (let number = 0; number < 5; number++) await program(`P${number}`);
    const names = async (skip: number, limit: number) =>
      (await vtn.list(BL, "programs", { skip, limit })).map(({ said }) => said.programName);
    expect(await names(0, 2)).toEqual(["P0", "P1"]);
    expect(await names(4, 50)).toEqual(["P4"]);
  });

  it("tells subscribers what they asked for, with their token, and of nothing that they may not see", async () => {
    const { vtn, told, program, event } = world();
    const programID = await program();
    const subscription = (callbackUrl: string, version = "3.1.0") => ({
      clientName: "v",
      programID,
      version,
      business: false,
      objectOperations: [
        {
          objects: ["EVENT"],
          operations: version === "3.1.0" ? ["CREATE", "DELETE"] : ["POST"],
          callbackUrl,
          bearerToken: "secret",
        },
      ],
    });
    await vtn.write(VEN, "subscriptions", subscription("https://ven.example/31"));
    await vtn.write(OTHER, "subscriptions", subscription("https://ven.example/30", "3.0.1"));
    const id = idOf(await vtn.write(BL, "events", event(programID)));
    await vtn.write(BL, "events", event(programID, { targets: ["north"] }));
    await vtn.write(BL, "events", event(await program("Cars")));
    await vtn.remove(BL, "events", id);
    expect(told.map(({ url, token, body }) => [url.slice(-2), token, body.operation, body.objectType])).toEqual([
      ["31", "secret", "CREATE", "EVENT"],
      ["30", "secret", "POST", "EVENT"],
      ["31", "secret", "DELETE", "EVENT"],
    ]);
  });
});
