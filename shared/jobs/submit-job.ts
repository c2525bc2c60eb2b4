import { isGroupOperation } from "../metering/group.ts";
import type { MeterId } from "../metering/meter.ts";
import { hasTest, Operation } from "../metering/operation.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import type { MeterFilter } from "../queries/language/meter-filter.ts";
import { APPROVAL_MS, type OrderGate } from "./approval.ts";
import { type GroupRoutes, jobGroupRoute } from "./group-route.ts";
import {
  type Caller,
  type Dependency,
  type Job,
  type JobId,
  type JobState,
  JobTarget,
  type RetryPolicy,
} from "./job.ts";
import { requestedJobId, scheduledJobId } from "./job-id.ts";
import type { Lane } from "./lane.ts";
import { isCommand, laneFor } from "./lane-rule.ts";
import type { Planner } from "./lanes.ts";
import { isOrder, ORDER_ROLES } from "./orders.ts";
import { membersOf, type PlanPorts, planJob } from "./plan-job.ts";
import { CHAIN_MAX, chainProblem, lastStart } from "./release.ts";
import type { Sla } from "./sla.ts";
import { slotsOfBitmap } from "./targets.ts";

/** Stored queries over meters, as targets. */
export interface QueryFilters {
  /** Strongly consistent; undefined: there is none of that name that the caller may use. */
  filterOf(name: string, caller: Caller): Promise<MeterFilter | undefined>;
}

export interface SubmitPorts extends PlanPorts {
  readonly planner: Planner;
  readonly queries: QueryFilters;
  readonly groupRoutes: Pick<GroupRoutes, "read">;
  readonly crypto: Crypto;
  readonly random: Random;
  /** Says whether commands may go; absent: none are taken. */
  readonly gate?: OrderGate;
}

/** What somebody asks for; instants are clock ms. */
export interface JobRequest {
  readonly operation: Operation;
  readonly target: JobTarget;
  readonly lane?: Lane | undefined;
  readonly deadline?: number | undefined;
  readonly retry?: { readonly [K in keyof RetryPolicy]?: RetryPolicy[K] | undefined } | undefined;
  readonly reason?: string | undefined;
  readonly keepFrames?: boolean | undefined;
  /** Everything but the effect. */
  readonly test?: boolean | undefined;
  /** Planned now, sent from then on. */
  readonly notBefore?: number | undefined;
  readonly spreadSeconds?: number | undefined;
  readonly after?: Dependency | undefined;
  /** The same key of the same caller is the same job. */
  readonly idempotencyKey?: string | undefined;
}

/** The run of a schedule that asks. */
export interface ScheduleRun {
  readonly scheduleId: string;
  readonly createdAt: number;
  readonly runAt: number;
  readonly sla?: Sla | undefined;
}

export type RefusedJob = {
  readonly kind: "refused";
  readonly because:
    | "role-not-allowed"
    | "reason-missing"
    | "unknown-meter"
    | "unknown-target"
    | "unknown-query"
    | "unknown-route"
    | "not-for-groups"
    | "unknown-job"
    | "no-such-tasks"
    | "cycle"
    | "deadline-passed"
    | "too-far-ahead"
    | "lane-not-allowed"
    | "not-offered"
    | "not-testable"
    | "idempotency-conflict";
  /** The field of the request, dotted, and what was expected there. */
  readonly field: string;
  readonly expected: string;
  readonly received?: string;
};
export type SubmitOutcome = { readonly kind: "accepted"; readonly jobId: JobId; readonly state: JobState } | RefusedJob;

export const DEFAULT_RETRY: RetryPolicy = { passes: 3, backoffSeconds: 60 };
const DAY_MS = 86_400_000;
const INTERACTIVE_MS = 600_000;
/** An order to a switch that could not be carried out by then is not carried out at all. */
const COMMAND_MS = 600_000;
/** How far ahead a job may be planned: what it is about is frozen now. */
export const AHEAD_MAX_MS = 35 * DAY_MS;

