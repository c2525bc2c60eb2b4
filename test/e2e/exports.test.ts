import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, until } from "./deployment.ts";

interface ExportView {
  readonly exportId: string;
  readonly state: string;
  readonly manifestUrl?: string;
  readonly files: readonly {
    readonly name: string;
    readonly kind: string;
    readonly rows: number;
    readonly octets: number;
    readonly sha256: string;
    readonly url: string;
  }[];
}
interface ReadingsView {
  readonly intervals: readonly {
    readonly channels: readonly { readonly measurement: string; readonly scaler: number }[];
    readonly entries: readonly { readonly end: string; readonly values: readonly (string | null)[] }[];
  }[];
}

const METERS = 6;
/** Another way to the same text than the product's. */
const decimal = (value: string, scaler: number): string => {
  if (scaler >= 0) return (BigInt(value) * 10n ** BigInt(scaler)).toString();
  const unsigned = value.replace("-", "").padStart(1 - scaler, "0");
  const text = `${unsigned.slice(0, scaler)}.${unsigned.slice(scaler)}`;
  return BigInt(value) === 0n ? "0" : value.startsWith("-") ? `-${text}` : text;
};

describe("exports of a whole deployment", () => {
  let headend: Deployment;
  const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;

  beforeAll(async () => {
    headend = await Deployment.start(["--meters", String(METERS)]);
    const to = new Date(Math.floor(Date.now() / 900_000) * 900_000).toISOString();
    const operation = { kind: "readIntervals", range: { from: new Date(midnight - 86_400_000).toISOString(), to } };
    const body = { operation, target: { kind: "all" }, reason: "Export test" };
    const { body: job, status } = await headend.call<{ jobId: string }>("operator", "POST", "/jobs", body);
    expect(status).toBe(202);
    await until(120_000, "the read to end", async () => {
      const { body: seen } = await headend.call<{ state: string }>("operator", "GET", `/jobs/${job.jobId}`);
      return seen.state === "closed" ? seen : undefined;
    });
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  it("hold every interval that the API shows, by links whose files have the checksums of the manifest", async () => {
    const [from, to] = [dayText(midnight - 86_400_000), dayText(Date.now())];
    const asked = await headend.call<ExportView>("subscriber", "POST", "/exports", { from, to });
    expect(asked.status).toBe(202);
    const path = `/exports/${asked.body.exportId}`;
    const done = await until(60_000, "the export", async () => {
      const { body } = await headend.call<ExportView>("subscriber", "GET", path);
      expect(body.state).not.toBe("failed");
      return body.state === "done" ? body : undefined;
    });
    const manifest = (await (await fetch(done.manifestUrl ?? "")).json()) as {
      files: { name: string; sha256: string }[];
    };
    expect(manifest.files.map(({ name, sha256 }) => [name, sha256])).toEqual(
      done.files.map(({ name, sha256 }) => [name, sha256]),
    );
    const exported: string[] = [];
    for (const { url, sha256, octets, rows } of done.files) {
      const file = Buffer.from(await (await fetch(url)).arrayBuffer());
      expect([file.length, createHash("sha256").update(file).digest("hex")]).toEqual([octets, sha256]);
      const lines = gunzipSync(file).toString().trimEnd().split("\n").slice(1);
      expect(lines).toHaveLength(rows);
      for (const line of lines) {
        const cells = line.split(",");
        if (cells[1] === "interval") exported.push([cells[0], cells[3], cells[8], cells[9]].join(" "));
      }
    }
    const shown: string[] = [];
    const { body: list } = await headend.call<{ meters: { meterId: string }[] }>("operator", "GET", "/meters");
    const query = `from=${new Date(midnight - 86_400_000).toISOString()}&to=${new Date().toISOString()}`;
    for (const { meterId } of list.meters) {
      const { body } = await headend.call<ReadingsView>("operator", "GET", `/meters/${meterId}/readings?${query}`);
      for (const { channels, entries } of body.intervals)
        for (const { end, values } of entries)
          for (const [index, value] of values.entries()) {
            const { measurement = "", scaler = 0 } = channels[index] ?? {};
            shown.push([meterId, measurement, end, value === null ? "" : decimal(value, scaler)].join(" "));
          }
    }
    expect(shown.length).toBeGreaterThan(METERS * 96);
    expect(exported.sort()).toEqual(shown.sort());
  }, 120_000);

  it("of others are nothing that a subscriber sees", async () => {
    const [from, to] = [dayText(midnight), dayText(midnight)];
    const { body, status } = await headend.call<ExportView>("analyst", "POST", "/exports", {
      from,
      to,
      format: "parquet",
    });
    expect(status).toBe(202);
    expect((await headend.call("subscriber", "GET", `/exports/${body.exportId}`)).status).toBe(404);
    expect((await headend.call("operator", "GET", "/exports")).status).toBe(403);
    const listed = await headend.call<{ exports: ExportView[] }>("subscriber", "GET", "/exports");
    expect(listed.body.exports.map(({ exportId }) => exportId)).not.toContain(body.exportId);
  });
});
