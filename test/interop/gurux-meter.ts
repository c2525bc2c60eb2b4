import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What the meter of `gurux_meter.py` is to be. */
export interface GuruxMeterOptions {
  readonly secured: boolean;
  /** Hex. */
  readonly title: string;
  readonly key: string;
  readonly authKey: string;
  /** Octets of the largest APDU. */
  readonly pdu?: number;
  /** End of the newest of `entries` load profile entries, seconds since 1970. */
  readonly last: number;
  readonly entries: number;
  readonly registers: readonly [number, number];
}
export interface GuruxMeter {
  readonly port: number;
  /** What it refused, as it said so. */
  readonly complaints: () => string;
  readonly stop: () => void;
}

function listening(child: ChildProcess, complaints: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`gurux_meter.py ended with ${code}: ${complaints()}`)));
    if (child.stdout === null) throw new Error("expected the meter's standard output");
    createInterface({ input: child.stdout }).once("line", (line) => {
      resolve((JSON.parse(line) as { readonly port: number }).port);
    });
  });
}

/** Starts the meter on a port of its own; it serves until stopped. */
export async function startGuruxMeter(python: string, options: GuruxMeterOptions): Promise<GuruxMeter> {
  const { secured, title, key, authKey, pdu = 512, last, entries, registers } = options;
  const values = { title, key, "auth-key": authKey, pdu, last, entries };
  const child = spawn(python, [
    join(import.meta.dirname, "gurux_meter.py"),
    ...(secured ? ["--secured"] : []),
    ...Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]),
    "--registers",
    ...registers.map(String),
  ]);
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  const port = await listening(child, () => told);
  return { port, complaints: () => told, stop: () => void child.stdin.end() };
}
