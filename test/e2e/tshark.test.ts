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
  readonly routes: readonly {
    readonly kind: string;
    readonly host: string;
    readonly port: number;
    readonly transport: string;
  }[];
}
interface Readings {
  readonly registers: readonly { readonly measurement: string; readonly value: string }[];
}

describe("what tshark sees on the loopback while the town is read", () => {
  let headend: Deployment;
  let capture: ChildProcess | undefined;
  let folder: string;
  let meters: readonly MeterView[];
  /** Address of a meter or relay → hex of all that was said with it, and connections opened to it. */
  const said = new Map<string, { payload: string; connections: number }>();
  const registers = new Map<string, readonly bigint[]>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "headrace-capture-"));
    headend = await Deployment.start(["--meters", String(METERS)]);
    meters = (await headend.call<{ meters: MeterView[] }>("operator", "GET", "/meters?limit=500")).body.meters;
    const ports = [...new Set(meters.flatMap(({ routes }) => routes.map(({ port }) => port)))];
    const file = join(folder, "town.pcapng");
    const filter = ports.map((port) => `port ${port}`).join(" or ");
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
        "-e",
        "udp.payload",
      ],
      { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
    );
    expect(listed.status, listed.stderr).toBe(0);
    const hosts = new Set(meters.flatMap(({ routes }) => routes.map(({ host }) => host)));
    for (const line of listed.stdout.split("\n")) {
      const [source = "", destination = "", syn = "", ack = "", stream = "", datagram = ""] = line.split("\t");
      const host = hosts.has(destination) ? destination : source;
      const entry = said.get(host) ?? { payload: "", connections: 0 };
      const isSet = (flag: string) => flag === "1" || flag === "True";
      if (host === destination && isSet(syn) && !isSet(ack)) entry.connections++;
      entry.payload += `${stream}${datagram}`.replaceAll(":", "");
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
    return profile?.protocol === "dlms"
      ? profile.dlms.access.ciphering !== "none"
      : profile?.c1222.access.security === "ciphered";
  };
  const hostOf = ({ routes }: MeterView): string => routes[0]?.host ?? "";
  const isDlms = ({ profile: { name } }: MeterView): boolean => PROFILES.get(name)?.protocol === "dlms";
  /** A register as it stands in a meter's answer: big-endian in A-XDR, little-endian in the tables of this town. */
  const octetsOf = (meter: MeterView, value: bigint): string => {
    const octets = value.toString(16).padStart(8, "0");
    return isDlms(meter) ? octets : (octets.match(/../g) ?? []).reverse().join("");
  };

  it("a TCP connection or datagrams to each meter's own address, or its relay's", () => {
    const byRelay = meters.filter(({ routes }) => routes[0]?.kind === "relay");
    const alone = meters.filter((meter) => !byRelay.includes(meter));
    expect(new Set(alone.map(hostOf)).size).toBe(alone.length);
    expect(new Set(byRelay.map(hostOf)).size).toBe(1);
    for (const meter of meters) {
      const { connections, payload } = said.get(hostOf(meter)) ?? { connections: 0, payload: "" };
      if (meter.routes[0]?.transport === "tcp") expect(connections, meter.meterId).toBeGreaterThanOrEqual(1);
      else expect(payload.length, meter.meterId).toBeGreaterThan(0);
    }
  });

  it("no readable OBIS code, table or value of a ciphered meter; those of open meters are there to see", () => {
    const ciphered = meters.filter(isCiphered);
    expect(ciphered.length).toBeGreaterThan(METERS / 2);
    for (const meter of ciphered) {
      const { payload } = said.get(hostOf(meter)) ?? { payload: "" };
      expect(payload.length).toBeGreaterThan(500);
      for (const name of LOGICAL_NAMES) expect(payload.includes(name), `${name} of ${meter.meterId}`).toBe(false);
      const values = registers.get(meter.meterId) ?? [];
      expect(values.length).toBeGreaterThan(0);
      for (const value of values)
        expect(payload.includes(octetsOf(meter, value)), `a value of ${meter.meterId}`).toBe(false);
    }
    const open = meters.filter((meter) => !isCiphered(meter));
    expect(new Set(open.map(isDlms)).size, "the town has open meters of both protocols").toBe(2);
    for (const meter of open) {
      const { payload } = said.get(hostOf(meter)) ?? { payload: "" };
      if (isDlms(meter)) expect(payload).toContain(LOGICAL_NAMES[0]);
      const [value = 0n] = registers.get(meter.meterId) ?? [];
      expect(payload, meter.meterId).toContain(octetsOf(meter, value));
    }
  });
});
