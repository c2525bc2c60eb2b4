import { Deployment, type JobView, until } from "../e2e/deployment.ts";
import { type EnrolledMeter, metersOf } from "./on-demand.ts";

/** Models of each protocol whose sessions prove keys and whose switch has a sensor on the load side. */
export const PROVING: Readonly<Record<string, "dlms" | "c1222">> = { "generic-eu": "dlms", "generic-us": "c1222" };

const OPEN_CAP = { perMinute: 20_000, perHour: 20_000 };
const DIRECTION = { all: OPEN_CAP, feeder: OPEN_CAP, transformer: OPEN_CAP, client: OPEN_CAP };
/** No cap is ever reached, and nobody has to approve. */
export const NO_GUARDS = {
  opening: DIRECTION,
  closing: DIRECTION,
  approveAbove: 20_000,
  approveTwiceAbove: 20_000,
} as const;

export type Position = "open" | "closed";
export const orderTo = (to: Position) => ({ kind: "operateSwitch", to }) as const;
const REASON = "benchmark";

/** A deployment whose guards are these, and its meters whose switch can be proved. */
export async function switchFleet(
  meters: number,
  guards: object,
): Promise<{ readonly headend: Deployment; readonly proving: readonly EnrolledMeter[] }> {
  const headend = await Deployment.start(["--meters", String(meters)]);
  try {
    await setGuards(headend, guards);
    const proving = (await metersOf(headend, meters)).filter(({ profile }) => profile.name in PROVING);
    return { headend, proving };
  } catch (error) {
    await headend.stop();
    throw error;
  }
}

export async function setGuards(headend: Deployment, guards: object): Promise<void> {
  const answer = await headend.call("supervisor", "PUT", "/guards", { guards, reason: REASON });
  if (answer.status !== 200) throw new Error(`PUT /guards: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** One order to one meter; answers its job, and whether it may go at once. */
export async function order(
  headend: Deployment,
  meterId: string,
  to: Position,
): Promise<{ readonly jobId: string; readonly goes: boolean }> {
  const { status, body } = await headend.call<JobView>("operator", "POST", "/jobs", {
    operation: orderTo(to),
    target: { kind: "meters", meterIds: [meterId] },
    reason: REASON,
  });
  if (status !== 202) throw new Error(`POST /jobs: ${status} ${JSON.stringify(body)}`);
  return { jobId: body.jobId, goes: body.state === "running" || body.state === "closed" };
}

interface Closed extends JobView {
  readonly createdAt: string;
  readonly closedAt?: string;
}

/** How long orders took from their acceptance until their outcome was in the ledger, ms, ascending, by the headend's own stamps. */
export async function endsOf(
  headend: Deployment,
  jobIds: readonly string[],
  timeoutMs = 600_000,
): Promise<{ readonly ms: readonly number[]; readonly failed: number }> {
  const ms: number[] = [];
  let failed = 0;
  let next = 0;
  const look = async (): Promise<void> => {
    for (let at = next++; at < jobIds.length; at = next++) {
      const job = await until(timeoutMs, `order ${jobIds[at]} to end`, async () => {
        const { body } = await headend.call<Closed>("operator", "GET", `/jobs/${jobIds[at]}`);
        return body.closedAt === undefined ? undefined : body;
      });
      ms.push(Date.parse(job.closedAt ?? "") - Date.parse(job.createdAt));
      if (job.progress.done !== 1) failed++;
    }
  };
  await Promise.all(Array.from({ length: 4 }, look));
  return { ms: ms.sort((left, right) => left - right), failed };
}

/** Brings all these switches to a position, a thousand in a job; answers how many are there. */
export async function allTo(headend: Deployment, meterIds: readonly string[], to: Position): Promise<number> {
  let done = 0;
  for (let from = 0; from < meterIds.length; from += 1_000) {
    const target = { kind: "meters", meterIds: meterIds.slice(from, from + 1_000) };
    const job = await headend.runJob({ operation: orderTo(to), target, reason: REASON }, 600_000);
    done += job.progress.done;
  }
  return done;
}

/** Switches that ever moved, by the simulated meters' own word. */
export interface WitnessedSwitch {
  readonly meterId: string;
  readonly state: string;
  /** Clock ms. */
  readonly movedAt: number;
}
export const witnessed = async (headend: Deployment): Promise<readonly WitnessedSwitch[]> =>
  (await headend.call<{ readonly switches: readonly WitnessedSwitch[] }>(undefined, "GET", "/local/witness")).body
    .switches;

/** Requests that wrote an item, over all tables. */
export async function writesSoFar(headend: Deployment): Promise<number> {
  const { body } = await headend.call<{ readonly tables: Readonly<Record<string, number>> }>(
    undefined,
    "GET",
    "/local/writes",
  );
  return Object.values(body.tables).reduce((sum, writes) => sum + writes, 0);
}
