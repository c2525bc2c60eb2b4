import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { fieldDial } from "../functions/bridge/field-dial.ts";
import { systemClock } from "../infra/local/clock.ts";
import { Town, type TownOptions } from "../infra/local/town.ts";
import { type TownMeter, titleOf } from "../infra/local/town-listing.ts";
import { startTown, type TownProcess } from "../infra/local/town-process.ts";
import { driverRegistry } from "../shared/bridge/driver-registry.ts";
import { relays } from "../shared/bridge/relay-dial.ts";
import { c1222Driver } from "../shared/c1222/driver.ts";
import { dlmsDriver } from "../shared/dlms/driver.ts";
import type { MeterSession } from "../shared/metering/driver.ts";
import { PROFILES } from "../shared/metering/profiles/catalogue.ts";
import type { OperationResult } from "../shared/metering/result.ts";
import { nodeCrypto } from "../shared/ports/node-crypto.ts";
import { seeded } from "../shared/ports/random.ts";
import { formatClockSetting, scaledClock } from "../shared/ports/scaled-clock.ts";

const DRIVERS = driverRegistry([dlmsDriver, c1222Driver]);
const CLIENT = "4844520000000001";
const MAIN = join(import.meta.dirname, "../infra/local/town-main.ts");
const toStop: { stop(): Promise<void> }[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const each of toStop.splice(0)) await each.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function started(options: Partial<Parameters<typeof startTown>[0]> = {}): Promise<TownProcess> {
  const town = await startTown({ meters: 10, seed: 4, faults: {}, clientSystemTitle: CLIENT, ...options });
  toStop.push(town);
  return town;
}
async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "town-"));
  folders.push(made);
  return made;
}

/** One session with a meter, as a headend holds it. */
async function talk<T>(
  meter: TownMeter,
  counterFrom: number,
  conversation: (session: MeterSession) => Promise<T>,
): Promise<T> {
  const profile = PROFILES.get(meter.profile);
  if (profile === undefined) throw new Error(`no profile ${meter.profile}`);
  let counter = counterFrom;
  const dial = fieldDial(systemClock);
  const relayed = relays({ dial, clock: systemClock });
  const { host, port, transport } = meter;
  const link = await (meter.protocol === "c1222" && meter.relay !== undefined
    ? relayed.dial({ kind: "relay", host, port, transport, path: [meter.relay] }, Date.now() + 5_000)
    : dial({ kind: "dial", host, port, transport }, Date.now() + 5_000));
  try {
    const driver = DRIVERS.driver(profile.protocol);
    if (driver === undefined) throw new Error(`no driver for ${profile.protocol}`);
    const session = await driver.open({
      link,
      clock: systemClock,
      random: seeded(`${meter.meterId} ${counterFrom}`),
      crypto: nodeCrypto,
      profile,
      systemTitle: titleOf(meter),
      clientSystemTitle: CLIENT,
      keys: meter.keys,
      counters: { next: () => counter++ },
      responseTimeoutMs: 5_000,
    });
    return await conversation(session);
  } finally {
    await link.close();
    relayed.close();
  }
}
const readDay = (meter: TownMeter, to: number, counterFrom = 1): Promise<OperationResult> =>
  talk(meter, counterFrom, (session) =>
    session.perform({ kind: "readIntervals", range: { from: to - 86_400_000, to }, registers: "total" }),
  );

