import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import type { DlmsProfile } from "../../shared/metering/profile.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { dlmsPopulation } from "../../shared/simulator/population.ts";
import { fieldDial } from "./field-dial.ts";

const CLIENT = "4844520000000001";
const SEED = 6;
const NOW = Date.parse("2026-06-10T09:07:13Z");
const HOUR_MS = 3_600_000;
const clock = { now: () => Date.now(), sleep: async () => undefined };
type Access = DlmsProfile["dlms"]["access"];

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Meters on one line, each under a physical address of its own. */
function lineOf(count: number, part: Partial<Access>): readonly SimulatedMeter[] {
  const plans = dlmsPopulation(nodeCrypto, { meters: count, seed: SEED, faults: {}, clientSystemTitle: CLIENT });
  return plans.map((plan, index) => {
    const { dlms, ...profile } = plan.profile;
    const hdlc = {
      addressOctets: 4,
      informationMax: 128,
      window: 1,
      ...part.hdlc,
      physicalDevice: 17 + index,
    } as const;
    const access: Access = { ...dlms.access, framing: "hdlc", ...part, hdlc };
    const ports = { crypto: nodeCrypto, random: seeded(index), now: () => NOW };
    return new SimulatedMeter({ ...plan, profile: { ...profile, dlms: { ...dlms, access } } }, SEED, ports);
  });
}

/** A TCP gateway that passes octets on to a line, and what the line says back, in pieces of `cut` octets. */
async function gateway(line: readonly SimulatedMeter[], cut: number): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    const connections = line.map((meter) => meter.connect());
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      for (const connection of connections)
        for (const frame of connection.receive(new Uint8Array(chunk)).send)
          for (let at = 0; at < frame.length; at += cut) socket.write(frame.subarray(at, at + cut));
    });
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function read(meter: SimulatedMeter, port: number, counters: { next: () => number }) {
  const route = { kind: "dial", host: "127.0.0.1", port, transport: "tcp" } as const;
  const link = await fieldDial(clock)(route, Date.now() + 2_000);
  try {
    const session = await dlmsDriver.open({
      link,
      clock,
      random: seeded("client"),
      crypto: nodeCrypto,
      profile: meter.plan.profile,
      systemTitle: meter.plan.systemTitle,
      clientSystemTitle: CLIENT,
      keys: meter.plan.enrolled,
      counters,
      responseTimeoutMs: 5_000,
    });
    const range = { from: NOW - (NOW % HOUR_MS) - 6 * HOUR_MS, to: NOW - (NOW % HOUR_MS) };
    const result = await session.perform({ kind: "readIntervals", range, registers: "total" });
    await session.release();
    return { result, truth: meter.truth(range.from, range.to) };
  } finally {
    await link.close();
  }
}

it.each<[string, Partial<Access>, number]>([
  ["whole frames, one at a time", {}, 2_000],
  ["pieces of three octets", {}, 3],
  [
    "windows of three long frames",
    { hdlc: { physicalDevice: 0, addressOctets: 4, informationMax: 512, window: 3 } },
    100,
  ],
  [
    "addresses of two octets, by short names",
    { hdlc: { physicalDevice: 0, addressOctets: 2, informationMax: 64, window: 1 }, referencing: "short-name" },
    50,
  ],
])("reads two meters behind one TCP gateway: %s", async (_, part, cut) => {
  const line = lineOf(2, part);
  const port = await gateway(line, cut);
  let counter = 1;
  for (const meter of [...line, ...line]) {
    const { result, truth } = await read(meter, port, { next: () => counter++ });
    expect(result.refusals).toEqual([]);
    expect(result.intervals[0]?.entries.map(({ end, values }) => [end, values[0]])).toEqual(
      truth.intervals.map(({ end, values }) => [end, BigInt(values[0] ?? 0)]),
    );
    expect(result.intervals[0]?.entries).toHaveLength(24);
  }
});
