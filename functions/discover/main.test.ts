import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DeviceProfile } from "../../shared/metering/profile.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { type DlmsMeterPlan, dlmsPopulation } from "../../shared/simulator/population.ts";
import { systemRandom } from "../adapters/system-random.ts";
import { command } from "./main.ts";

const CLIENT_TITLE = "4844520000000001";
const plans = dlmsPopulation(nodeCrypto, { meters: 10, seed: 3, faults: {}, clientSystemTitle: CLIENT_TITLE });
const planOf = (profile: string): DlmsMeterPlan => {
  const plan = plans.find((each) => each.profile.name === profile);
  if (plan === undefined) throw new Error(`the mix has no ${profile}`);
  return plan;
};

interface Printed {
  readonly objects: readonly { readonly class: string; readonly logicalName: string }[];
  readonly untold: readonly object[];
  readonly profiles: readonly DeviceProfile[];
}
async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  const code = await command(args, io);
  return { code, out, err };
}

const servers: Server[] = [];
/** A simulated meter on a port of its own. */
async function served(plan: DlmsMeterPlan): Promise<number> {
  const meter = new SimulatedMeter(plan, 3, { crypto: nodeCrypto, random: systemRandom, now: () => Date.now() });
  const server = createServer((socket) => {
    const connection = meter.connect();
    socket.on("data", (octets) => {
      for (const frame of connection.receive(new Uint8Array(octets)).send) socket.write(frame);
    });
    socket.on("error", () => undefined);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "discover-"));
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});

describe("discover", () => {
  test("drafts the profile of a meter in a secured session, with registers and load profile as its model has them", async () => {
    const plan = planOf("generic-eu");
    const keys = join(folder, "keys.json");
    await writeFile(keys, JSON.stringify(plan.enrolled));
    const port = await served(plan);
    const { code, out, err } = await run(
      ...["--host", "127.0.0.1", "--port", String(port), "--profile", "generic-eu", "--keys", keys],
      ...["--title", plan.systemTitle, "--counter", "1000", "--name", "found", "--json"],
    );
    expect(err).toBe("");
    expect(code).toBe(0);
    const { objects, profiles } = JSON.parse(out) as Printed;
    expect(objects).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ classId: 15, class: "Association LN", logicalName: "0.0.40.0.0.255" }),
        expect.objectContaining({ classId: 7, class: "Profile generic", logicalName: "1.0.99.1.0.255" }),
      ]),
    );
    const drafted = DeviceProfile.parse(profiles[0]);
    if (drafted.protocol !== "dlms") throw new Error("expected a DLMS profile");
    const { dlms } = plan.profile;
    const registersOf = (each: typeof dlms) =>
      each.registers.map(({ measurement, classId, obis }) => `${measurement} ${classId} ${obis}`);
    expect(drafted.dlms).toMatchObject({ clock: dlms.clock, access: dlms.access });
    expect(drafted.dlms.loadProfiles).toEqual(dlms.loadProfiles);
    // Not all: that a voltage is the load side's is told by no object. And one more: what the limiter watches.
    expect([...registersOf(dlms), "power.active.import.total 3 1.0.1.7.0.255"]).toEqual(
      expect.arrayContaining(registersOf(drafted.dlms)),
    );
    expect(registersOf(drafted.dlms)).toEqual(
      expect.arrayContaining([
        "energy.active.import.total 3 1.0.1.8.0.255",
        "energy.active.export.total 3 1.0.2.8.0.255",
        "demand.active.import.max 4 1.0.1.6.0.255",
      ]),
    );
    expect(drafted.dlms.switch?.control).toBe(dlms.switch?.control);
    expect(drafted.dlms.events?.map(({ obis }) => obis)).toEqual(dlms.events?.map(({ obis }) => obis));
    for (const secret of Object.values(plan.enrolled)) expect((out + err).toLowerCase()).not.toContain(secret);
  });

  test("prints objects, what it could not tell and the profile to people", async () => {
    const port = await served(planOf("generic-eu-public"));
    const { code, out } = await run("--host", "127.0.0.1", "--port", String(port));
    expect(code).toBe(0);
    expect(out).toMatch(/^Objects: \d+\n/);
    expect(out).toMatch(/3 Register +v0 {2}1\.0\.1\.8\.0\.255 +reads 1,2,3/);
    expect(out).toContain("Not told or assumed: ");
    expect(out).toContain('"name": "draft"');
  });

  test("asks for one class alone, and says by its exit that no profile came of it", async () => {
    const port = await served(planOf("generic-eu-public"));
    const { code, out } = await run("--host", "127.0.0.1", "--port", String(port), "--class", "8", "--json");
    expect(code).toBe(3);
    const { objects, profiles } = JSON.parse(out) as Printed;
    expect(objects.map((each) => each.class)).toEqual(["Clock"]);
    expect(profiles).toEqual([]);
  });

  test("tells a meter that is not there, or that refuses, from wrong usage", async () => {
    const gone = await served(planOf("generic-eu-public"));
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const unreachable = await run("--host", "127.0.0.1", "--port", String(gone));
    expect(unreachable).toMatchObject({ code: 1, out: "", err: expect.stringContaining("link.unreachable") });
    const port = String(await served(planOf("generic-eu-public")));
    const refused = await run("--host", "127.0.0.1", "--port", port, "--client-sap", "99");
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(await run("--host", "127.0.0.1", "--profile", "generic-eu")).toMatchObject({
      code: 2,
      err: expect.stringContaining("expected --counter"),
    });
    expect((await run()).code).toBe(2);
    expect((await run("--host", "a", "--port", "0")).code).toBe(2);
    expect((await run("--host", "a", "--profile", "nothing")).code).toBe(2);
    expect((await run("--nonsense")).code).toBe(2);
  });

  test("is a command of its own", async () => {
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const printed = await new Promise((resolve) =>
      execFile(process.execPath, [main, "--help"], (_, out) => resolve(out)),
    );
    expect(printed).toContain("--client-sap");
  });

  test("never shows what a file of keys holds, not even when it is wrong", async () => {
    const keys = join(folder, "wrong.json");
    await writeFile(keys, JSON.stringify({ unicast: "00112233" }));
    const { code, err } = await run("--host", "127.0.0.1", "--keys", keys);
    expect(code).toBe(2);
    expect(err).toContain("unicast");
    expect(err).not.toContain("00112233");
  });
});
