import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

let functions: HttpFunctions;
beforeAll(async () => {
  functions = await httpFunctions();
  for (const number of [1, 2])
    await functions.ask("enrol-meter", "administrator", "POST /meters", { body: meter(number) });
});
afterAll(() => functions.close());

type Parts = Parameters<HttpFunctions["ask"]>[3];
/** As the gateway's greedy routes hand it on: the path as it came, and no parameters. */
const behind =
  (name: string, base: string) =>
  (role: string, routeKey: string, { params = {}, ...parts }: Parts = {}) => {
    const asked = routeKey.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ""));
    return functions.ask(name, role, asked, { ...parts, gatewayKey: `ANY ${base}/{path+}` });
  };
const openadr = (role: string, routeKey: string, parts: Parts = {}, version = "3.1.0") => {
  const base = `/openadr3/${version}`;
  return behind("serve-openadr", base)(role, routeKey.replace(" ", ` ${base}`), parts);
};
const demand = behind("manage-demand", "/demand");
const idOf = ({ body }: { readonly body: unknown }): string => (body as { readonly id: string }).id;
const later = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

describe("OpenADR 3 behind the API", () => {
  it("programs and events of 3.1.0 are seen by 3.0.1 and by the headend's own routes, and the other way", async () => {
    const program = await openadr("operator", "POST /programs", {
      body: { programName: "Peak", targets: ["north"], programDescriptions: null },
    });
    expect(program).toMatchObject({ status: 201, body: { objectType: "PROGRAM", targets: ["north"] } });
    const programID = idOf(program);
    const event = await openadr(
      "operator",
      "POST /events",
      {
        body: {
          programID,
          targets: [{ type: "GROUP", values: ["north"] }],
          intervalPeriod: { start: later(60), duration: "PT1H" },
          intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [2] }] }],
        },
      },
      "3.0.1",
    );
    expect(event.status).toBe(201);
    const params = { eventID: idOf(event) };
    expect((await openadr("analyst", "GET /events/{eventID}", { params })).body).toMatchObject({ targets: ["north"] });
    expect((await openadr("analyst", "GET /programs", {}, "3.0.1")).body).toMatchObject([
      { targets: [{ type: "GROUP", values: ["north"] }] },
    ]);
    const own = await demand("operator", "GET /demand/events/{eventId}", { params: { eventId: idOf(event) } });
    expect(own.body).toMatchObject({
      programId: programID,
      state: "planned",
      phases: [{ control: { mode: "cycle", periodSeconds: 1_800, offSeconds: 900 } }],
    });
    await demand("supervisor", "PUT /demand/programs/{programId}", {
      params: { programId: "own" },
      body: { name: "Own" },
    });
    const names = (await openadr("operator", "GET /programs")).body as { programName: string }[];
    expect(names.map(({ programName }) => programName).sort()).toEqual(["Own", "Peak"]);
  });

  it("answers with problems: a name twice, a role that may not, an object that is not there, what is malformed", async () => {
    const body = { programName: "Twice" };
    expect((await openadr("operator", "POST /programs", { body })).status).toBe(201);
    expect(await openadr("operator", "POST /programs", { body })).toMatchObject({ status: 409, body: { status: 409 } });
    expect((await openadr("subscriber", "POST /programs", { body })).status).toBe(403);
    expect((await openadr("analyst", "POST /events", { body: { programID: "x" } })).status).toBe(403);
    const missing = { params: { programID: "missing" } };
    expect((await openadr("operator", "GET /programs/{programID}", missing)).status).toBe(404);
    expect((await openadr("operator", "POST /programs", { body: { programName: "" } })).status).toBe(400);
    expect((await openadr("operator", "GET /programs", { query: { limit: "51" } })).status).toBe(400);
  });

  it("resources of 3.0.1 lie under their VEN; a subscriber sees its own alone", async () => {
    const ven = await openadr("subscriber", "POST /vens", { body: { venName: "home" } }, "3.0.1");
    expect(ven).toMatchObject({ status: 201, body: { objectType: "VEN", clientID: "subscriber" } });
    const params = { venID: idOf(ven) };
    const made = await openadr(
      "subscriber",
      "POST /vens/{venID}/resources",
      { params, body: { resourceName: "heater" } },
      "3.0.1",
    );
    expect(made).toMatchObject({ status: 201, body: { venID: params.venID } });
    expect((await openadr("subscriber", "GET /resources", { query: { venID: params.venID } })).body).toHaveLength(1);
    const nowhere = { params: { venID: "none" }, body: { resourceName: "heater" } };
    expect((await openadr("subscriber", "POST /vens/{venID}/resources", nowhere, "3.0.1")).status).toBe(404);
  });

  it("tells subscribers by a function of its own", async () => {
    await openadr("operator", "POST /subscriptions", {
      body: {
        clientName: "drms",
        objectOperations: [{ objects: ["PROGRAM"], operations: ["CREATE"], callbackUrl: "https://drms.example/told" }],
      },
    });
    await openadr("operator", "POST /programs", { body: { programName: "Told" } });
    expect(functions.invoked.filter((one) => one.function === "notify-openadr")).toMatchObject([
      { input: { notifications: [{ url: "https://drms.example/told", body: { operation: "CREATE" } }] } },
    ]);
  });
});

