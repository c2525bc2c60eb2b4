import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { systemRandom } from "../adapters/system-random.ts";
import { command } from "./tables.ts";

const KEYS = { unicast: "0f".repeat(16), llsSecret: "70617373776f7264" };
const TITLE = ".23.4";
let server: Server;
let folder = "";
let base: readonly string[] = [];

/** A simulated meter on a port of its own. */
beforeAll(async () => {
  const profile = PROFILES.get("generic-us");
  if (profile?.protocol !== "c1222") throw new Error("the catalogue has generic-us");
  const plan = { index: 3, meterId: "SIM-000004", serial: "HRS26000004", profile, apTitle: TITLE, fault: undefined };
  const meter = new C1222Meter({ ...plan, enrolled: KEYS, held: KEYS, clockOffsetMs: 0 }, 5, {
    crypto: nodeCrypto,
    random: systemRandom,
    now: () => Date.now(),
  });
  server = createServer((socket) => {
    const connection = meter.connect();
    socket.on("data", (octets) => {
      for (const apdu of connection.receive(new Uint8Array(octets)).send) socket.write(apdu);
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  folder = await mkdtemp(join(tmpdir(), "tables-"));
  const keys = join(folder, "keys.json");
  await writeFile(keys, JSON.stringify(KEYS));
  const { port } = server.address() as AddressInfo;
  base = ["--host", "127.0.0.1", "--port", String(port), "--title", TITLE, "--keys", keys];
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

interface Shown {
  readonly table: string;
  readonly octets?: string;
  readonly content?: Readonly<Record<string, unknown>>;
  readonly refused?: string;
}
async function run(...args: readonly string[]) {
  const printed: string[] = [];
  const said: string[] = [];
  const code = await command(args, { out: (text) => void printed.push(text), err: (text) => void said.push(text) });
  const tables = printed.join("").trimEnd().split("\n");
  const err = said.join("");
  return { code, err, tables: code === 0 ? tables.map((line) => JSON.parse(line) as Shown) : [] };
}

describe("tables", () => {
  it("shows what table 0 lists: octets always, content where the layout is known", async () => {
    const { code, err, tables } = await run(...base, "--counter", "1000");
    expect([code, err]).toEqual([0, ""]);
    const of = (name: string): Shown | undefined => tables.find(({ table }) => table === name);
    expect(of("ST0")?.content).toMatchObject({ STD_VERSION_NO: 2 });
    expect(of("ST1")?.content).toMatchObject({ MFG_SERIAL_NUMBER: "HRS26000004     " });
    expect(of("ST23")?.content).toHaveProperty("TOT_DATA_BLOCK.SUMMATIONS");
    expect(of("MT5")).toMatchObject({ octets: "0101", content: { SWITCH_STATE: 1, CONTACT_CLOSED: 1 } });
    expect(of("ST7")?.refused).toMatch(/^c1222\./);
    expect(new Set(tables.map(({ table }) => table)).size).toBe(tables.length);
    expect(tables.length).toBeGreaterThan(15);
  });

  it("leaves octets what one source alone tells, unless the profile vouches for it", async () => {
    const profile = PROFILES.get("generic-us");
    if (profile?.protocol !== "c1222") throw new Error("the catalogue has generic-us");
    const { c1222 } = profile;
    const wary = { ...profile, c1222: { ...c1222, singleSourceTables: { tables: [], evidence: "unverified" } } };
    const file = join(folder, "profile.json");
    await writeFile(file, JSON.stringify(wary));
    const known = await run(...base, "--counter", "2000", "--table", "76");
    const raw = await run(...base, "--counter", "3000", "--table", "76", "--access", file);
    expect(known.tables[0]).toHaveProperty("content.NBR_VALID_ENTRIES");
    expect(raw.tables[0]).not.toHaveProperty("content");
    expect(raw.tables[0]?.octets).toBe(known.tables[0]?.octets);
  });

  it("tells wrong usage from a meter that refuses", async () => {
    expect(await run(...base)).toMatchObject({ code: 2, err: expect.stringContaining("expected --counter") });
    expect(await run("--host", "127.0.0.1")).toMatchObject({ code: 2 });
    expect(await run(...base, "--counter", "4000", "--profile", "generic-eu")).toMatchObject({ code: 2 });
    const other = join(folder, "other.json");
    await writeFile(other, JSON.stringify({ unicast: "ab".repeat(16) }));
    const refused = await run(...base, "--keys", other, "--counter", "5000");
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("c1222.") });
    expect(refused.err).not.toContain("abab");
  });
});
