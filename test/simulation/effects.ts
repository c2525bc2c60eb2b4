import type { SliceKey } from "../../shared/jobs/slice.ts";
import { below, fraction, type Random } from "../../shared/ports/random.ts";
import type { FaultKind } from "./fault-kinds.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { nameOf } from "./ledger-invariants.ts";
import { never, type ProcessKind, type SimulatedProcess } from "./simulated-process.ts";

/** What a table or queue says when it takes no call, or its answer is lost: no error of the product's own. */
export class Unavailable extends Error {}

const CRASH: Readonly<Partial<Record<ProcessKind, FaultKind>>> = {
  planner: "crash-planner",
  bridge: "crash-bridge",
  ingest: "crash-ingest",
  sweep: "crash-sweep",
};
/** Longest way of a call to its table or queue, ms. */
const LATENCY_MS = 12;
/** Of a slow one, ms. */
const SLOW_MS = 4_000;

export interface EffectPorts {
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly crash: (process: SimulatedProcess) => void;
  readonly trace: ((line: () => string) => void) | undefined;
}

export interface Call<T> {
  readonly about?: SliceKey | undefined;
  /** What the caller is told when the call took effect and the answer was lost; absent: an error. */
  readonly lost?: (answer: T) => T;
  /** Only reads: their lost answer is the same as no call. */
  readonly reads?: boolean;
}

/**
 * One effect of a process on the world: it takes a while, may be refused, may happen and seem not to have, and the
 * process may end before and after it. Between two effects anything else can happen.
 */
export async function effect<T>(
  ports: EffectPorts,
  process: SimulatedProcess,
  what: string,
  run: () => Promise<T>,
  { about, lost, reads = false }: Call<T> = {},
): Promise<T> {
  const { faults, random, trace } = ports;
  let wayMs = 1 + below(random, LATENCY_MS);
  if (faults.strikes("slow")) {
    faults.note("slow", about);
    wayMs += below(random, SLOW_MS);
  }
  await process.later(wayMs);
  const told = (how: () => string): void =>
    trace?.(() => `${process.name} ${what}${about === undefined ? "" : ` ${nameOf(about)}`}: ${how()}`);
  if (faults.active) {
    const crash = CRASH[process.kind];
    // Bridges stand still as a whole, at any moment: see incidents.ts.
    if (process.kind !== "bridge" && faults.strikes("freeze")) {
      faults.note("freeze", about, true);
      told(() => "stands still before it");
      await process.later(1_000 + below(random, 130_000));
    }
    if (crash !== undefined && faults.strikes(crash, about)) {
      faults.note(crash, about);
      told(() => "ends before it");
      ports.crash(process);
      return never();
    }
    if (faults.strikes("throttled")) {
      faults.note("throttled", about);
      told(() => "throttled");
      throw new Unavailable(`${what} is throttled`);
    }
  }
  const answer = await run();
  told(() => inWords(answer));
  if (faults.active) {
    if (!reads && faults.strikes("answer-lost")) {
      faults.note("answer-lost", about);
      told(() => "the answer is lost");
      if (lost === undefined || fraction(random) < 0.5) throw new Unavailable(`the answer of ${what} is lost`);
      return lost(answer);
    }
    const crash = CRASH[process.kind];
    if (!reads && crash !== undefined && faults.strikes(crash, about)) {
      faults.note(crash, about);
      told(() => "ends after it");
      ports.crash(process);
      return never();
    }
  }
  return answer;
}

function inWords(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return String(answer);
  const text = JSON.stringify(answer, (_key, value: unknown) =>
    value instanceof Uint8Array ? `${value.length} octets` : typeof value === "bigint" ? `${value}n` : value,
  );
  return text.length > 240 ? `${text.slice(0, 240)}…` : text;
}
