import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { serveDatagrams } from "../../infra/local/meter-datagrams.ts";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import type { Driver } from "../../shared/metering/driver.ts";
import type { DialRoute } from "../../shared/metering/route.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { simulatedMeter } from "../../shared/simulator/any-meter.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { isDlms, population, type SimulatedMeterPlan } from "../../shared/simulator/population.ts";
import { fieldDial } from "./field-dial.ts";
import { udpDial } from "./udp-dial.ts";

const clock = { now: () => Date.now(), sleep: async () => undefined };
const dial = udpDial(clock);
const soon = (ms = 2_000) => Date.now() + ms;
const sockets: Socket[] = [];
const keep = (socket: Socket): Socket => {
  sockets.push(socket);
  return socket;
};
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** A peer that answers each datagram with those that `answers` makes of it. */
async function peer(answers: (datagram: Uint8Array) => readonly Uint8Array[], host = "127.0.0.1"): Promise<DialRoute> {
  const socket = keep(createSocket(host.includes(":") ? "udp6" : "udp4"));
  socket.on("message", (datagram, { address, port }) => {
    for (const answer of answers(new Uint8Array(datagram))) socket.send(answer, port, address);
  });
  socket.bind(0, host);
  await once(socket, "listening");
  return { kind: "dial", host, port: socket.address().port, transport: "udp" };
}

describe("a UDP link", () => {
  it.each(["127.0.0.1", "::1"])("carries datagrams both ways over %s, each by itself", async (host) => {
    const link = await dial(await peer((datagram) => [datagram, Uint8Array.of(9)], host), soon());
    expect(link.kind).toBe("datagram");
    await link.send(Uint8Array.of(1, 2, 3));
    expect([...(await link.receive(soon()))]).toEqual([1, 2, 3]);
    expect([...(await link.receive(soon()))]).toEqual([9]);
    await link.close();
    await link.close();
    await expect(link.send(Uint8Array.of(1))).rejects.toMatchObject({ code: "link.closed" });
  });

  it("finds its peer by name", async () => {
    const route = await peer((datagram) => [datagram]);
    const link = await dial({ ...route, host: "localhost" }, soon()).catch(() => dial(route, soon()));
    await link.close();
    await expect(dial({ ...route, host: "no-such-meter.invalid" }, soon())).rejects.toMatchObject({
      code: "link.unreachable",
    });
  });

  it("times out at the deadline, and is closed when the network says that nobody listens", async () => {
    const route = await peer(() => []);
    const link = await dial(route, soon());
    await link.send(Uint8Array.of(1));
    const begun = Date.now();
    await expect(link.receive(soon(40))).rejects.toMatchObject({ code: "link.timeout", retry: "later" });
    expect(Date.now() - begun).toBeLessThan(1_000);
    sockets.splice(0)[0]?.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await link.send(Uint8Array.of(2));
    await expect(link.receive(soon())).rejects.toMatchObject({ code: "link.closed", detail: { code: "ECONNREFUSED" } });
    await link.close();
  });

  it("hears nobody but its peer", async () => {
    const link = await dial(await peer((datagram) => [datagram]), soon());
    await link.send(Uint8Array.of(5));
    const port = await new Promise<number>((resolve) => {
      const stranger = keep(createSocket("udp4"));
      stranger.bind(0, "127.0.0.1", () => resolve(stranger.address().port));
    });
    expect(port).toBeGreaterThan(0);
    expect([...(await link.receive(soon()))]).toEqual([5]);
    await link.close();
  });
});

const CLIENT = "4844520000000001";
const SEED = 4;
const NOW = Date.now();
const HOUR_MS = 3_600_000;
const plans = population(nodeCrypto, { meters: 40, seed: SEED, faults: {}, clientSystemTitle: CLIENT });
const planOf = (profile: string): SimulatedMeterPlan => {
  const plan = plans.find((each) => each.profile.name === profile);
  if (plan === undefined) throw new Error(`the mix has no ${profile}`);
  return plan;
};
const DRIVERS: Readonly<Record<string, Driver>> = { dlms: dlmsDriver, c1222: c1222Driver };

/** Reads a meter over a real socket; `loses` says which datagrams the network drops, counted from 1, either way. */
async function read(
  profile: string,
  host: string,
  loses: (count: number) => boolean = () => false,
  responseMs = 1_500,
) {
  const plan = planOf(profile);
  const ports = { crypto: nodeCrypto, random: seeded("meter"), now: () => Date.now() };
  const meter = simulatedMeter(plan, SEED, ports);
  if (!(meter instanceof SimulatedMeter || meter instanceof C1222Meter)) throw new Error("no such meter");
  let count = 0;
  const lossy = {
    datagram: (octets: Uint8Array, from: string) => {
      if (loses(++count)) return [];
      return meter.datagram(octets, from).filter(() => !loses(++count));
    },
  };
  const socket = keep(await serveDatagrams(lossy, { host, port: 0 }));
  const route: DialRoute = { kind: "dial", host, port: socket.address().port, transport: "udp" };
  const link = await fieldDial(clock)(route, soon());
  let counter = 1;
  let sent = 0;
  try {
    const session = await (DRIVERS[plan.profile.protocol] as Driver).open({
      link,
      clock,
      random: seeded("client"),
      crypto: nodeCrypto,
      profile: plan.profile,
      systemTitle: isDlms(plan) ? plan.systemTitle : plan.apTitle,
      clientSystemTitle: CLIENT,
      keys: plan.enrolled,
      counters: { next: () => counter++ },
      responseTimeoutMs: responseMs,
      onFrame: (direction) => {
        if (direction === "sent") sent++;
      },
    });
    const ping = await session.perform({ kind: "ping", depth: "meter" });
    const range = { from: NOW - (NOW % HOUR_MS) - 4 * HOUR_MS, to: NOW - (NOW % HOUR_MS) };
    const result = await session.perform({ kind: "readIntervals", range, registers: "total" });
    await session.release();
    return { ping, result, sent, meter };
  } finally {
    await link.close();
  }
}

describe("meters over UDP", () => {
  it.each([
    ["generic-eu", "127.0.0.1"],
    ["generic-eu", "::1"],
    ["generic-eu-general", "127.0.0.1"],
    ["generic-eu-lls", "127.0.0.1"],
    ["generic-us", "127.0.0.1"],
    ["generic-us", "::1"],
  ])("are read like those over TCP: %s at %s", async (profile, host) => {
    const { ping, result } = await read(profile, host);
    expect(ping.evidence).toContain("meter-answer");
    expect(ping.evidence).not.toContain("tcp-accept");
    expect(result.intervals[0]?.entries).toHaveLength(16);
    expect(result.registers.length).toBeGreaterThan(0);
  });

  it("answer a request that was lost when it comes again, and read to the end", async () => {
    const calm = await read("generic-eu-lls", "127.0.0.1");
    const { result, sent } = await read("generic-eu-lls", "127.0.0.1", (count) => count === 5 || count === 8, 450);
    expect(result.intervals).toEqual(calm.result.intervals);
    expect(sent).toBe(calm.sent + 2);
  });

  it("do not answer twice under one counter: the lost answer is told as such, to be tried later", async () => {
    const lost = read("generic-eu", "127.0.0.1", (count) => count === 6, 450);
    await expect(lost).rejects.toMatchObject({ reason: "timeout", code: "dlms.answer-lost", retry: "later" });
  });
});
