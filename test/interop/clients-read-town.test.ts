import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../infra/local/clock.ts";
import type { DlmsTownMeter } from "../../infra/local/town-listing.ts";
import { startTown, type TownProcess } from "../../infra/local/town-process.ts";
import { formatClockSetting, scaledClock } from "../../shared/ports/scaled-clock.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** Clients that others wrote read the simulated meters: suite 0, a secret, and no security. */

const CLIENT_TITLE = "4844520000000001";
const DAY_MS = 86_400_000;
/** Of the first read, which is of the everyday meter. */
const FIRST_COUNTER = 1_001;
const AMR_DAYLIGHT_SAVING = 0x08;
const REGISTERS = {
  "1.0.1.8.0.255": "energy.active.import.total",
  "1.0.2.8.0.255": "energy.active.export.total",
  "1.0.32.7.0.255": "voltage.l1.line",
} as const;
const PROFILE_COLUMNS = ["0.0.1.0.0.255", "0.0.96.10.1.255", "1.0.1.8.0.255", "1.0.2.8.0.255"];

interface Read {
  readonly registers: Readonly<Record<string, { readonly value: number; readonly scaler: number }>>;
  readonly clock: number;
  readonly columns: readonly string[];
  /** End, status, import and export. */
  readonly entries: readonly (readonly [number, number, number, number])[];
  readonly firstEntries?: readonly (readonly [number, number, number, number])[];
  /** Class and logical name. */
  readonly objects: readonly (readonly [number, string])[];
}

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

function read(client: string, meter: DlmsTownMeter, counter: number, from: number, to: number): Promise<Read> {
  if (environment.kind === "absent") throw new Error(environment.reason);
  const { python } = environment;
  return new Promise((resolve, reject) => {
    const child = spawn(python, [join(import.meta.dirname, client)], { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(stdout) as Read);
      else reject(new Error(`${client} ended with ${code}: ${stderr.trim().split("\n").at(-1)}`));
    });
    const registers = Object.keys(REGISTERS);
    child.stdin.end(JSON.stringify({ meter, counter, registers, profile: "1.0.99.1.0.255", from, to }));
  });
}

const CLIENTS = ["gurux_client.py", "dlms_cosem_client.py"] as const;
const PROFILES = ["generic-eu", "generic-eu-general", "generic-eu-lls", "generic-eu-public"] as const;

/** When the meters are read: now, and on the day on which summer time ended. */
const TIMES = [
  { name: "today", start: undefined, profiles: PROFILES },
  { name: "over the end of summer time", start: Date.UTC(2026, 9, 25, 9), profiles: PROFILES.slice(0, 1) },
];

describe.skipIf(environment.kind === "absent").each(TIMES)("the town, read $name", ({ start, profiles }) => {
  const setting = start === undefined ? undefined : { start, factor: 1, anchor: Date.now() };
  const clock = setting === undefined ? systemClock : scaledClock(systemClock, setting);
  let town: TownProcess;
  let counter = FIRST_COUNTER - 1_000;
  beforeAll(async () => {
    town = await startTown({
      meters: 10,
      seed: 11,
      faults: {},
      protocols: { dlms: 1, c1222: 0 },
      clientSystemTitle: CLIENT_TITLE,
      ...(setting && { clock: formatClockSetting(setting) }),
    });
  });
  afterAll(async () => {
    await town.stop();
  });

  const meterOf = (profile: string): DlmsTownMeter => {
    const found = town.meters.filter((meter) => meter.protocol === "dlms").find((meter) => meter.profile === profile);
    if (found === undefined) throw new Error(`no meter of ${profile}`);
    return found;
  };

  it.each(CLIENTS.flatMap((client) => profiles.map((profile) => ({ client, profile }))))(
    "$client reads what a $profile holds",
    async ({ client, profile }) => {
      const meter = meterOf(profile);
      const to = Math.floor((clock.now() - 10_000) / 900_000) * 900_000;
      const from = to - DAY_MS + 900_000; // a peer's range has both ends in it
      counter += 1_000;
      const result = await read(client, meter, counter, from, to);
      const truth = await town.truth(meter.meterId, { from: from - 1, to });
      if (truth === undefined) throw new Error("no truth");

      const held = truth.intervals.map(({ end, values: [importWh, exportWh] }) => [
        end,
        Number(importWh),
        Number(exportWh),
      ]);
      expect(held).toHaveLength(96);
      expect(result.entries.map(([end, , ...values]) => [end, ...values])).toEqual(held);
      expect(result.entries.map(([, status]) => (status & AMR_DAYLIGHT_SAVING) !== 0)).toEqual(
        truth.intervals.map(({ status }) => (status & 0x10) !== 0),
      );
      expect(result.columns).toEqual(PROFILE_COLUMNS);
      if (result.firstEntries !== undefined) expect(result.firstEntries).toHaveLength(3);

      for (const [name, measurement] of Object.entries(REGISTERS)) {
        const served = truth.registers.findLast((register) => register.measurement === measurement);
        expect(result.registers[name]?.value).toBe(Number(served?.value));
        expect(result.registers[name]?.scaler).toBeCloseTo(10 ** (served?.scaler ?? 0), 9);
      }
      expect(Math.abs(result.clock - clock.now())).toBeLessThan(60_000);
      expect(result.objects).toContainEqual([7, "1.0.99.1.0.255"]);
      expect(result.objects).toContainEqual([15, "0.0.40.0.0.255"]);
    },
  );

  it.each(CLIENTS)("%s is refused with a counter that was used before, and the meter knows it", async (client) => {
    const meter = meterOf("generic-eu");
    const before = await town.witness();
    await expect(read(client, meter, FIRST_COUNTER, 0, DAY_MS)).rejects.toThrow(client);
    const after = await town.witness();
    expect({ ...after, violations: [] }).toEqual({ ...before, sessions: before.sessions + 1, violations: [] });
    expect(after.violations).toContainEqual({ meterId: meter.meterId, counter: FIRST_COUNTER });
  });

  it.each(CLIENTS)("%s is refused with another key", async (client) => {
    const meter = meterOf("generic-eu");
    const before = await town.witness();
    counter += 1_000;
    const keys = { ...meter.keys, unicast: "00".repeat(16) };
    await expect(read(client, { ...meter, keys }, counter, 0, DAY_MS)).rejects.toThrow(client);
    expect(await town.witness()).toEqual({ ...before, sessions: before.sessions + 1 });
  });
});
