import { describe, expect, it } from "vitest";
import type { Caller } from "../../jobs/job.ts";
import { MeterId } from "../../metering/meter.ts";
import { memoryDemand } from "../memory-store.ts";
import { memoryObjects } from "./memory-objects.ts";
import { sendReport, takeEvents, type VenPorts, type VenRequest, type VtnConnection } from "./ven-client.ts";
import { type ListQuery, onWire, Vtn } from "./vtn.ts";

const NOW = Date.parse("2026-07-01T10:00:00Z");
const BL: Caller = { id: "utility", roles: ["operator"] };
const HEADEND: Caller = { id: "ven-client", roles: ["subscriber"] };
const CONNECTION: VtnConnection = {
  name: "drms",
  url: "https://drms.example/openadr3/3.1.0",
  version: "3.1.0",
  tokenUrl: "https://drms.example/token",
  clientId: "ven-client",
  programId: "heat",
  secretVersion: 1,
};

/** A headend as VEN of another VTN, which is ours: its requests as the HTTP function would answer them. */
async function world() {
  const demand = memoryDemand();
  let now = NOW;
  let ids = 0;
  const vtn = new Vtn({
    demand: memoryDemand(),
    objects: memoryObjects(),
    now: () => ++now,
    newId: () => `e-${++ids}`,
    notify: async () => undefined,
  });
  const asked: VenRequest[] = [];
  let down = false;
  const send: VenPorts["send"] = async (request) => {
    asked.push(request);
    if (down) return { status: 503, body: {} };
    const url = new URL(request.url);
    if (url.pathname === "/token") {
      const known = request.headers.authorization === `Basic ${btoa("ven-client:s3cret")}`;
      return known ? { status: 200, body: { access_token: "t" } } : { status: 401, body: {} };
    }
    if (request.headers.authorization !== "Bearer t") return { status: 401, body: {} };
    const collection = url.pathname.endsWith("/reports") ? "reports" : "events";
    if (request.method === "POST") {
      const answer = await vtn.write(HEADEND, collection, JSON.parse(request.body ?? "{}") as Record<string, unknown>);
      return { status: answer.kind === "object" ? 201 : 400, body: {} };
    }
    const query: ListQuery = {
      skip: Number(url.searchParams.get("skip") ?? 0),
      limit: Number(url.searchParams.get("limit") ?? 50),
      eventID: url.searchParams.get("eventID") ?? undefined,
      clientName: url.searchParams.get("clientName") ?? undefined,
    };
    const found = await vtn.list(HEADEND, collection, query);
    return { status: 200, body: found.map((object) => onWire("3.1.0", collection, object)) };
  };
  const ports: VenPorts = { demand, send, secretOf: async () => "s3cret", now: () => NOW };
  const program = await vtn.write(BL, "programs", { programName: "Utility peak" });
  const programID = program.kind === "object" ? program.object.id : "";
  const body = (level: number, duration = "PT1H") => ({
    programID,
    eventName: "peak",
    priority: 3,
    intervalPeriod: { start: "2026-07-01T16:00:00Z", duration },
    intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [level] }] }],
  });
  const create = async (level = 3) => {
    const answer = await vtn.write(BL, "events", body(level));
    return answer.kind === "object" ? answer.object.id : "";
  };
  return {
    vtn,
    demand,
    ports,
    asked,
    body,
    create,
    take: () => takeEvents(ports, CONNECTION),
    fail: (is: boolean) => {
      down = is;
    },
  };
}

describe("the headend as a VEN", () => {
  it("takes a utility's events as its own, once, over pages", async () => {
    const { create, take, demand } = await world();
    for (let number = 0; number < 60; number++) await create();
    expect(await take()).toHaveLength(60);
    expect(await take()).toEqual([]);
    const [event] = await demand.events(1);
    expect(event).toMatchObject({
      programId: "heat",
      name: "peak",
      priority: 3,
      phases: [{ control: { mode: "off" } }],
      source: { vtn: "drms" },
    });
  });

  it("changes what was changed there, and cancels what is gone", async () => {
    const { create, take, demand, vtn, body } = await world();
    const [first, second] = [await create(), await create()];
    await take();
    await vtn.write(BL, "events", body(2, "PT30M"), first);
    await vtn.remove(BL, "events", second);
    expect((await take()).map(({ did }) => did).sort()).toEqual(["cancelled", "changed"]);
    expect((await demand.event(`drms-${first}`))?.phases).toMatchObject([
      { to: Date.parse("2026-07-01T16:30:00Z"), control: { mode: "cycle" } },
    ]);
    expect((await demand.event(`drms-${second}`))?.state).toBe("cancelled");
  });

  it("cancels nothing while the VTN does not answer", async () => {
    const { create, take, demand, fail } = await world();
    const id = await create();
    await take();
    fail(true);
    await expect(take()).rejects.toMatchObject({ code: "openadr.vtn", retry: "later" });
    expect((await demand.event(`drms-${id}`))?.state).toBe("planned");
  });

  it("never sends its secret but to the issuer", async () => {
    const { create, take, asked } = await world();
    await create();
    await take();
    for (const { url, headers } of asked) if (!url.endsWith("/token")) expect(headers.authorization).toBe("Bearer t");
  });

  it("reports what an event brought, once", async () => {
    const { create, take, demand, ports, vtn } = await world();
    const id = await create();
    await take();
    const event = await demand.event(`drms-${id}`);
    if (event === undefined) throw new Error("expected the event");
    const entries = [{ meterId: MeterId.parse("M-1"), outcome: "told", baselineWh: 900, actualWh: 600 } as const];
    await sendReport(ports, CONNECTION, event, entries);
    await sendReport(ports, CONNECTION, event, entries);
    const reports = await vtn.list(BL, "reports", { skip: 0, limit: 50, eventID: id });
    expect(reports).toHaveLength(1);
    expect(reports[0]?.said.resources).toMatchObject([
      {
        resourceName: "AGGREGATED_REPORT",
        intervals: [{ payloads: [{ type: "USAGE", values: [0.6] }, { values: [0.9] }, {}] }],
      },
      { resourceName: "M-1" },
    ]);
  });
});
