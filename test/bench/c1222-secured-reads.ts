import { fork } from "node:child_process";
import { join } from "node:path";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { tcpDial } from "../../functions/bridge/tcp-dial.ts";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import type { MeterSession, SessionContext } from "../../shared/metering/driver.ts";
import type { Link } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { Benchmark } from "./benchmark.ts";
import type { FromMeters, Script } from "./dlms-meter-process.ts";
import { ask, CLIENT_TITLE, DAY_MS, ENTRIES, rawKept, rawWhole } from "./dlms-read-clients.ts";
import { measured, round } from "./dlms-secured-reads.ts";

/** As many meters, each with one conversation at a time. */
const METERS = 32;
const STEP_MS = 900_000;
const MIX =
  "enciphered and authenticated by EAX', 32 meters at once. small: a full read of one table (28) on a connection that stays. bulk: TCP connect, table 0, clock, limits, 96 intervals of 2 channels as two blocks between two looks at the status, the register table. raw: the same octets in the same turns";

type Meter = Extract<FromMeters, { readonly kind: "c1222Meters" }>["meters"][number];
interface Reader {
  readonly meter: Meter;
  counter: number;
}

async function open(
  reader: Reader,
  turns?: [number, number][],
): Promise<{ readonly session: MeterSession; readonly link: Link }> {
  const { meter } = reader;
  const route = { kind: "dial", host: "127.0.0.1", port: meter.port, transport: "tcp" } as const;
  const link = await tcpDial(systemClock)(route, systemClock.now() + 5_000);
  const onFrame: SessionContext["onFrame"] = (direction, { length }) => {
    if (direction === "sent") turns?.push([length, 0]);
    else if (turns !== undefined) (turns.at(-1) as [number, number])[1] += length;
  };
  const session = await c1222Driver.open({
    link,
    clock: systemClock,
    random: seeded(reader.counter),
    crypto: nodeCrypto,
    profile: meter.profile,
    systemTitle: meter.apTitle,
    clientSystemTitle: CLIENT_TITLE,
    keys: meter.enrolled,
    counters: { next: () => ++reader.counter },
    responseTimeoutMs: 10_000,
    ...(turns !== undefined && { onFrame }),
  });
  return { session, link };
}

async function readTable(session: MeterSession): Promise<void> {
  const { registers } = await session.perform({ kind: "readRegisters", measurements: ["voltage.l1.line"] });
  if (registers.length !== 1) throw new Error(`expected one register, got ${registers.length}`);
}

/** A whole read; answers the octets of its messages, requests and answers in turn. */
async function bulkRead(reader: Reader): Promise<Script> {
  const turns: [number, number][] = [];
  const { session, link } = await open(reader, turns);
  const to = Math.floor(systemClock.now() / STEP_MS) * STEP_MS;
  const { intervals, registers } = await session.perform({
    kind: "readIntervals",
    range: { from: to - DAY_MS, to },
    registers: "total",
  });
  await session.release();
  await link.close();
  const values = intervals[0]?.entries.length ?? 0;
  if (values !== ENTRIES || registers.length !== 2)
    throw new Error(`expected ${ENTRIES} intervals and 2 registers, got ${values} and ${registers.length}`);
  return turns;
}

async function smallScript(reader: Reader): Promise<Script> {
  const turns: [number, number][] = [];
  const { session, link } = await open(reader, turns);
  await readTable(session); // what its layout depends on, once
  turns.length = 0;
  await readTable(session);
  await link.close();
  return turns;
}

type Rate = Awaited<ReturnType<typeof measured>>;
const figuresOf = (name: string, script: Script, ours: Rate, raw: Rate) => [
  { name: `${name}: secured reads`, value: round(ours.perCpuSecond), unit: "reads/CPU s" },
  { name: `${name}: raw ping-pong`, value: round(raw.perCpuSecond), unit: "reads/CPU s" },
  { name: `${name}: secured reads by the clock`, value: round(ours.perSecond), unit: "reads/s" },
  { name: `${name}: requests of a read`, value: script.length, unit: "requests" },
  {
    name: `${name}: octets of a read`,
    value: script.reduce((sum, [request, answer]) => sum + request + answer, 0),
    unit: "octets",
  },
];

export const c1222SecuredReads: Benchmark = {
  name: "c1222-secured-reads",
  about: "secured C12.22 table reads a second of client CPU, next to raw TCP ping-pong of the same octets",
  run: async (say) => {
    const child = fork(join(import.meta.dirname, "dlms-meter-process.ts"));
    try {
      const { meters } = await ask(child, { kind: "c1222Meters", count: METERS, clientSystemTitle: CLIENT_TITLE });
      const readers = meters.map((meter): Reader => ({ meter, counter: 0 }));
      const [first] = readers;
      if (first === undefined) throw new Error("expected meters");
      const scripted = async (script: Script) => (await ask(child, { kind: "script", script })).port;

      const small = await smallScript(first);
      say("measuring secured reads of one table");
      const sessions = await Promise.all(readers.map((reader) => open(reader)));
      await Promise.all(sessions.map(({ session }) => readTable(session)));
      const ofTables = await measured(
        sessions.map(
          ({ session }) =>
            () =>
              readTable(session),
        ),
        "small",
      );
      await Promise.all(sessions.map(({ link }) => link.close()));
      say("measuring raw ping-pong of the same octets");
      const smallPort = await scripted(small);
      const rawTables = await measured(await Promise.all(readers.map(() => rawKept(smallPort, small))), "small");

      const bulk = await bulkRead(first);
      say("measuring whole secured reads");
      const ofReads = await measured(
        readers.map((reader) => () => bulkRead(reader)),
        "bulk",
      );
      say("measuring raw ping-pong of the same octets");
      const bulkPort = await scripted(bulk);
      const rawReads = await measured(
        readers.map(() => () => rawWhole(bulkPort, bulk)),
        "bulk",
      );
      return {
        mix: MIX,
        figures: [...figuresOf("small", small, ofTables, rawTables), ...figuresOf("bulk", bulk, ofReads, rawReads)],
        ratios: {
          smallToRaw: round(ofTables.perCpuSecond / rawTables.perCpuSecond),
          bulkToRaw: round(ofReads.perCpuSecond / rawReads.perCpuSecond),
        },
      };
    } finally {
      child.kill();
    }
  },
};
