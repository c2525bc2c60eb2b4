import { fork } from "node:child_process";
import { join } from "node:path";
import { pythonEnvironment } from "../interop/python-environment.ts";
import { type Benchmark, used } from "./benchmark.ts";
import type { Script } from "./dlms-meter-process.ts";
import {
  ask,
  bulkRead,
  CLIENT_TITLE,
  keptSession,
  type Meter,
  peerReads,
  type Reader,
  rawKept,
  rawWhole,
  smallScript,
} from "./dlms-read-clients.ts";

/** As many meters, each with one session at a time. */
const METERS = 32;
/**
 * Before anything is counted: so many units of work, so that the engine has compiled what is hot, as in a bridge that runs
 * for weeks; on a machine with much else to do no longer than so.
 */
const WARM_UP = { small: 60_000, bulk: 3_000 } as const;
const WARM_UP_MS_MAX = 30_000;
const PEER_WARM_UP_MS = 2_000;
const MEASURE_MS = 6_000;
/** Counters that one client may use, so that the next begins above. */
const COUNTERS = 50_000_000;
const PEERS = ["gurux-dlms", "dlms-cosem"] as const;
const MIX =
  "suite 0, every APDU after the AARQ authenticated and encrypted, 32 meters at once. small: a GET of one register's value in a session that stays. bulk: TCP connect, HLS-GMAC association, clock and columns, 96 intervals of 2 channels in blocks, 2 registers with scalers, release. raw: the same octets in the same turns";

export interface Rate {
  readonly perCpuSecond: number;
  readonly perSecond: number;
}
const rateOf = (done: number, { cpuSeconds, seconds }: { cpuSeconds: number; seconds: number }): Rate => ({
  perCpuSecond: done / cpuSeconds,
  perSecond: done / seconds,
});

/** Keeps the lanes going until the time is up or so much is done; answers how many units of work were done. */
async function until(
  deadline: number,
  lanes: readonly (() => Promise<unknown>)[],
  enough = Number.POSITIVE_INFINITY,
): Promise<number> {
  let done = 0;
  await Promise.all(
    lanes.map(async (work) => {
      while (performance.now() < deadline && done < enough) {
        await work();
        done++;
      }
    }),
  );
  return done;
}

export async function measured(lanes: readonly (() => Promise<unknown>)[], of: keyof typeof WARM_UP): Promise<Rate> {
  await until(performance.now() + WARM_UP_MS_MAX, lanes, WARM_UP[of]);
  let done = 0;
  const spent = await used(async () => {
    done = await until(performance.now() + MEASURE_MS, lanes);
  });
  return rateOf(done, spent);
}

export const round = (value: number): number => Number(value.toPrecision(4));

interface Ground {
  readonly readers: readonly Reader[];
  readonly meters: readonly Meter[];
  readonly scripted: (script: Script) => Promise<number>;
  readonly python: string | undefined;
  readonly say: (line: string) => void;
}

interface Measured {
  readonly script: Script;
  readonly ours: Rate;
  readonly raw: Rate;
  /** By blocking sockets in Python. */
  readonly blocking: Rate | undefined;
  readonly peers: readonly (readonly [name: string, rate: Rate])[];
}

async function size(kept: boolean, ground: Ground, own: () => Promise<Omit<Measured, "peers" | "blocking">>) {
  const { python, say, meters, readers, scripted } = ground;
  const done = await own();
  const peers: [string, Rate][] = [];
  if (python === undefined) return { ...done, peers, blocking: undefined };
  const common = { kept, meters, warmUpMs: PEER_WARM_UP_MS, measureMs: MEASURE_MS };
  for (const client of PEERS) {
    say(`measuring ${client}`);
    const counter = Math.max(...readers.map((reader) => reader.counter)) + COUNTERS;
    for (const reader of readers) reader.counter = counter + COUNTERS;
    const spent = await peerReads(python, { ...common, client, counter });
    peers.push([client, rateOf(spent.done, spent)]);
  }
  const port = await scripted(done.script);
  const spent = await peerReads(python, { ...common, client: "raw", counter: 0, port, script: done.script });
  return { ...done, peers, blocking: rateOf(spent.done, spent) };
}

