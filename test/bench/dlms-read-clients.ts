import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { tcpDial } from "../../functions/bridge/tcp-dial.ts";
import { openSession } from "../../shared/dlms/client/open-session.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { attributeOf } from "../../shared/dlms/objects/interface-class.ts";
import { Register } from "../../shared/dlms/objects/register.ts";
import type { SessionContext } from "../../shared/metering/driver.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { FromMeters, Script, ToMeters } from "./dlms-meter-process.ts";

/** Clients of the same simulated meters: ours, and the same octets with nothing done to them. */

export const CLIENT_TITLE = "4844520000000001";
export const REGISTERS = ["1.0.1.8.0.255", "1.0.2.8.0.255"] as const;
export const PROFILE = "1.0.99.1.0.255";
export const ENTRIES = 96;
export const DAY_MS = 86_400_000;
const STEP_MS = 900_000;

export type Meter = Extract<FromMeters, { readonly kind: "meters" }>["meters"][number];
/** A meter, and the counters under which it is read: they rise over all clients of a run. */
export interface Reader {
  readonly meter: Meter;
  counter: number;
}

export async function ask<K extends FromMeters["kind"]>(
  child: ChildProcess,
  message: Extract<ToMeters, { readonly kind: K }>,
): Promise<Extract<FromMeters, { readonly kind: K }>> {
  child.send(message);
  const [answer] = (await once(child, "message")) as [Extract<FromMeters, { readonly kind: K }>];
  return answer;
}

async function contextOf(
  reader: Reader,
  onFrame?: SessionContext["onFrame"],
): Promise<SessionContext & { readonly profile: Meter["profile"] }> {
  const { meter } = reader;
  const route = { kind: "dial", host: "127.0.0.1", port: meter.port, transport: "tcp" } as const;
  return {
    link: await tcpDial(systemClock)(route, systemClock.now() + 5_000),
    clock: systemClock,
    random: seeded(reader.counter),
    crypto: nodeCrypto,
    profile: meter.profile,
    systemTitle: meter.systemTitle,
    clientSystemTitle: CLIENT_TITLE,
    keys: meter.enrolled,
    counters: { next: () => ++reader.counter },
    responseTimeoutMs: 10_000,
    ...(onFrame && { onFrame }),
  };
}

/** Numbers of octets, requests and answers in turn. */
function turnsInto(turns: [number, number][]): SessionContext["onFrame"] {
  return (direction, { length }) => {
    if (direction === "sent") turns.push([length, 0]);
    else (turns.at(-1) as [number, number])[1] += length;
  };
}

/** A session that stays: each call reads one register's value. */
export async function keptSession(
  reader: Reader,
): Promise<{ readonly read: () => Promise<void>; readonly close: () => Promise<void> }> {
  const context = await contextOf(reader);
  const session = await openSession(context);
  const value = attributeOf(Register, Register.attributes.value, REGISTERS[0]);
  return {
    read: async () => {
      const answer = await session.read(value);
      if (answer.kind !== "value") throw new Error(`expected a value, got a refusal ${answer.result}`);
    },
    close: () => context.link.close(),
  };
}

/** Octets of one such read. */
export async function smallScript(reader: Reader): Promise<Script> {
  const turns: [number, number][] = [];
  const context = await contextOf(reader, turnsInto(turns));
  const session = await openSession(context);
  turns.length = 0;
  await session.read(attributeOf(Register, Register.attributes.value, REGISTERS[0]));
  await context.link.close();
  return turns;
}

/** The 24 hours before, as a meter has them: up to the last interval that has ended. */
export function dayBefore(now: number): { readonly from: number; readonly to: number } {
  const to = Math.floor(now / STEP_MS) * STEP_MS;
  return { from: to - DAY_MS, to };
}

/** One whole read in a session of its own; answers the octets of its frames. */
export async function bulkRead(reader: Reader): Promise<Script> {
  const turns: [number, number][] = [];
  const context = await contextOf(reader, turnsInto(turns));
  const session = await dlmsDriver.open(context);
  const range = dayBefore(systemClock.now());
  const read = await session.perform({ kind: "readIntervals", range, registers: "total" });
  await session.release();
  await context.link.close();
  const values = read.intervals[0]?.entries.length ?? 0;
  if (values !== ENTRIES || read.registers.length !== REGISTERS.length)
    throw new Error(`expected ${ENTRIES} intervals and 2 registers, got ${values} and ${read.registers.length}`);
  return turns;
}

const connected = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });

/** Plays a script on a socket, again each time it is called. */
function player(socket: Socket, script: Script): () => Promise<void> {
  const requests = script.map(([request]) => Buffer.alloc(request, 0xa5));
  let turn = 0;
  let got = 0;
  let done: (() => void) | undefined;
  socket.on("data", (octets: Buffer) => {
    got += octets.length;
    if (got < (script[turn]?.[1] ?? 0)) return;
    got = 0;
    turn++;
    const next = requests[turn];
    if (next !== undefined) socket.write(next);
    else done?.();
  });
  return () =>
    new Promise((resolve) => {
      turn = 0;
      done = resolve;
      socket.write(requests[0] as Buffer);
    });
}

/** The same numbers of octets in the same turns on a connection that stays. */
export async function rawKept(port: number, script: Script): Promise<() => Promise<void>> {
  return player(await connected(port), script);
}

/** The same on a connection of its own. */
export async function rawWhole(port: number, script: Script): Promise<void> {
  const socket = await connected(port);
  await player(socket, script)();
  socket.end();
  await once(socket, "close");
}

export interface PeerRequest {
  readonly client: "gurux-dlms" | "dlms-cosem" | "raw";
  /** Sessions that stay and one attribute, or whole reads. */
  readonly kept: boolean;
  readonly counter: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly meters: readonly Meter[];
  /** For `raw`. */
  readonly port?: number;
  readonly script?: Script;
}

/** Reads with a Python client in a process of its own; answers what it did and the CPU that it used. */
export async function peerReads(
  python: string,
  { meters, ...request }: PeerRequest,
): Promise<{ readonly done: number; readonly cpuSeconds: number; readonly seconds: number }> {
  const child = spawn(python, [join(import.meta.dirname, "dlms_peer_reads.py")], { stdio: "pipe" });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const { from, to } = dayBefore(systemClock.now());
  child.stdin.end(
    JSON.stringify({
      ...request,
      registers: REGISTERS,
      profile: PROFILE,
      from: from + STEP_MS, // a peer's range has both ends in it
      to,
      entries: ENTRIES,
      meters: meters.map(({ profile, port, systemTitle, enrolled }) => {
        const { clientSap, serverSap, authentication, ciphering } = profile.dlms.access;
        const keys = enrolled;
        const own = { clientSystemTitle: CLIENT_TITLE, systemTitle, keys };
        return { host: "127.0.0.1", port, clientSap, serverSap, authentication, ciphering, ...own };
      }),
    }),
  );
  const [code] = await once(child, "close");
  if (code !== 0)
    throw new Error(`${request.client} ended with ${code}: ${stderr.trim().split("\n").slice(-2).join(" ")}`);
  return JSON.parse(stdout) as { done: number; cpuSeconds: number; seconds: number };
}
