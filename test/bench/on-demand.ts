import type { Deployment, JobView } from "../e2e/deployment.ts";

/** How long single jobs took, milliseconds, ascending; and how many did not end `done`. */
export interface Latencies {
  readonly ms: readonly number[];
  readonly failed: number;
}

export interface OnDemand {
  readonly meterIds: readonly string[];
  readonly count: number;
  /** Jobs that are under way at once. */
  readonly concurrent: number;
  /** Between two submissions of one of those, milliseconds. */
  readonly paceMs: number;
  readonly operation: Readonly<Record<string, unknown>>;
}

const POLL_MS = 40;
const TIMEOUT_MS = 120_000;

/** Jobs of one meter, each timed from its submission until the API says that it is closed. */
export async function onDemand(headend: Deployment, asked: OnDemand): Promise<Latencies> {
  const { meterIds, count, concurrent, paceMs, operation } = asked;
  const ms: number[] = [];
  let failed = 0;
  let next = 0;
  const client = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const target = { kind: "meters", meterIds: [meterIds[at % meterIds.length]] };
      const begun = performance.now();
      const { status, body } = await headend.call<JobView>("operator", "POST", "/jobs", {
        operation,
        target,
        reason: "benchmark",
      });
      if (status !== 202) throw new Error(`POST /jobs: ${status} ${JSON.stringify(body)}`);
      for (;;) {
        const job = await headend.call<JobView>("operator", "GET", `/jobs/${body.jobId}`);
        if (job.body.state === "closed") {
          if (job.body.progress?.done !== 1) failed++;
          break;
        }
        if (performance.now() - begun > TIMEOUT_MS) throw new Error(`job ${body.jobId} is open after ${TIMEOUT_MS} ms`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      const took = performance.now() - begun;
      ms.push(took);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, paceMs - took)));
    }
  };
  await Promise.all(Array.from({ length: concurrent }, client));
  return { ms: ms.sort((left, right) => left - right), failed };
}

/** The value that the given share of a sorted list does not exceed. */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

export const PERCENTILES = [50, 95, 99] as const;

/** Figures `<name> p50`, `p95`, `p99` in milliseconds. */
export const figuresOf = (name: string, sorted: readonly number[]) =>
  PERCENTILES.map((percent) => ({
    name: `${name} p${percent}`,
    value: Math.round(percentile(sorted, percent / 100)),
    unit: "ms",
  }));

/** `<name> p50`, … : how many times the first is the second. */
export const ratiosOf = (name: string, loaded: readonly number[], alone: readonly number[]) =>
  Object.fromEntries(
    PERCENTILES.map((percent) => [
      `${name} p${percent}`,
      Math.round((percentile(loaded, percent / 100) / percentile(alone, percent / 100)) * 100) / 100,
    ]),
  );

export interface EnrolledMeter {
  readonly meterId: string;
  readonly profile: { readonly name: string };
}

/** Enrolled meters, up to a number. */
export async function metersOf(headend: Deployment, most: number): Promise<EnrolledMeter[]> {
  const found: EnrolledMeter[] = [];
  let cursor: string | undefined;
  do {
    const query = `limit=100${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { status, body } = await headend.call<{
      readonly meters: readonly EnrolledMeter[];
      readonly cursor?: string;
    }>("operator", "GET", `/meters?${query}`);
    if (status !== 200) throw new Error(`GET /meters: ${status} ${JSON.stringify(body)}`);
    found.push(...body.meters);
    cursor = body.cursor;
  } while (cursor !== undefined && found.length < most);
  return found.slice(0, most);
}
