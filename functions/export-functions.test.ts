import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoExports } from "./adapters/dynamo-exports.ts";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

let functions: HttpFunctions;
beforeAll(async () => {
  functions = await httpFunctions();
  await functions.ask("enrol-meter", "administrator", "POST /meters", { body: meter(1) });
});
afterAll(() => functions.close());

const DAYS = { from: "2026-11-01", to: "2026-11-02" };
const create = (role: string, body: object = DAYS) => functions.ask("manage-exports", role, "POST /exports", { body });
const read = (role: string, exportId: string) =>
  functions.ask("manage-exports", role, "GET /exports/{exportId}", { params: { exportId } });
const idOf = ({ body }: { readonly body: unknown }): string => (body as { readonly exportId: string }).exportId;

describe("/exports", () => {
  it("takes an export, starts the function that writes it, and shows it as running without files", async () => {
    const created = await create("subscriber", { ...DAYS, meters: ["M-1"], format: "parquet" });
    const expected = { ...DAYS, state: "running", kind: "requested", format: "parquet", meters: ["M-1"] };
    expect(created).toMatchObject({ status: 202, body: { ...expected, caller: { id: "subscriber" } } });
    expect(functions.invoked.at(-1)).toEqual({ function: "write-export", input: { exportId: idOf(created) } });
    expect(await read("subscriber", idOf(created))).toMatchObject({ status: 200, body: { ...expected, files: [] } });
  });

  it.each([
    ["an unknown meter", { ...DAYS, meters: ["M-1", "M-9"] }, "meters", "M-9"],
    ["days in the wrong order", { from: DAYS.to, to: DAYS.from }, "to", undefined],
    ["more days than one export has", { from: "2026-01-01", to: "2026-12-31" }, "to", undefined],
    ["a format that there is not", { ...DAYS, format: "xml" }, "format", undefined],
    ["what it does not know", { ...DAYS, sql: "SELECT 1" }, "sql", undefined],
  ])("refuses %s, and starts nothing", async (_, body, field, received) => {
    const before = functions.invoked.length;
    const refused = await create("analyst", body);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    if (received !== undefined) expect(refused.body).toMatchObject({ errors: [{ received }] });
    expect(functions.invoked).toHaveLength(before);
  });

  it("shows a subscriber his own and the daily ones, and lets nobody export who may not", async () => {
    const [own, another] = [await create("subscriber"), await create("analyst")].map(idOf);
    const exports = dynamoExports(functions.db, "Readings");
    const daily = { exportId: "daily-2026-11-01", kind: "daily", caller: { id: "headrace" }, format: "csv" } as const;
    const day = Date.parse(DAYS.from);
    await exports.create({ ...daily, from: day, to: day, state: "running", createdAt: day, version: 1 });
    const listed = async (role: string) => {
      const { body } = await functions.ask("manage-exports", role, "GET /exports");
      return (body as { exports: { exportId: string }[] }).exports.map(({ exportId }) => exportId);
    };
    expect(await listed("subscriber")).toEqual(expect.arrayContaining([own, daily.exportId]));
    expect(await listed("subscriber")).not.toContain(another);
    expect(await listed("analyst")).toEqual(expect.arrayContaining([own, another, daily.exportId]));
    expect(await read("subscriber", another ?? "")).toMatchObject({
      status: 404,
      body: { errors: [{ field: "exportId" }] },
    });
    expect(await read("subscriber", daily.exportId)).toMatchObject({ status: 200, body: { kind: "daily" } });
    expect(await read("subscriber", "no-id")).toMatchObject({ status: 400 });
    expect(await create("operator")).toMatchObject({ status: 403 });
  });

  it("links the files and the manifest of an export that is done, each for an hour", async () => {
    const exportId = idOf(await create("analyst"));
    const exports = dynamoExports(functions.db, "Readings");
    const file = { day: Date.parse(DAYS.from), kind: "full", rows: 3, octets: 90, sha256: "ab".repeat(32) } as const;
    const rest = { asOf: Date.parse(DAYS.to), source: "lake/x.parquet" };
    await exports.keepFile(exportId, { ...file, ...rest, file: 0, object: `exports/${exportId}/a.csv.gz` });
    await exports.keepFile(exportId, { ...file, ...rest, file: 1, rows: 0 }); // nothing was to be said of it
    const state = await exports.read(exportId);
    if (state === undefined) throw new Error("the export is there");
    await exports.write(state, { state: "done", endedAt: Date.parse(DAYS.to) });
    const { status, body } = await read("analyst", exportId);
    const seen = body as { manifestUrl: string; files: { name: string; day: string; url: string }[] };
    expect(status).toBe(200);
    expect(seen.files).toMatchObject([{ name: "a.csv.gz", day: DAYS.from, rows: 3, sha256: file.sha256 }]);
    for (const [url, object] of [
      [seen.manifestUrl, "manifest.json"],
      [seen.files[0]?.url, "a.csv.gz"],
    ]) {
      const { pathname, searchParams } = new URL(url ?? "");
      expect(pathname).toContain(`exports/${exportId}/${object}`);
      expect(searchParams.get("X-Amz-Expires")).toBe("3600");
      expect(searchParams.get("X-Amz-Signature")).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