const oneMeter = (target: JobTarget): MeterId | undefined =>
  target.kind === "meters" && new Set(target.meterIds).size === 1 ? target.meterIds[0] : undefined;

const refused = (because: RefusedJob["because"], field: string, expected: string, received?: string): RefusedJob => ({
  kind: "refused",
  because,
  field,
  expected,
  ...(received === undefined ? {} : { received }),
});

/** What a job keeps of things that its target names, as they are when it is accepted. */
type Frozen = Pick<Job, "filter" | "groupRoute">;
async function frozenOf(ports: SubmitPorts, target: JobTarget, caller: Caller): Promise<Frozen> {
  if (target.kind === "query") {
    const filter = await ports.queries.filterOf(target.query, caller);
    return filter === undefined ? {} : { filter };
  }
  if (target.kind !== "groupRoute") return {};
  const route = await ports.groupRoutes.read(target.route);
  return route === undefined ? {} : { groupRoute: jobGroupRoute(route) };
}

/** The request with every default filled in. */
function jobOf(jobId: JobId, caller: Caller, request: JobRequest, frozen: Frozen, now: number, run?: ScheduleRun): Job {
  const { target, notBefore, spreadSeconds, after, reason } = request;
  const single = oneMeter(target) !== undefined;
  const starts = lastStart({ createdAt: now, notBefore, spreadSeconds, groupRoute: frozen.groupRoute });
  const deadlineInMs = request.deadline === undefined ? undefined : request.deadline - starts;
  const lane =
    request.lane ?? laneFor(request.operation.kind, target, { single, scheduled: run !== undefined, deadlineInMs });
  const {
    passes = DEFAULT_RETRY.passes,
    backoffSeconds = DEFAULT_RETRY.backoffSeconds,
    byReason,
  } = request.retry ?? {};
  const waits = after !== undefined || !single || lane !== "interactive";
  return {
    jobId,
    operation: request.operation,
    target,
    lane,
    state: "planning",
    createdAt: now,
    deadline: request.deadline ?? starts + (lane === "commands" ? COMMAND_MS : waits ? DAY_MS : INTERACTIVE_MS),
    retry: { passes, backoffSeconds, ...(byReason === undefined ? {} : { byReason }) },
    caller,
    ...(reason === undefined ? {} : { reason }),
    ...(request.keepFrames === true ? { keepFrames: true } : {}),
    ...(request.test === true ? { test: true } : {}),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(spreadSeconds === undefined ? {} : { spreadSeconds }),
    ...(after === undefined ? {} : { after }),
    ...(frozen.filter === undefined ? {} : { filter: frozen.filter }),
    ...(frozen.groupRoute === undefined ? {} : { groupRoute: frozen.groupRoute }),
    ...(run === undefined
      ? {}
      : {
          schedule: {
            scheduleId: run.scheduleId,
            runAt: run.runAt,
            ...(run.sla === undefined ? {} : { sla: run.sla }),
          },
        }),
  };
}

function refusedTimes(job: Job): RefusedJob | undefined {
  const { createdAt, deadline, notBefore = 0 } = job;
  const starts = lastStart(job);
  if (notBefore > createdAt + AHEAD_MAX_MS)
    return refused("too-far-ahead", "notBefore", "an instant within 35 days", new Date(notBefore).toISOString());
  if (deadline > starts) return undefined;
  const expected = starts === createdAt ? "an instant in the future" : "an instant after the last start";
  return refused("deadline-passed", "deadline", expected, new Date(deadline).toISOString());
}

