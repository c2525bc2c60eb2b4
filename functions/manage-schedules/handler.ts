import type { RequestOf } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import { recurrenceProblem } from "../../shared/jobs/recurrence.ts";
import { rescheduled } from "../../shared/jobs/run-schedules.ts";
import { type Timing, timetable } from "../../shared/jobs/runs.ts";
import type { Schedule } from "../../shared/jobs/schedule.ts";
import { SCHEDULE_TEMPLATES, TEMPLATE_NAMES, withTemplate } from "../../shared/jobs/schedule-templates.ts";
import { wallClock } from "../../shared/jobs/wall-clock.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { mayAsk, mayManage, maySee } from "../../shared/security/ownership.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoCalendars } from "../adapters/dynamo-named.ts";
import { dynamoScheduleRuns, dynamoSchedules } from "../adapters/dynamo-schedules.ts";
import { type HttpRequest, httpHandler, type Refused, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({ LEDGER_TABLE: Setting });
const db = documentClient();
const schedules = dynamoSchedules(db, env.LEDGER_TABLE);
const results = dynamoScheduleRuns(db, env.LEDGER_TABLE);
const calendars = dynamoCalendars(db, env.LEDGER_TABLE);

function viewOf({ version: _version, makesUpFrom: _makesUpFrom, caller: { id, name }, ...shown }: Schedule) {
  return { ...shown, caller: { id, ...(name === undefined ? {} : { name }) } };
}

/** With how its last run stands by its service level. */
async function withResult(schedule: Schedule) {
  const [last] = schedule.sla === undefined ? [] : await results.of(schedule.scheduleId, 1);
  const own = last !== undefined && last.runAt >= schedule.createdAt ? last : undefined;
  return { ...viewOf(schedule), ...(own && { lastResult: { runAt: own.runAt, state: own.state } }) };
}

/** What is wrong with its times. */
async function timingRefusal({ cron, timeZone, blackouts }: Timing): Promise<Refused | undefined> {
  const recurrence = recurrenceProblem(cron, timeZone);
  if (recurrence !== undefined)
    return refuse("invalid-request", "The recurrence is not as expected.", {
      ...recurrence,
      received: recurrence.field === "cron" ? cron : timeZone,
    });
  for (const name of blackouts?.calendars ?? [])
    if ((await calendars.read(name)) === undefined)
      return refuse("unprocessable", `There is no calendar ${name}.`, {
        field: "blackouts.calendars",
        expected: "names of calendars that are there",
        received: name,
      });
  return undefined;
}

/** What is wrong with it beyond its form. `owner`: in whose name it asks. */
async function refusalOf(body: RequestOf<Routes["changeSchedule"]>, owner: Caller): Promise<Refused | undefined> {
  const timing = await timingRefusal(body);
  if (timing !== undefined) return timing;
  if (!mayAsk(owner, body.operation.kind))
    return refuse("forbidden", "The caller may only read.", {
      field: "operation.kind",
      expected: "an operation that only reads",
      received: body.operation.kind,
    });
  const unfit = (field: string, expected: string, received: string) =>
    refuse("invalid-request", `The ${field} is not for schedules.`, { field, expected, received });
  if (body.target.kind === "tasksOf") return unfit("target.kind", "meters, not tasks of a job", "tasksOf");
  return body.lane === "commands"
    ? unfit("lane", "a lane other than commands, which carries orders only", "commands")
    : undefined;
}

const unknown = (scheduleId: string) =>
  refuse("not-found", `There is no schedule ${scheduleId}.`, {
    field: "scheduleId",
    expected: "the id of a schedule",
    received: scheduleId,
  });
const raced = (scheduleId: string) =>
  refuse("conflict", `Schedule ${scheduleId} was changed by somebody else at the same time. Try again.`);

/** The schedule, to somebody who may see it. */
async function seen(scheduleId: string, caller: Caller): Promise<Schedule | Refused> {
  const schedule = await schedules.read(scheduleId);
  return schedule !== undefined && maySee(caller, schedule.caller.id) ? schedule : unknown(scheduleId);
}

/** The schedule, to somebody who may change it. */
async function managed(scheduleId: string, caller: Caller): Promise<Schedule | Refused> {
  const schedule = await seen(scheduleId, caller);
  if ("refused" in schedule || mayManage(caller, schedule.caller.id)) return schedule;
  return refuse("forbidden", "The schedule is somebody else's.", {
    field: "scheduleId",
    expected: "a schedule of the caller's own, or the role supervisor or administrator",
    received: `${scheduleId} of ${schedule.caller.name ?? schedule.caller.id}`,
  });
}

const changeBy = ({ id, name }: Caller, action: "changed" | "paused" | "resumed", reason?: string) => ({
  at: productClock.now(),
  action,
  by: { id, ...(name === undefined ? {} : { name }) },
  ...(reason === undefined ? {} : { reason }),
});

async function nextRuns(timing: Timing, count: number) {
  const runs = [];
  for (const run of timetable(timing, await calendars.list(), productClock.now())) {
    runs.push({ ...run, local: new Date(wallClock(timing.timeZone, run.plannedAt)).toISOString().slice(0, 16) });
    if (runs.length === count) break;
  }
  return { status: 200, body: { runs } };
}

const switched =
  (enabled: boolean) =>
  async ({
    params: { scheduleId },
    body,
    caller,
  }: HttpRequest<Routes["pauseSchedule"]> | HttpRequest<Routes["resumeSchedule"]>) => {
    const was = await managed(scheduleId, caller);
    if ("refused" in was) return was;
    if (was.enabled === enabled) return { status: 200, body: viewOf(was) };
    const changed = changeBy(caller, enabled ? "resumed" : "paused", body?.reason);
    const next = rescheduled({ ...was, enabled, changed }, productClock.now(), await calendars.list());
    return (await schedules.write(was, next)) === "written" ? { status: 200, body: viewOf(next) } : raced(scheduleId);
  };

export const handler = httpHandler({
  async listSchedules({ caller }) {
    const shown = (await schedules.list()).filter((schedule) => maySee(caller, schedule.caller.id));
    return { status: 200, body: { schedules: await Promise.all(shown.map(withResult)) } };
  },
  async readSchedule({ params: { scheduleId }, caller }) {
    const schedule = await seen(scheduleId, caller);
    return "refused" in schedule ? schedule : { status: 200, body: await withResult(schedule) };
  },
  async createSchedule({ body: submission, caller }) {
    const { name, operation, cron, ...rest } = withTemplate(submission);
    // Without a template none of them is absent: the request's schema says so.
    if (operation === undefined || cron === undefined) throw new TypeError("expected an operation and a recurrence");
    const body = { ...rest, name: name ?? submission.template ?? "", operation, cron };
    const refusal = await refusalOf(body, caller);
    if (refusal !== undefined) return refusal;
    const now = productClock.now();
    const scheduleId = body.scheduleId ?? toHex(systemRandom.octets(6));
    const made = { ...body, scheduleId, caller, createdAt: now, version: 1 };
    const schedule = rescheduled(made, now, await calendars.list());
    if ((await schedules.create(schedule)) === "created") return { status: 201, body: viewOf(schedule) };
    return refuse("conflict", `There is a schedule ${scheduleId} already.`, {
      field: "scheduleId",
      expected: "an id that no schedule has",
      received: scheduleId,
    });
  },
  async changeSchedule({ params: { scheduleId }, body, caller }) {
    const was = await managed(scheduleId, caller);
    if ("refused" in was) return was;
    const refusal = await refusalOf(body, was.caller);
    if (refusal !== undefined) return refusal;
    const { createdAt, version, lastRunAt, lastJobId, lastProblem } = was;
    const last = {
      ...(lastRunAt === undefined ? {} : { lastRunAt }),
      ...(lastJobId === undefined ? {} : { lastJobId }),
      ...(lastProblem === undefined ? {} : { lastProblem }),
    };
    const changed = changeBy(caller, "changed");
    const kept = { ...body, ...last, scheduleId, caller: was.caller, changed, createdAt, version };
    const next = rescheduled(kept, productClock.now(), await calendars.list());
    return (await schedules.write(was, next)) === "written" ? { status: 200, body: viewOf(next) } : raced(scheduleId);
  },
  async deleteSchedule({ params: { scheduleId }, caller }) {
    const was = await managed(scheduleId, caller);
    if ("refused" in was) return was;
    await schedules.remove(scheduleId);
    return { status: 204 };
  },
  pauseSchedule: switched(false),
  resumeSchedule: switched(true),
  async listRuns({ params: { scheduleId }, query: { count }, caller }) {
    const schedule = await seen(scheduleId, caller);
    return "refused" in schedule ? schedule : nextRuns(schedule, count);
  },
  async listScheduleResults({ params: { scheduleId }, query: { limit }, caller }) {
    const schedule = await seen(scheduleId, caller);
    if ("refused" in schedule) return schedule;
    // Of a schedule of this id that was there before nothing is told: its runs may have been somebody else's.
    const own = (await results.of(scheduleId, limit)).filter(({ runAt }) => runAt >= schedule.createdAt);
    return { status: 200, body: { results: own.map(({ scheduleId: _scheduleId, under: _under, ...run }) => run) } };
  },
  async listScheduleTemplates() {
    return {
      status: 200,
      body: { templates: TEMPLATE_NAMES.map((template) => ({ template, ...SCHEDULE_TEMPLATES[template] })) },
    };
  },
  async previewSchedule({ body: { count, ...timing } }) {
    return (await timingRefusal(timing)) ?? nextRuns(timing, count);
  },
});
