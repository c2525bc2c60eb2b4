import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { tcpDial } from "../../functions/bridge/tcp-dial.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import type { MeterSession, SessionContext } from "../../shared/metering/driver.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { type GuruxMeter, startGuruxMeter } from "./gurux-meter.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** Our client reads a meter whose octets, keys and proofs are made by a package that others wrote. */

const TITLE = "4852530001000001";
const KEY = "000102030405060708090a0b0c0d0e0f";
const AUTH_KEY = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf";
const STEP = 900;
const ENTRIES = 96;
const LAST = Math.floor(Date.now() / 1000 / STEP) * STEP;
const REGISTERS = [4_294_967_295, 678] as const;

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const meters: GuruxMeter[] = [];
afterAll(() => {
  for (const meter of meters) meter.stop();
});

async function opened(
  profileName: string,
  pdu: number,
  part: Partial<SessionContext> = {},
): Promise<{ session: MeterSession }> {
  if (environment.kind === "absent") throw new Error(environment.reason);
  const profile = PROFILES.get(profileName);
  if (profile?.protocol !== "dlms") throw new Error(`no profile ${profileName}`);
  const secured = profile.dlms.access.authentication === "hls-gmac";
  const meter = await startGuruxMeter(environment.python, {
    secured,
    title: TITLE,
    key: KEY,
    authKey: AUTH_KEY,
    pdu,
    last: LAST,
    entries: ENTRIES,
    registers: REGISTERS,
  });
  meters.push(meter);
  const dial = tcpDial(systemClock);
  const link = await dial(
    { kind: "dial", host: "127.0.0.1", port: meter.port, transport: "tcp" },
    systemClock.now() + 5_000,
  );
  let counter = 0;
  const session = await dlmsDriver.open({
    link,
    clock: systemClock,
    random: seeded("interop"),
    crypto: nodeCrypto,
    profile,
    systemTitle: TITLE,
    clientSystemTitle: "4844520000000001",
    keys: { unicast: KEY, authentication: AUTH_KEY },
    counters: { next: () => ++counter },
    responseTimeoutMs: 5_000,
    ...part,
  });
  return { session };
}

describe.skipIf(environment.kind === "absent")("a meter built on gurux-dlms", () => {
  it.each([
    ["without security", "generic-eu-public", 1024],
    ["without security, in blocks of 200 octets", "generic-eu-public", 200],
    ["by HLS-GMAC in suite 0, service-specific ciphering", "generic-eu", 1024],
    ["by HLS-GMAC in suite 0, in blocks of 200 octets", "generic-eu", 200],
    ["by HLS-GMAC in suite 0, general ciphering", "generic-eu-general", 512],
  ])("is read %s", async (_, profile, pdu) => {
    let longest = 0;
    const { session } = await opened(profile, pdu, {
      onFrame: (direction, octets) => {
        if (direction === "received") longest = Math.max(longest, octets.length - 8);
      },
    });
    const range = { from: (LAST - ENTRIES * STEP) * 1000, to: LAST * 1000 };
    const read = await session.perform({ kind: "readIntervals", range, registers: "total" });
    expect(read.refusals).toEqual([]);
    expect(read.intervals).toHaveLength(1);
    expect(read.intervals[0]?.entries).toEqual(
      Array.from({ length: ENTRIES }, (_, index) => ({
        end: (LAST - (ENTRIES - 1 - index) * STEP) * 1000,
        values: [BigInt(1000 + index * 10), BigInt(50 + index)],
        status: 0,
      })),
    );
    expect(read.registers).toEqual([
      { measurement: "energy.active.import.total", value: 4_294_967_295n, scaler: 1 },
      { measurement: "energy.active.export.total", value: 678n, scaler: 1 },
    ]);
    expect(Math.abs(read.clockOffsetMs ?? Number.NaN)).toBeLessThan(5_000);

    const part = {
      kind: "readIntervals",
      range: { from: (LAST - 4 * STEP) * 1000, to: (LAST - STEP) * 1000 },
    } as const;
    const some = await session.perform(part);
    expect(some.intervals[0]?.entries.map(({ end }) => end / 1000)).toEqual([
      LAST - 3 * STEP,
      LAST - 2 * STEP,
      LAST - STEP,
    ]);

    const all = await session.perform({ kind: "readRegisters" });
    expect(all.registers.find(({ measurement }) => measurement === "demand.active.import.max")).toEqual({
      measurement: "demand.active.import.max",
      value: 4711n,
      scaler: 0,
      at: LAST * 1000,
    });
    // The package's meter has no voltages.
    expect(all.refusals).toEqual(
      ["voltage.l1.line", "voltage.l1.load"].map((item) => ({ item, code: "dlms.object-undefined" })),
    );
    const ping = await session.perform({ kind: "ping", depth: "meter" });
    expect(ping.evidence).toEqual(["tcp-accept", "module-answer", "meter-answer"]);
    await session.release();
    expect(longest).toBeLessThanOrEqual(pdu);
  });

  it("is refused under another title than the enrolled one, and under other keys", async () => {
    await expect(opened("generic-eu", 512, { systemTitle: "4852530001000002" })).rejects.toMatchObject({
      code: "dlms.wrong-title",
    });
    await expect(
      opened("generic-eu", 512, { keys: { unicast: "00".repeat(16), authentication: AUTH_KEY } }),
    ).rejects.toMatchObject({ reason: "auth", code: "dlms.association-rejected" });
  });
});