async function refusedDependency(ports: SubmitPorts, { jobId, after }: Job): Promise<RefusedJob | undefined> {
  if (after === undefined) return undefined;
  switch (await chainProblem(ports.ledger, jobId, after.jobId)) {
    case "unknown":
      return refused("unknown-job", "after.jobId", "the id of a job that is there", after.jobId);
    case "cycle":
      return refused("cycle", "after.jobId", "a job that does not wait for this one", after.jobId);
    case "too-long":
      return refused("cycle", "after.jobId", `at most ${CHAIN_MAX} jobs that wait for each other`, after.jobId);
    case undefined:
      return undefined;
  }
}

async function refusedTarget(ports: SubmitPorts, job: Job): Promise<RefusedJob | undefined> {
  const { target } = job;
  if (target.kind === "meters") {
    const places = await ports.targets.places([...new Set(target.meterIds)]);
    if (places.size > 0) return undefined;
    return refused("unknown-meter", "target.meterIds", "at least one enrolled meter", target.meterIds[0]);
  }
  if (target.kind === "query" && job.filter === undefined)
    return refused(
      "unknown-query",
      "target.query",
      "the name of a stored query over meters that the caller may use",
      target.query,
    );
  if (target.kind === "groupRoute" && job.groupRoute === undefined)
    return refused("unknown-route", "target.route", "the name of a group route", target.route);
  if (target.kind === "tasksOf" && (await ports.ledger.job(target.jobId)) === undefined)
    return refused("unknown-job", "target.jobId", "the id of a job that is there", target.jobId);
  if ((await countOf(ports, job, 1)) > 0) return undefined;
  if (target.kind === "tasksOf")
    return refused("no-such-tasks", "target", `a job with tasks that are ${target.states.join(" or ")} so`);
  const named = { all: "fleet", query: "query", groupRoute: "group route" } as const;
  const kind = target.kind in named ? named[target.kind as keyof typeof named] : target.kind;
  return refused("unknown-target", "target", `a ${kind} with enrolled meters`);
}

async function refusalOf(ports: SubmitPorts, job: Job): Promise<RefusedJob | undefined> {
  const { target, lane, caller, reason } = job;
  if (isOrder(job) && !caller.roles.some((role) => ORDER_ROLES.includes(role)))
    return refused("role-not-allowed", "operation.kind", "an operation that only reads", job.operation.kind);
  if (isOrder(job) && (reason ?? "").trim() === "")
    return refused("reason-missing", "reason", "why the meter is to be changed");
  if (job.test === true && !hasTest(job.operation))
    return refused("not-testable", "test", "an operation whose effect can be left out", job.operation.kind);
  if (job.operation.kind === "deliverToken" && oneMeter(target) === undefined)
    return refused("not-for-groups", "target", "one meter: a token is for one alone");
  if (target.kind === "groupRoute") {
    if (!isGroupOperation(job.operation.kind))
      return refused(
        "not-for-groups",
        "operation.kind",
        "what a group's key authorises: reads, or time",
        job.operation.kind,
      );
    if (job.after !== undefined)
      return refused(
        "not-for-groups",
        "after",
        "no other job to wait for: its window begins at a time",
        job.after.jobId,
      );
  }
  if (isCommand(job.operation.kind) !== (lane === "commands"))
    return refused(
      "lane-not-allowed",
      "lane",
      lane === "commands"
        ? "a lane other than commands, which carries orders that can cut somebody off only"
        : "commands",
      lane,
    );
  if (lane === "interactive" && oneMeter(target) === undefined)
    return refused("lane-not-allowed", "lane", "urgent, bulk or images for more than one meter", lane);
  return refusedTimes(job) ?? (await refusedDependency(ports, job)) ?? (await refusedTarget(ports, job));
}

/** How many meters a job is about, counted up to `most`; `most` where it cannot be told without the planner. */
async function countOf(ports: SubmitPorts, job: Job, most: number): Promise<number> {
  if (job.filter !== undefined && ports.targets.count !== undefined)
    return (await ports.targets.count(job.filter, most)) ?? most;
  let meters = 0;
  for await (const { bitmap } of membersOf(ports, job)) {
    meters += slotsOfBitmap(bitmap).length;
    if (meters >= most) break;
  }
  return meters;
}

