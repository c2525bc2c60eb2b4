import { setTimeout as pause } from "node:timers/promises";
import type { z } from "zod";
import type { JobAccepted, JobInApi } from "../../shared/api/jobs.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { compareWithTruth } from "./compare-with-truth.ts";
import type { LocalApi } from "./local-api.ts";
import type { TownProcess } from "./town-process.ts";

type Counts = Readonly<Record<"done" | "failed" | "expired" | "cancelled", number>>;

/** The last line of `npm start -- --once --json`. */
export interface OnceSummary {
  readonly meters: number;
  readonly tasks: Counts;
  /** Reason → tasks that ended with it. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Stored values: a register, or one channel of one interval. */
  readonly readings: number;
  /** Of them, how many equal the meters' own log. */
  readonly verified: number;
  /** From the submission of the job to its end. */
  readonly elapsedMs: number;
}

export interface OnceResult {
  readonly summary: OnceSummary;
  /** What differs, for people; the first few. */
  readonly differences: readonly string[];
  /** Design section 5. */
  readonly exitCode: 0 | 1 | 3;
}

export interface OncePorts {
  readonly api: LocalApi;
  readonly town: TownProcess;
  readonly clock: Clock;
  /** Of the clock: how much faster it runs than the machine's. */
  readonly clockFactor: number;
  readonly progress: (text: string) => void;
  /** A phase is over. */
  readonly phase: (name: string) => void;
}

const DAY_MS = 86_400_000;
/** The job ends by itself long before: one pass. What is left then has expired. */
const DEADLINE_MS = 150_000;
const POLL_MS = 500;

/** Reads every meter once and compares what is stored with the meters' own log. */
export async function readOnce({ api, town, clock, clockFactor, progress, phase }: OncePorts): Promise<OnceResult> {
  const to = Math.floor(clock.now() / 1000) * 1000;
  const range = { from: to - DAY_MS, to };
  const iso = (ms: number): string => new Date(ms).toISOString();
  const startedAt = performance.now();
  const accepted = await api.call<z.input<typeof JobAccepted>>("operator", "POST", "/jobs", {
    operation: { kind: "readIntervals", range: { from: iso(range.from), to: iso(range.to) }, registers: "total" },
    target: { kind: "all" },
    retry: { passes: 1 },
    deadline: iso(Date.now() + DEADLINE_MS), // time-outs keep the machine's time
    reason: "npm start -- --once",
  });
  const job = await jobEnd(api, accepted.body.jobId, progress);
  const elapsedMs = Math.round(performance.now() - startedAt);
  phase("read");

  const { done = 0, failed = 0, expired = 0, cancelled = 0, reasons = {} } = job.progress ?? {};
  const tasks = { done, failed, expired, cancelled };
  const notDone = await metersNotDone(api, job.jobId, failed + expired + cancelled);
  progress("comparing what is stored with the meters' own log");
  const meterIds = town.meters.map(({ meterId }) => meterId);
  const truths = await town.truths(meterIds, range);
  const compared = await compareWithTruth(api, truths, { ...range, clockFactor }, new Set(notDone));
  phase("compare");
  const summary = {
    meters: meterIds.length,
    tasks,
    reasons,
    readings: compared.readings,
    verified: compared.verified,
    elapsedMs,
  };
  const same = compared.verified === compared.readings && compared.missing === 0;
  const allDone = done === meterIds.length;
  return { summary, differences: compared.differences, exitCode: !same ? 3 : allDone ? 0 : 1 };
}

type Job = z.input<typeof JobInApi>;

async function jobEnd(api: LocalApi, jobId: string, progress: (text: string) => void): Promise<Job> {
  let etag: string | undefined;
  for (;;) {
    const { status, body, etag: next } = await api.call<Job>("operator", "GET", `/jobs/${jobId}`, undefined, etag);
    if (status !== 304) {
      etag = next;
      const { open = 0, done = 0, failed = 0, expired = 0 } = body.progress ?? {};
      progress(`${body.state}: ${done} done, ${failed + expired} failed, ${open} open`);
      if (body.state === "closed") return body;
    }
    await pause(POLL_MS);
  }
}

async function metersNotDone(api: LocalApi, jobId: string, count: number): Promise<string[]> {
  if (count === 0) return [];
  const found: string[] = [];
  for (const state of ["failed", "expired", "cancelled"]) {
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ state, limit: "1000", ...(cursor === undefined ? {} : { cursor }) });
      const { body } = await api.call<{ tasks: { meterId: string }[]; cursor?: string }>(
        "operator",
        "GET",
        `/jobs/${jobId}/tasks?${query}`,
      );
      found.push(...body.tasks.map(({ meterId }) => meterId));
      cursor = body.cursor;
    } while (cursor !== undefined);
  }
  return found;
}