describe("demand response behind the API", () => {
  const params = { programId: "heat" };
  const join = (meterId: string) =>
    demand("supervisor", "PUT /demand/programs/{programId}/meters/{meterId}", {
      params: { ...params, meterId },
      body: { consent: { how: "signed form" }, targets: ["north"] },
    });

  it("puts meters into programs by consent, and lets them leave", async () => {
    await demand("operator", "PUT /demand/programs/{programId}", { params, body: { name: "Heat" } });
    expect((await join("M-1")).body).toMatchObject({ consent: { by: "supervisor", how: "signed form" } });
    expect((await join("M-404")).status).toBe(404);
    const meterParams = { params: { ...params, meterId: "M-1" } };
    const left = await demand("operator", "DELETE /demand/programs/{programId}/meters/{meterId}", meterParams);
    expect(left.body).toHaveProperty("optedOutAt");
    const listed = await demand("analyst", "GET /demand/programs/{programId}/meters", { params });
    expect(listed.body).toMatchObject({ meters: [{ meterId: "M-1" }] });
    expect((await demand("analyst", "PUT /demand/programs/{programId}", { params, body: { name: "X" } })).status).toBe(
      403,
    );
  });

  it("an event of the same id and content is the same event; it is cancelled once, and measured against a baseline", async () => {
    const body = {
      eventId: "july-1",
      programId: "heat",
      start: later(10),
      end: later(70),
      control: { mode: "off" },
      randomSeconds: 300,
    };
    const create = (more: object = {}) => demand("operator", "POST /demand/events", { body: { ...body, ...more } });
    expect((await create()).status).toBe(201);
    expect((await create()).status).toBe(200);
    expect((await create({ randomSeconds: 0 })).status).toBe(409);
    expect((await create({ eventId: "late", start: later(-60), end: later(-1) })).status).toBe(422);
    const event = { params: { eventId: "july-1" } };
    expect(
      (await demand("operator", "POST /demand/events/{eventId}/opt-outs", { ...event, body: { meterId: "M-2" } }))
        .status,
    ).toBe(404);
    for (const _ of [1, 2])
      expect((await demand("operator", "POST /demand/events/{eventId}/cancel", event)).body).toMatchObject({
        state: "cancelled",
      });
    const shares = await demand("analyst", "GET /demand/events/{eventId}/participation", event);
    expect(shares.body).toMatchObject({
      baseline: { kind: "mean-of-days", days: 5 },
      total: { meters: 0 },
      meters: [],
    });
  });
});