/**
 * The job with what it has to wait for, if it is a command, or a control of loads that somebody asks for himself; undefined:
 * nobody here can say whether it may go. Events of demand response have their customers' consent instead.
 */
async function gate(ports: SubmitPorts, request: JobRequest, job: Job): Promise<Job | undefined> {
  const { kind } = job.operation;
  if (!isCommand(kind) && kind !== "controlLoad") return job;
  if (ports.gate === undefined) return isCommand(kind) ? undefined : job;
  const { target } = job;
  const ids = target.kind === "meters" ? [...new Set(target.meterIds)] : [];
  const places = [...(await ports.targets.places(ids)).values()];
  const meters = target.kind === "meters" ? places.length : await countOf(ports, job, await ports.gate.countMax());
  const asked = await ports.gate.assess(job, meters, places);
  if (asked === undefined) return job;
  const approval = { ...asked, lapsesAt: job.createdAt + APPROVAL_MS };
  if (job.test === true) return { ...job, approval };
  // It may wait for people; once they have said yes it still has its time.
  const deadline = request.deadline ?? Math.max(job.deadline, lastStart(job) + APPROVAL_MS + COMMAND_MS);
  return { ...job, deadline, approval };
}

/** What a job asks, without what was filled in, as comparable text (the schemas give their fields an order). */
const asks = ({
  operation,
  target,
  lane,
  retry,
  reason,
  notBefore,
  spreadSeconds,
  after,
  keepFrames,
  test,
}: Job): string =>
  JSON.stringify([
    Operation.parse(operation),
    JobTarget.parse(target),
    lane,
    retry.passes,
    retry.backoffSeconds,
    Object.entries(retry.byReason ?? {}).sort(([left], [right]) => (left < right ? -1 : 1)),
    reason,
    notBefore,
    spreadSeconds,
    after === undefined ? undefined : [after.jobId, after.on],
    keepFrames,
    test,
  ]);

/**
 * Accepts a job or says why not; throws only what a port throws. A repeated request (same caller and key, or the same
 * run of a schedule) answers with the job that is there. A job of one meter is planned here; the planner plans others.
 */
export async function submitJob(
  ports: SubmitPorts,
  caller: Caller,
  request: JobRequest,
  run?: ScheduleRun,
): Promise<SubmitOutcome> {
  const key = request.idempotencyKey ?? toHex(ports.random.octets(16));
  const jobId =
    run === undefined
      ? requestedJobId(ports.crypto, caller.id, key)
      : scheduledJobId(ports.crypto, run.scheduleId, run.createdAt, run.runAt);
  const existing = await ports.ledger.job(jobId);
  const frozen = existing ?? (await frozenOf(ports, request.target, caller));
  const job = jobOf(jobId, caller, request, frozen, ports.clock.now(), run);
  if (existing === undefined) {
    const refusal = await refusalOf(ports, job);
    if (refusal !== undefined) return refusal;
    const gated = await gate(ports, request, job);
    if (gated === undefined) return refused("not-offered", "operation.kind", "an operation that is offered here");
    if ((await ports.ledger.createJob(gated)) === "created") return started(ports, gated);
  }
  const there = existing ?? (await ports.ledger.job(jobId)) ?? job;
  if (run === undefined && asks(there) !== asks(job))
    return refused("idempotency-conflict", "idempotencyKey", "a key that was not used for another request", key);
  return there.state === "planning" ? started(ports, there) : { kind: "accepted", jobId, state: there.state };
}

async function started(ports: SubmitPorts, job: Job): Promise<SubmitOutcome> {
  const { jobId } = job;
  if (oneMeter(job.target) !== undefined) return { kind: "accepted", jobId, state: (await planJob(ports, job)).state };
  await ports.planner.start(jobId);
  return { kind: "accepted", jobId, state: job.state };
}
