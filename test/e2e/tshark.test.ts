import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { Deployment, until } from "./deployment.ts";

const METERS = 60;
/** Total active energy import, its load profile, the clock: as octets of a logical name. */
const LOGICAL_NAMES = ["0100010800ff", "0100630100ff", "0000010000ff"];

interface MeterView {
  readonly meterId: string;
  readonly profile: { readonly name: string };
  readonly routes: readonly { readonly host: string; readonly port: number }[];
}
interface Readings {
  readonly registers: readonly { readonly measurement: string; readonly value: string }[];
}

describe("what tshark sees on the loopback while the town is read", () => {
  let headend: Deployment;
  let capture: ChildProcess | undefined;
  let folder: string;
  let meters: readonly MeterView[];
  /** Meter address → hex of all that was said over its connections, and connections opened to it. */
  const said = new Map<string, { payload: string; connections: number }>();
  const registers = new Map<string, readonly bigint[]>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "headrace-capture-"));
    headend = await Deployment.start(["--meters", String(METERS)]);
    meters = (await headend.call<{ meters: MeterView[] }>("operator", "GET", "/meters?limit=500")).body.meters;
    const ports = [...new Set(meters.flatMap(({ routes }) => routes.map(({ port }) => port)))];
    const file = join(folder, "town.pcapng");
    const filter = ports.map((port) => `tcp port ${port}`).join(" or ");
    capture = spawn("tshark", ["-i", "lo", "-f", filter, "-w", file, "-q"], { stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    capture.stderr?.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    await until(20_000, `tshark to capture; it says ${told}`, async () =>
      told.includes("Capturing on") ? true : undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const job = await headend.runJob({
      operation: { kind: "readRegisters" },
      target: { kind: "all" },
      retry: { passes: 1 },
    });
    expect(job.progress).toMatchObject({ done: METERS, failed: 0 });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const closed = new Promise((resolve) => capture?.once("exit", resolve));
    capture.kill("SIGINT");
    await closed;
    for (const { meterId } of meters) {
      const { body } = await headend.call<Readings>("operator", "GET", `/meters/${meterId}/readings`);
      registers.set(
        meterId,
        body.registers.map(({ value }) => BigInt(value)).filter((value) => value > 100_000n),
      );
    }
    const listed = spawnSync(
      "tshark",
      [
        "-r",
        file,
        "-T",
        "fields",
        "-e",
        "ip.src",
        "-e",
        "ip.dst",
        "-e",
        "tcp.flags.syn",
        "-e",
        "tcp.flags.ack",
        "-e",
        "tcp.payload",
      ],
      { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
    );
    expect(listed.status, listed.stderr).toBe(0);
    const hosts = new Set(meters.flatMap(({ routes }) => routes.map(({ host }) => host)));
    for (const line of listed.stdout.split("\n")) {
      const [source = "", destination = "", syn = "", ack = "", payload = ""] = line.split("\t");
      const host = hosts.has(destination) ? destination : source;
      const entry = said.get(host) ?? { payload: "", connections: 0 };
      const isSet = (flag: string) => flag === "1" || flag === "True";
      if (host === destination && isSet(syn) && !isSet(ack)) entry.connections++;
      entry.payload += payload.replaceAll(":", "");
      said.set(host, entry);
    }
  }, 300_000);
  afterAll(async () => {
    capture?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
    expect(await headend.stop()).toBe(0);
  });

  const isCiphered = ({ profile: { name } }: MeterView): boolean => {
    const profile = PROFILES.get(name);
    return profile?.protocol !== "dlms" || profile.dlms.access.ciphering !== "none";
  };
  const hostOf = ({ routes }: MeterView): string => routes[0]?.host ?? "";

  it("a TCP connection to each meter's own address", () => {
    expect(new Set(meters.map(hostOf)).size).toBe(METERS);
    for (const meter of meters) expect(said.get(hostOf(meter))?.connections, meter.meterId).toBeGreaterThanOrEqual(1);
  });

  it("no readable OBIS code or value of a ciphered meter; those of an open meter are there to see", () => {
    const ciphered = meters.filter(isCiphered);
    expect(ciphered.length).toBeGreaterThan(METERS / 2);
    for (const meter of ciphered) {
      const { payload } = said.get(hostOf(meter)) ?? { payload: "" };
      expect(payload.length).toBeGreaterThan(500);
      for (const name of LOGICAL_NAMES) expect(payload.includes(name), `${name} of ${meter.meterId}`).toBe(false);
      const values = registers.get(meter.meterId) ?? [];
      expect(values.length).toBeGreaterThan(0);
      for (const value of values)
        expect(payload.includes(value.toString(16).padStart(8, "0")), `a value of ${meter.meterId}`).toBe(false);
    }
    const open = meters.find((meter) => !isCiphered(meter));
    expect(open, "the town has an open meter").toBeDefined();
    if (open === undefined) return;
    const { payload } = said.get(hostOf(open)) ?? { payload: "" };
    expect(payload).toContain(LOGICAL_NAMES[0]);
    const [value] = registers.get(open.meterId) ?? [];
    expect(payload).toContain(value?.toString(16).padStart(8, "0"));
  });
});
