import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MeterId } from "../shared/metering/meter.ts";
import { type FleetFact, noColumns, noteFact } from "../shared/readings/fleet-columns.ts";
import { dynamoFleetColumns } from "./adapters/dynamo-fleet-columns.ts";
import { dynamoOutages } from "./adapters/dynamo-outages.ts";
import { dynamoRegistry } from "./adapters/dynamo-registry.ts";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

const MINUTE_MS = 60_000;
const PER_TRANSFORMER = 4;
let functions: HttpFunctions;
let feeder = 0;
let now = 0;
/** Meters of the first and of the second transformer of the feeder. */
let [first, second]: string[][] = [];

interface Listed {
  readonly outageId: string;
  readonly node: string;
  readonly state: string;
}
const ask = async <Body>(name: string, routeKey: string, parts: Parameters<HttpFunctions["ask"]>[3] = {}) =>
  (await functions.ask(name, "operator", routeKey, parts)).body as Body;
const outages = async (state: "open" | "all" = "open"): Promise<readonly Listed[]> =>
  (await ask<{ outages: Listed[] }>("manage-outages", "GET /outages", { query: { state, feeder: `F-${feeder}` } }))
    .outages;
const states = async (state: "open" | "all" = "open"): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries((await outages(state)).map((one) => [one.node, one.state]));
/** Meters that detection has asked, a list a question, the newest first. */
const questions = async (): Promise<readonly { lane: string; meters: readonly string[] }[]> => {
  const { jobs } = await ask<{ jobs: { reason?: string; lane: string; target: { meterIds: string[] } }[] }>(
    "read-jobs",
    "GET /jobs",
  );
  return jobs
    .filter(({ reason }) => reason?.startsWith("Outage detection") === true)
    .map(({ lane, target }) => ({ lane, meters: target.meterIds }));
};

/** As ingest writes them. */
async function note(meterIds: readonly string[], fact: Omit<FleetFact, "slot">): Promise<void> {
  const known = await dynamoRegistry(functions.db, "Registry").meters(meterIds.map((id) => MeterId.parse(id)));
  const store = dynamoFleetColumns(functions.db, "Readings");
  for (const { place } of known.values()) {
    const stored = await store.read(place.segment);
    const columns = stored?.columns ?? noColumns();
    noteFact(columns, { ...fact, slot: place.slot });
    expect(await store.write(place.segment, columns, stored?.version ?? 0)).toBe("written");
    await dynamoOutages(functions.db, "Outages").noteNews(place.segment, [place.slot]);
  }
}
const lose = (agoMs: number, meterIds: readonly string[]) =>
  note(meterIds, { at: now - agoMs, contact: { power: { offAt: now - agoMs } } });
const back = (agoMs: number, meterIds: readonly string[]) =>
  note(meterIds, { at: now - agoMs, contact: { power: { on: { at: now - agoMs, by: "restoration" } } } });
/** They answer: after all that happened so far, or so long ago. */
const answer = (meterIds: readonly string[], agoMs = -2_000) => {
  const at = Date.now() - agoMs;
  return note(meterIds, { at, reason: "none", contact: { power: { on: { at, by: "answer" } } } });
};
const silent = (meterIds: readonly string[]) => note(meterIds, { at: Date.now() + 2_000, reason: "timeout" });
const pass = () => functions.minute("watch-outages");

beforeAll(async () => {
  functions = await httpFunctions();
});
afterAll(() => functions.close());
beforeEach(async () => {
  now = Date.now();
  feeder++;
  [first, second] = await Promise.all(
    [1, 2].map((transformer) =>
      Promise.all(
        Array.from({ length: PER_TRANSFORMER }, async (_, house) => {
          const number = feeder * 100 + transformer * 10 + house;
          const memberships = { groups: [], feeder: `F-${feeder}`, transformer: `T-${feeder}${transformer}` };
          const { status } = await functions.ask("enrol-meter", "administrator", "POST /meters", {
            body: meter(number, { memberships }),
          });
          expect(status).toBe(201);
          return `M-${number}`;
        }),
      ),
    ),
  );
});