describe("a town in a process of its own", () => {
  it("is read over its sockets and holds what its truth says", async () => {
    const town = await started({ meters: 20 });
    const c1222 = town.meters.filter((meter) => meter.protocol === "c1222");
    expect(c1222).toHaveLength(10);
    const alone = town.meters.filter((meter) => meter.protocol === "dlms" || meter.relay === undefined);
    expect(alone).toHaveLength(18);
    expect(new Set(alone.map(({ host, port }) => `${host}:${port}`)).size).toBe(18);
    expect(town.meters.filter(({ transport }) => transport === "udp")).toHaveLength(2);
    const to = Math.floor((Date.now() - 10_000) / 900_000) * 900_000;
    const range = { from: to - 86_400_000, to };
    const results = await Promise.all(town.meters.map((meter) => readDay(meter, to)));
    const truths = await town.truths(
      town.meters.map(({ meterId }) => meterId),
      range,
    );
    for (const [index, { intervals, registers }] of results.entries()) {
      expect(intervals[0]?.entries).toEqual(truths[index]?.intervals);
      expect(intervals[0]?.entries).toHaveLength(96);
      expect(registers.map(({ value }) => value)).toEqual(truths[index]?.registers.map(({ value }) => value));
    }
    expect(await town.truth("SIM-999999", range)).toBeUndefined();
    const witness = await town.witness();
    expect(witness).toMatchObject({ sessions: 17, violations: [], lower: [] }); // C12.22 over datagrams has none
    expect(witness.accepted).toBeGreaterThan(16 * 7);
  });

  it("remembers counters and addresses in its data folder", async () => {
    const data = await folder();
    const to = Math.floor((Date.now() - 10_000) / 900_000) * 900_000;
    const first = await started({ data });
    const meter = first.meters.find(({ protocol }) => protocol === "dlms");
    if (meter === undefined) throw new Error("no meter");
    await readDay(meter, to, 500);
    await first.stop();
    await first.ended;
    const second = await started({ data });
    expect(second.meters).toEqual(first.meters);
    await expect(readDay(meter, to, 500)).rejects.toMatchObject({ reason: "auth" });
    expect((await second.witness()).violations).toEqual([{ meterId: meter.meterId, counter: 500 }]);
    await second.stop();
    await expect(started({ data, seed: 5 })).rejects.toMatchObject({ code: "town.other-seed" });
    const kept = await readFile(join(data, "town.json"), "utf8");
    for (const key of first.meters.flatMap(({ keys }) => Object.values(keys))) expect(kept).not.toContain(key);
  });

  it("remembers in its data folder which meters were ordered to reset their demand", async () => {
    const data = await folder();
    const reset = { kind: "resetDemand" } as const;
    const first = await started({ data });
    const meter = first.meters.find(({ protocol }) => protocol === "dlms");
    if (meter === undefined) throw new Error("no meter");
    const baseline = await talk(meter, 500, async ({ effects }) => {
      const found = await effects?.baseline(reset);
      expect(await effects?.operate(reset)).toEqual({ kind: "accepted" });
      return found?.baseline ?? {};
    });
    const resets = [{ meterId: meter.meterId, resets: 1 }];
    expect((await first.witness()).resets).toEqual(resets);
    await first.stop();
    await first.ended;
    const second = await started({ data });
    expect((await second.witness()).resets).toEqual(resets);
    const verdict = await talk(meter, 900, async ({ effects }) => effects?.prove(reset, baseline));
    expect(verdict).toEqual({ kind: "happened" });
  });

  it("shows the time that HEADRACE_CLOCK tells, the same as its parent's", async () => {
    const setting = { start: Date.UTC(2026, 10, 1), factor: 120, anchor: Date.now() };
    const clock = scaledClock(systemClock, setting);
    const town = await started({ meters: 1, clock: formatClockSetting(setting) });
    const [meter] = town.meters;
    if (meter === undefined) throw new Error("no meter");
    const before = clock.now();
    const { intervals, clockOffsetMs } = await readDay(meter, Date.UTC(2026, 9, 31, 12));
    const after = clock.now();
    expect(intervals[0]?.entries).toHaveLength(96);
    const shown = Date.now() + (clockOffsetMs ?? 0); // the session compares with real time
    expect(shown).toBeGreaterThan(before - 5_000);
    expect(shown).toBeLessThan(after + 5_000);
  });

  it("lets closed meters refuse connections and silent ones accept them", async () => {
    const town = await started({ faults: { closed: 0.1, silent: 0.1 } });
    const find = (fault: string) => town.meters.find((meter) => meter.fault === fault);
    const [closed, silent] = [find("closed"), find("silent")];
    if (closed === undefined || silent === undefined) throw new Error("no fault");
    await expect(readDay(closed, 900_000_000)).rejects.toMatchObject({ code: "link.unreachable" });
    const socket = connect(silent.port, silent.host);
    await once(socket, "connect");
    socket.write(Uint8Array.of(0, 1, 0, 16, 0, 1, 0, 0));
    const answered = await Promise.race([
      once(socket, "data").then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 200, false)),
    ]);
    expect(answered).toBe(false);
    socket.destroy();
  });

  it("has a share of its meters call in, where nobody could dial them, and call again when they are cut off", async () => {
    const calls: { readonly first: Buffer; readonly end: () => void }[] = [];
    const gate = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (first) => calls.push({ first, end: () => socket.destroy() }));
    });
    gate.listen(0, "127.0.0.1");
    await once(gate, "listening");
    toStop.push({ stop: async () => void gate.close() });
    const { port } = gate.address() as { port: number };
    const town = await started({ meters: 10, callers: { share: 0.3, gates: { dlms: { host: "127.0.0.1", port } } } });
    const calling = town.meters.filter(({ attached }) => attached === true);
    expect(calling).toHaveLength(3);
    for (const meter of calling) expect(meter).toMatchObject({ protocol: "dlms", authentication: "hls-gmac" });
    await expect(readDay(calling[0]!, 900_000_000)).rejects.toMatchObject({ code: "link.unreachable" });
    await expect.poll(() => calls.length, { timeout: 10_000 }).toBeGreaterThan(1); // every third says nothing
    const known = calls.length;
    for (const { first } of calls)
      expect(calling.map((meter) => first.toString("hex").includes(titleOf(meter)))).toContain(true);
    for (const { end } of calls.splice(0)) end();
    await expect.poll(() => calls.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(known);
  });

  it("says what cannot be had", async () => {
    await expect(started({ faults: { silent: 0.8, slow: 0.8 } })).rejects.toMatchObject({ code: "town.faults" });
  });
});

