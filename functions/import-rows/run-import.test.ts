import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { keyVault } from "../../shared/security/key-vault.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "../../test/contract/embedded-dynamo.ts";
import { REGISTRY_TABLES } from "../../test/contract/registry-tables.ts";
import { plainVault } from "../../test/plain-vault.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoImports, type Imports } from "../adapters/dynamo-imports.ts";
import { dynamoProfiles } from "../adapters/dynamo-profiles.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { type ImportPorts, runImport } from "./run-import.ts";

let dynamo: EmbeddedDynamo;
let imports: Imports;
let ports: ImportPorts;
let file = "";
let report = "";
const kek = new Uint8Array(16).fill(7);

beforeAll(async () => {
  dynamo = await embeddedDynamo(REGISTRY_TABLES);
  const { db } = dynamo;
  const profiles = dynamoProfiles(db, "Registry");
  for (const profile of PROFILES.values()) await profiles.add(profile);
  imports = dynamoImports(db, "Registry");
  ports = {
    imports,
    files: {
      uploadUrl: async () => "",
      reportUrl: async () => "",
      uploaded: async () => "etag",
      open: async (_, etag, from) => (etag === "etag" ? Readable.from([Buffer.from(file).subarray(from)]) : undefined),
      putReport: async (_, csv) => {
        report = csv;
      },
    },
    keys: { open: async (name) => (name === "k" ? kek.slice() : undefined) },
    enrol: {
      registry: dynamoRegistry(db, "Registry"),
      segments: dynamoSegments(db, "Registry"),
      profiles,
      access: dynamoAccess(db, "Access"),
      vault: keyVault(plainVault),
      meterTime: systemClock,
      clock: systemClock,
    },
    crypto: nodeCrypto,
    clock: systemClock,
    chunkRows: 20,
  };
});
afterAll(() => dynamo.close());

const COLUMNS =
  "meterId,serial,commodity,profile,systemTitle,host,port,groups,transportKey,unicastKey,authenticationKey";
const wrapped = toHex(nodeCrypto.wrapKey(kek, new Uint8Array(16).fill(9)));
const line = (prefix: string, row: number, spoil: Readonly<Record<string, string>> = {}): string => {
  const cells: Readonly<Record<string, string>> = {
    meterId: `${prefix}-${row}`,
    serial: `${prefix}S${row}`,
    commodity: "electric",
    profile: "generic-eu",
    systemTitle: `${Buffer.from(prefix).toString("hex").padStart(8, "0")}${row.toString(16).padStart(8, "0")}`,
    host: "127.0.0.1",
    port: "4059",
    groups: "imported",
    transportKey: "k",
    unicastKey: wrapped,
    authenticationKey: wrapped,
    ...spoil,
  };
  return COLUMNS.split(",")
    .map((name) => cells[name])
    .join(",");
};
const csvOf = (
  prefix: string,
  rows: number,
  spoil: ReadonlyMap<number, Readonly<Record<string, string>>> = new Map(),
) => [COLUMNS, ...Array.from({ length: rows }, (_, index) => line(prefix, index + 2, spoil.get(index + 2)))].join("\n");

let made = 0;
async function begin(): Promise<string> {
  const importId = `import-${++made}`;
  const none = { octets: 0, lines: 0, rows: 0, enrolled: 0, unchanged: 0, rejected: 0 };
  await imports.create({ importId, state: "running", createdAt: 0, run: 1, etag: "etag", ...none, version: 1 });
  return importId;
}
const endless = () => 1e9;
async function errorsOf(importId: string) {
  const found = [];
  const state = await imports.read(importId);
  if (state !== undefined) for await (const error of imports.errors(state)) found.push(error);
  return found;
}