describe("the watch over outages", () => {
  it("opens one at the device above those that lost supply, tells it, and asks the one that nobody heard of", async () => {
    await lose(5 * MINUTE_MS, first!.slice(1));
    await answer(second!, 3 * MINUTE_MS);
    const before = (await questions()).length;
    expect(await pass()).toMatchObject({ feeders: 1, open: 1, pings: 1 });
    expect(await states()).toEqual({ [`T-${feeder}1`]: "confirmed" });
    const [{ outageId } = { outageId: "" }] = await outages();
    const { meters } = await ask<{ meters: { meterId: string; gasped: boolean; power: string }[] }>(
      "manage-outages",
      "GET /outages/{outageId}",
      { params: { outageId } },
    );
    expect(meters).toHaveLength(PER_TRANSFORMER);
    expect(meters.find(({ meterId }) => meterId === first![0])).toMatchObject({ gasped: false, power: "unknown" });
    expect(meters.find(({ meterId }) => meterId === first![1])).toMatchObject({ gasped: true, power: "off" });
    const told = await ask<{ EndDeviceEvents: { issuerTrackingID: string; EndDeviceEventType: object }[] }>(
      "manage-outages",
      "GET /outage-events",
    );
    expect(told.EndDeviceEvents.filter(({ issuerTrackingID }) => issuerTrackingID === outageId)).toMatchObject([
      { EndDeviceEventType: { ref: "3.26.0.47" } },
    ]);
    const asked = await questions();
    expect(asked.length).toBe(before + 1);
    expect(asked[0]).toEqual({ lane: "urgent", meters: [first![0]] });
    await pass(); // the same evidence: nothing is told or asked again
    expect(await questions()).toHaveLength(asked.length);
  });

  it("holds what it hears for a minute, and counts what is over by then as momentary", async () => {
    await lose(20_000, first!);
    await lose(95_000, second!);
    await back(70_000, second!);
    expect(await pass()).toMatchObject({ momentaries: PER_TRANSFORMER });
    expect(await states("all")).toEqual({});
    const power = await ask("manage-outages", "GET /meters/{meterId}/power", { params: { meterId: second![0] ?? "" } });
    expect(power).toMatchObject({ power: "on", by: "restoration" });
  });

  it("believes that all are back when each has said so or was asked: those that stay dark are an outage within it", async () => {
    await lose(9 * MINUTE_MS, [...first!, ...second!]);
    await pass();
    expect(await states()).toEqual({ [`F-${feeder}`]: "confirmed" });
    const [{ outageId } = { outageId: "" }] = await outages();
    await back(8 * MINUTE_MS, first!.slice(0, 2));
    expect(await pass()).toMatchObject({ pings: 2 * PER_TRANSFORMER - 2 });
    expect(await states(), "two of eight are back, and nothing is known of the others").toEqual({
      [`F-${feeder}`]: "restoring",
    });
    await answer(first!.slice(2));
    await silent(second!);
    await pass();
    const found = await outages("all");
    expect(found.find(({ node }) => node === `F-${feeder}`)?.state).toBe("restored");
    expect(found.find(({ node }) => node === `T-${feeder}2`)).toMatchObject({ state: "suspected", within: outageId });
    await answer(second!, -4_000);
    await pass();
    expect(await outages()).toEqual([]);
  });
});