describe("addresses", () => {
  const options = (port: number): TownOptions => ({
    meters: 2,
    seed: 1,
    faults: {},
    clientSystemTitle: CLIENT,
    clock: systemClock,
    port,
  });

  it("takes another network when the first is taken, and says so when none is free", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    probe.close();
    const towns: Town[] = [];
    for (let number = 0; number < 8; number++) {
      const town = await Town.start(options(port));
      toStop.push(town);
      towns.push(town);
    }
    expect(new Set(towns.map((town) => town.meters[0]?.host)).size).toBe(8);
    await expect(Town.start(options(port))).rejects.toMatchObject({ code: "town.address-in-use" });
    await expect(Town.start(options(port))).rejects.toThrow(/Stop it, or choose another port/);
  });
});

describe("npm run town", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", timeout: 20_000 });

  it("explains itself, and refuses what it does not understand", () => {
    expect(run("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("--faults LIST") as string });
    for (const wrong of [
      ["--meters", "0"],
      ["--faults", "loud=1"],
      ["--nope"],
      ["--client-title", "12"],
      ["--attached", "0.5"],
      ["--protocols", "dlms=0.5,c1222=0.2"],
    ]) {
      const { status, stderr, stdout } = run(...wrong);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(/^town: /);
      expect(stderr).not.toMatch(/^\s+at /m);
    }
    const clock = spawnSync(process.execPath, [MAIN], {
      encoding: "utf8",
      env: { ...process.env, HEADRACE_CLOCK: "noon" },
    });
    expect(clock).toMatchObject({ status: 2, stderr: expect.stringContaining("HEADRACE_CLOCK") as string });
  });

  it("prints a line for each meter, lives until it is interrupted, and lists the same without sockets", async () => {
    const args = ["--meters", "10", "--seed", "9", "--json", "--client-title", CLIENT];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const lines: TownMeter[] = [];
    for await (const text of createInterface(child.stdout)) {
      lines.push(JSON.parse(text) as TownMeter);
      if (lines.length === 10) break;
    }
    const [meter] = lines;
    if (meter === undefined) throw new Error("no meter");
    const to = Math.floor((Date.now() - 10_000) / 900_000) * 900_000;
    expect((await readDay(meter, to)).intervals[0]?.entries).toHaveLength(96);
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
    const listed = run(...args, "--list")
      .stdout.trim()
      .split("\n");
    const without = ({ host: _, ...rest }: TownMeter) => rest;
    expect(listed.map((text) => without(JSON.parse(text) as TownMeter))).toEqual(lines.map(without));
  });
});