describe("an import", () => {
  it("enrols the good rows, names the bad ones, and the second time finds nothing new", async () => {
    const spoil = new Map([
      [5, { port: "?!" }],
      [21, { unicastKey: "00".repeat(24) }],
      [25, { profile: "nothing" }],
      [33, { serial: "AS2" }], // the serial of row 2
    ]);
    file = csvOf("A", 45, spoil);
    for (const [enrolled, unchanged] of [
      [41, 0],
      [0, 41],
    ] as const) {
      const importId = await begin();
      expect(await runImport(ports, importId, "me", endless)).toBe("done");
      expect(await imports.read(importId)).toMatchObject({
        state: "done",
        rows: 45,
        enrolled,
        unchanged,
        rejected: 4,
      });
      const errors = await errorsOf(importId);
      expect(errors.map(({ row, column }) => [row, column])).toEqual([
        [5, "port"],
        [21, "unicastKey"],
        [25, "profile"],
        [33, "serial"],
      ]);
      expect(errors[1]?.received).toBeUndefined();
      expect(report.split("\n")[1]).toBe("5,port,a port from 1 to 65535,?!");
    }
  });

  it("goes on where its time was up", async () => {
    file = csvOf("B", 45);
    const importId = await begin();
    let left = 100_000;
    const ends = [];
    for (let run = 0; run < 3; run++) {
      left = run === 2 ? 100_000 : 30_000;
      ends.push(await runImport(ports, importId, `run-${run}`, () => left));
    }
    expect(ends).toEqual(["again", "again", "done"]);
    expect(await imports.read(importId)).toMatchObject({ rows: 45, enrolled: 45, unchanged: 0, rejected: 0 });
  });

  it("counts each row once when it is killed before a checkpoint", async () => {
    file = csvOf("C", 25, new Map([[3, { port: "x" }]]));
    const importId = await begin();
    let writes = 0;
    const dying: ImportPorts = {
      ...ports,
      imports: {
        ...imports,
        write: async (was, change) => {
          if (++writes === 3) throw new Error("killed"); // lease, header, first chunk
          return imports.write(was, change);
        },
      },
    };
    await expect(runImport(dying, importId, "me", endless)).rejects.toThrow("killed");
    expect(await imports.read(importId)).toMatchObject({ rows: 0, enrolled: 0 });
    expect(await runImport(ports, importId, "me", endless)).toBe("done");
    expect(await imports.read(importId)).toMatchObject({ rows: 25, enrolled: 24, unchanged: 0, rejected: 1 });
    expect(await errorsOf(importId)).toHaveLength(1);
  });

  it("leaves an import to whoever works on it", async () => {
    file = csvOf("D", 3);
    const importId = await begin();
    const state = await imports.read(importId);
    expect(state).toBeDefined();
    if (state === undefined) return;
    const until = systemClock.now() + 100;
    const held = await imports.write(state, { lease: { owner: "other", until } });
    const waiting = runImport(ports, importId, "me", endless);
    if (held !== undefined) await imports.write(held, { lease: { owner: "other", until: until + 60_000 } });
    expect(await waiting).toBe("elsewhere");
  });

  it.each([
    ["an unknown column", `${COLUMNS},colour\n`, /colour/],
    ["a missing column", "serial,commodity,profile\n", /meterId/],
    ["nothing", "", /header/],
    ["a quote that is not closed", `${COLUMNS}\n${line("E", 2)}\n"x,1,2\n`, /quote/],
  ])("of a file with %s fails as a whole, with the reason", async (_, text, reason) => {
    file = text;
    const importId = await begin();
    expect(await runImport(ports, importId, "me", endless)).toBe("failed");
    const state = await imports.read(importId);
    expect(state).toMatchObject({ state: "failed" });
    expect(state?.failure).toMatch(reason);
  });

  it("counts rows as the file has them: blank lines, quotes over lines, a byte order mark, short rows", async () => {
    file = `\ufeff${COLUMNS}\r\n\r\n${line("F", 3)}\r\n"F-4",F4,"two\nlines"\r\n${line("F", 6, { port: "x" })}\r\n`;
    const importId = await begin();
    expect(await runImport(ports, importId, "me", endless)).toBe("done");
    expect((await errorsOf(importId)).map(({ row, column }) => [row, column])).toEqual([
      [4, "profile"],
      [6, "port"],
    ]);
  });
});