describe("the electrical tree behind the API", () => {
  it("is put as CSV, whose wrong rows are named, and read with its meters counted", async () => {
    const csv = `node,kind,parent,feeder\nT-${feeder}1,transformer,L-1,F-${feeder}\nL-1,lateral,F-${feeder},F-${feeder}\nX,pole,L-1,F-${feeder}\n`;
    const put = (role: string) => functions.ask("manage-outages", role, "POST /electrical-nodes", { body: { csv } });
    expect((await put("operator")).status).toBe(403);
    expect((await put("administrator")).body).toMatchObject({
      stored: 2,
      rejected: 1,
      errors: [{ row: 4, column: "kind" }],
    });
    await lose(5 * MINUTE_MS, first!.slice(0, 2));
    const params = { feeder: `F-${feeder}` };
    const { nodes } = await ask<{ nodes: object[] }>("manage-outages", "GET /feeders/{feeder}/tree", { params });
    expect(nodes).toEqual(
      expect.arrayContaining([
        { node: `F-${feeder}`, kind: "feeder", meters: 8, off: 2 },
        { node: "L-1", kind: "lateral", parent: `F-${feeder}`, meters: 4, off: 2 },
        { node: `T-${feeder}1`, kind: "transformer", parent: "L-1", meters: 4, off: 2 },
      ]),
    );
    const drop = () =>
      functions.ask("manage-outages", "administrator", "DELETE /feeders/{feeder}/nodes/{node}", {
        params: { ...params, node: "L-1" },
      });
    expect((await drop()).status).toBe(204);
    expect((await drop()).status).toBe(404);
  });

  it.each([
    ["GET /outages/{outageId}", { outageId: "0".repeat(24) }],
    ["GET /feeders/{feeder}/tree", { feeder: "nowhere" }],
    ["GET /meters/{meterId}/power", { meterId: "nobody" }],
  ])("%s of what there is not is not found", async (routeKey, params) => {
    expect((await functions.ask("manage-outages", "operator", routeKey, { params })).status).toBe(404);
  });
});

describe("a call that there is no power", () => {
  const check = (meterId: string, reference: string) =>
    functions.ask("check-power", "operator", "POST /meters/{meterId}/no-power-checks", {
      params: { meterId },
      body: { reference },
    });
  const verdict = (meterId: string, checkId: string) =>
    ask("check-power", "GET /meters/{meterId}/no-power-checks/{checkId}", { params: { meterId, checkId } });

  it("asks the meter and its neighbours once a case; their silence is the utility's, its answer the customer's", async () => {
    const meterId = first![0] ?? "";
    const begun = await check(meterId, "case 1");
    expect(begun).toMatchObject({ status: 202, body: { verdict: "unknown", because: "asking", final: false } });
    const { checkId, jobs } = begun.body as { checkId: string; jobs: string[] };
    expect(jobs).toHaveLength(2);
    expect((await check(meterId, "case 1")).body).toMatchObject({ checkId, jobs });
    expect(((await check(meterId, "case 2")).body as { checkId: string }).checkId).not.toBe(checkId);
    await silent(first!);
    expect(await verdict(meterId, checkId)).toMatchObject({
      verdict: "utility-side",
      because: "neighbours-out",
      final: true,
      evidence: { meter: "silent", neighbours: { asked: 3, silent: 3 } },
    });
    const other = second![0] ?? "";
    const second2 = (await check(other, "case 1")).body as { checkId: string };
    await answer([other]);
    expect(await verdict(other, second2.checkId)).toMatchObject({
      verdict: "customer-side",
      because: "supply-up-to-the-meter",
    });
    expect(
      (
        await functions.ask("check-power", "operator", "GET /meters/{meterId}/no-power-checks/{checkId}", {
          params: { meterId: other, checkId },
        })
      ).status,
      "a check of another meter",
    ).toBe(404);
  });

  it("is refused of a meter that there is not, and to who may not read meters", async () => {
    expect((await check("nobody", "case 1")).status).toBe(404);
    const refused = await functions.ask("check-power", "subscriber", "POST /meters/{meterId}/no-power-checks", {
      params: { meterId: first![0] ?? "" },
      body: {},
    });
    expect(refused.status).toBe(403);
  });

  it("is answered by the outage that its meter is in", async () => {
    await lose(5 * MINUTE_MS, first!);
    await answer(second!, 3 * MINUTE_MS);
    await pass();
    const meterId = first![2] ?? "";
    const { checkId } = (await check(meterId, "case 3")).body as { checkId: string };
    const [{ outageId } = { outageId: "" }] = await outages();
    expect(await verdict(meterId, checkId)).toMatchObject({
      verdict: "utility-side",
      because: "outage-known",
      evidence: { outageId },
    });
  });
});
