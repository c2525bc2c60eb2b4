import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { Deployment, until } from "./deployment.ts";

const ROWS = 10_000;
const COLUMNS =
  "meterId,serial,commodity,profile,systemTitle,host,port,transport,groups,feeder,transformer,collector,latitude,longitude,transportKey,unicastKey,authenticationKey,llsSecret";

interface ImportView {
  readonly importId: string;
  readonly state: string;
  readonly enrolled: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly errors: readonly {
    readonly row: number;
    readonly column: string;
    readonly expected: string;
    readonly received?: string;
  }[];
}

/** Row → the column spoiled in it. 37 of them, of seven kinds. */
const SPOILED = new Map(
  Array.from({ length: 37 }, (_, index) => {
    const kinds = ["commodity", "systemTitle", "port", "host", "profile", "latitude", "unicastKey"] as const;
    return [2 + index * 263, kinds[index % kinds.length] ?? "port"] as const;
  }),
);

describe("a CSV of ten thousand meters, 37 rows of them bad", () => {
  let headend: Deployment;
  let csv: string;
  const kek = new Uint8Array(randomBytes(16));

  beforeAll(async () => {
    headend = await Deployment.start(["--meters", "5"]);
    const stored = await headend.call("administrator", "PUT", "/transport-keys/shipment-7", { key: toHex(kek) });
    expect(stored.status).toBe(200);
    const wrapped = () => toHex(nodeCrypto.wrapKey(kek, new Uint8Array(randomBytes(16))));
    const lines = [COLUMNS];
    for (let row = 2; row < ROWS + 2; row++) {
      const cells: Record<string, string> = {
        meterId: `IMP-${row}`,
        serial: `S${row}`,
        commodity: "electric",
        profile: "generic-eu",
        systemTitle: `485244${(0x1_0000_0000 + row).toString(16).padStart(10, "0")}`,
        host: `127.9.${row >> 8}.${row & 0xff}`,
        port: "4059",
        transport: "tcp",
        groups: row % 2 === 0 ? "even" : "odd;north",
        latitude: "47.1",
        longitude: "8.5",
        transportKey: "shipment-7",
        unicastKey: wrapped(),
        authenticationKey: wrapped(),
      };
      const spoil = SPOILED.get(row);
      if (spoil !== undefined) cells[spoil] = spoil === "unicastKey" ? "00".repeat(24) : "?!";
      lines.push(
        COLUMNS.split(",")
          .map((name) => cells[name] ?? "")
          .join(","),
      );
    }
    csv = `${lines.join("\n")}\n`;
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  async function importAll(): Promise<ImportView> {
    const created = await headend.call<{ importId: string; upload: { url: string } }>(
      "administrator",
      "POST",
      "/imports",
    );
    expect(created.status).toBe(201);
    const put = await fetch(created.body.upload.url, { method: "PUT", body: csv });
    expect(put.status, await put.text()).toBe(200);
    const started = await headend.call("administrator", "POST", `/imports/${created.body.importId}/start`);
    expect(started.status).toBe(202);
    return until(240_000, "the import to end", async () => {
      const { body } = await headend.call<ImportView>("administrator", "GET", `/imports/${created.body.importId}`);
      return body.state === "done" || body.state === "failed" ? body : undefined;
    });
  }

  it("enrols 9,963 and names row, column and expectation of each bad one; again: none new", async () => {
    const first = await importAll();
    expect(first).toMatchObject({ state: "done", enrolled: ROWS - 37, unchanged: 0, rejected: 37 });
    expect(new Map(first.errors.map((error) => [error.row, error.column]))).toEqual(SPOILED);
    for (const error of first.errors) {
      expect(error.expected.length).toBeGreaterThan(3);
      if (error.column === "unicastKey") expect(error.received).toBeUndefined();
    }
    const again = await importAll();
    expect(again).toMatchObject({ state: "done", enrolled: 0, unchanged: ROWS - 37, rejected: 37 });
    const even = await headend.call<{ meters: number }>("operator", "GET", "/groups/even");
    const evenSpoiled = [...SPOILED.keys()].filter((row) => row % 2 === 0).length;
    expect(even.body.meters).toBe(ROWS / 2 - evenSpoiled);
  }, 480_000);
});
