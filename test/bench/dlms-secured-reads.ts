import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { tcpDial } from "../../functions/bridge/tcp-dial.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { type Benchmark, used } from "./benchmark.ts";
import type { FromMeters, Script, ToMeters } from "./dlms-meter-process.ts";

const CLIENT_TITLE = "4844520000000001";
/** As many meters, each with one session at a time. */
const METERS = 32;
const WARM_UP_MS = 2_000;
const MEASURE_MS = 6_000;
const DAY_MS = 86_400_000;
const MIX =
  "one read = TCP connect, HLS-GMAC association in suite 0, clock and columns, 96 intervals of 2 channels in blocks, 2 registers with scalers, release; every APDU after the AARQ authenticated and encrypted";

type Meter = Extract<FromMeters, { readonly kind: "meters" }>["meters"][number];

async function ask<K extends FromMeters["kind"]>(
  child: ChildProcess,
  message: Extract<ToMeters, { readonly kind: K }>,
): Promise<Extract<FromMeters, { readonly kind: K }>> {
  child.send(message);
  const [answer] = (await once(child, "message")) as [Extract<FromMeters, { readonly kind: K }>];
  return answer;
}

interface Reader {
  readonly meter: Meter;
  counter: number;
}

/** One secured read; answers the octets of its frames, requests and answers in turn. */
async function securedRead(reader: Reader): Promise<Script> {
  const { meter } = reader;
  const turns: [number, number][] = [];
  const now = systemClock.now();
  const to = Math.floor(now / 900_000) * 900_000;
  const link = await tcpDial(systemClock)(
    { kind: "dial", host: "127.0.0.1", port: meter.port, transport: "tcp" },
    now + 5_000,
  );
  const session = await dlmsDriver.open({
    link,
    clock: systemClock,
    random: seeded(reader.counter),
    crypto: nodeCrypto,
    profile: meter.profile,
    systemTitle: meter.systemTitle,
    clientSystemTitle: CLIENT_TITLE,
    keys: meter.enrolled,
    counters: { next: () => ++reader.counter },
    responseTimeoutMs: 10_000,
    onFrame: (direction, { length }) => {
      if (direction === "sent") turns.push([length, 0]);
      else (turns.at(-1) as [number, number])[1] += length;
    },
  });
  const read = await session.perform({ kind: "readIntervals", range: { from: to - DAY_MS, to }, registers: "total" });
  await session.release();
  await link.close();
  const values = read.intervals[0]?.entries.length ?? 0;
  if (values !== 96 || read.registers.length !== 2)
    throw new Error(`expected 96 intervals and 2 registers, got ${values} and ${read.registers.length}`);
  return turns;
}

/** The same numbers of octets in the same turns, with nothing done to them. */
function rawPingPong(port: number, requests: readonly Buffer[], script: Script): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let turn = 0;
    let got = 0;
    socket.once("error", reject);
    socket.once("connect", () => socket.write(requests[0] as Buffer));
    socket.on("data", (octets) => {
      got += octets.length;
      if (got < (script[turn]?.[1] ?? 0)) return;
      got = 0;
      turn++;
      const next = requests[turn];
      if (next !== undefined) socket.write(next);
      else socket.end();
    });
    socket.once("close", () => resolve());
  });
}

/** Keeps `lanes` units of work going until the time is up; answers how many were done. */
async function until(deadline: number, lanes: readonly (() => Promise<unknown>)[]): Promise<number> {
  let done = 0;
  await Promise.all(
    lanes.map(async (work) => {
      while (performance.now() < deadline) {
        await work();
        done++;
      }
    }),
  );
  return done;
}

async function measured(
  lanes: readonly (() => Promise<unknown>)[],
): Promise<{ readonly perCpuSecond: number; readonly perSecond: number }> {
  await until(performance.now() + WARM_UP_MS, lanes);
  let done = 0;
  const { cpuSeconds, seconds } = await used(async () => {
    done = await until(performance.now() + MEASURE_MS, lanes);
  });
  return { perCpuSecond: done / cpuSeconds, perSecond: done / seconds };
}

const round = (value: number): number => Number(value.toPrecision(4));

export const dlmsSecuredReads: Benchmark = {
  name: "dlms-secured-reads",
  about: "secured DLMS reads a second of client CPU, next to raw TCP ping-pong of the same octets",
  run: async (say) => {
    const child = fork(join(import.meta.dirname, "dlms-meter-process.ts"));
    try {
      const { meters } = await ask(child, { kind: "meters", count: METERS, clientSystemTitle: CLIENT_TITLE });
      const readers = meters.map((meter): Reader => ({ meter, counter: 0 }));
      const [first] = readers;
      if (first === undefined) throw new Error("expected meters");
      const script = await securedRead(first);
      const octets = script.reduce((sum, [request, answer]) => sum + request + answer, 0);
      say(`${script.length} requests and ${octets} octets a read; measuring secured reads`);
      const secured = await measured(readers.map((reader) => () => securedRead(reader)));
      say("measuring raw ping-pong");
      const { port } = await ask(child, { kind: "script", script });
      const requests = script.map(([request]) => Buffer.alloc(request, 0xa5));
      const raw = await measured(readers.map(() => () => rawPingPong(port, requests, script)));
      return {
        mix: MIX,
        figures: [
          { name: "secured reads", value: round(secured.perCpuSecond), unit: "reads/CPU s" },
          { name: "raw ping-pong of the same octets", value: round(raw.perCpuSecond), unit: "conversations/CPU s" },
          { name: "secured requests", value: round(secured.perCpuSecond * script.length), unit: "requests/CPU s" },
          { name: "secured reads by the clock", value: round(secured.perSecond), unit: "reads/s" },
          { name: "requests of a read", value: script.length, unit: "requests" },
          { name: "octets of a read", value: octets, unit: "octets" },
        ],
        ratios: { securedToRaw: round(secured.perCpuSecond / raw.perCpuSecond) },
      };
    } finally {
      child.kill();
    }
  },
};