async function small(ground: Ground): Promise<Measured> {
  const { readers, scripted, say } = ground;
  return size(true, ground, async () => {
    const script = await smallScript(readers[0] as Reader);
    say("measuring secured reads of one small attribute");
    const sessions = await Promise.all(readers.map(keptSession));
    const ours = await measured(
      sessions.map(({ read }) => read),
      "small",
    );
    await Promise.all(sessions.map(({ close }) => close()));
    say("measuring raw ping-pong of the same octets");
    const port = await scripted(script);
    const raw = await measured(await Promise.all(readers.map(() => rawKept(port, script))), "small");
    return { script, ours, raw };
  });
}

async function bulk(ground: Ground): Promise<Measured> {
  const { readers, scripted, say } = ground;
  return size(false, ground, async () => {
    const script = await bulkRead(readers[0] as Reader);
    say("measuring whole secured reads");
    const ours = await measured(
      readers.map((reader) => () => bulkRead(reader)),
      "bulk",
    );
    say("measuring raw ping-pong of the same octets");
    const port = await scripted(script);
    const raw = await measured(
      readers.map(() => () => rawWhole(port, script)),
      "bulk",
    );
    return { script, ours, raw };
  });
}

function figuresOf(name: string, { script, ours, raw, blocking, peers }: Measured) {
  const octets = script.reduce((sum, [request, answer]) => sum + request + answer, 0);
  const unit = "reads/CPU s";
  return [
    { name: `${name}: secured reads`, value: round(ours.perCpuSecond), unit },
    ...peers.map(([peer, { perCpuSecond }]) => ({ name: `${name}: ${peer}`, value: round(perCpuSecond), unit })),
    { name: `${name}: raw ping-pong`, value: round(raw.perCpuSecond), unit },
    ...(blocking
      ? [{ name: `${name}: raw ping-pong, blocking sockets`, value: round(blocking.perCpuSecond), unit }]
      : []),
    { name: `${name}: secured reads by the clock`, value: round(ours.perSecond), unit: "reads/s" },
    { name: `${name}: requests of a read`, value: script.length, unit: "requests" },
    { name: `${name}: octets of a read`, value: octets, unit: "octets" },
  ];
}

function ratiosOf(name: string, { ours, raw, blocking, peers }: Measured): Record<string, number> {
  const best = Math.max(...peers.map(([, { perCpuSecond }]) => perCpuSecond));
  return {
    [`${name}ToRaw`]: round(ours.perCpuSecond / raw.perCpuSecond),
    ...(blocking && { [`${name}ToBlockingRaw`]: round(ours.perCpuSecond / blocking.perCpuSecond) }),
    ...(peers.length > 0 && { [`${name}ToBetterPeer`]: round(ours.perCpuSecond / best) }),
  };
}

export const dlmsSecuredReads: Benchmark = {
  name: "dlms-secured-reads",
  about: "secured DLMS reads a second of client CPU, next to two Python clients and raw TCP ping-pong",
  run: async (say) => {
    const environment = await pythonEnvironment(say);
    if (environment.kind === "absent") say(`without the Python clients: ${environment.reason}`);
    const child = fork(join(import.meta.dirname, "dlms-meter-process.ts"));
    try {
      const { meters } = await ask(child, { kind: "meters", count: METERS, clientSystemTitle: CLIENT_TITLE });
      const ground: Ground = {
        meters,
        readers: meters.map((meter): Reader => ({ meter, counter: 0 })),
        scripted: async (script) => (await ask(child, { kind: "script", script })).port,
        python: environment.kind === "ready" ? environment.python : undefined,
        say,
      };
      const ofSmall = await small(ground);
      const ofBulk = await bulk(ground);
      return {
        mix: MIX,
        figures: [...figuresOf("small", ofSmall), ...figuresOf("bulk", ofBulk)],
        ratios: { ...ratiosOf("small", ofSmall), ...ratiosOf("bulk", ofBulk) },
      };
    } finally {
      child.kill();
    }
  },
};
