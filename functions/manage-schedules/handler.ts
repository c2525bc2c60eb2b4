import type { RequestOf } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import { recurrenceProblem } from "../../shared/jobs/recurrence.ts";
import { rescheduled } from "../../shared/jobs/run-schedules.ts";
import type { Schedule } from "../../shared/jobs/schedule.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoSchedules } from "../adapters/dynamo-schedules.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({ LEDGER_TABLE: Setting });
const schedules = dynamoSchedules(documentClient(), env.LEDGER_TABLE);

function viewOf({ version: _, caller: { id, name }, ...shown }: Schedule) {
  return { ...shown, caller: { id, ...(name === undefined ? {} : { name }) } };
}

/** What is wrong with it beyond its form. */
function refusalOf({ cron, timeZone, lane }: RequestOf<Routes["changeSchedule"]>) {
  const recurrence = recurrenceProblem(cron, timeZone);
  if (recurrence !== undefined)
    return refuse("invalid-request", "The recurrence is not as expected.", {
      ...recurrence,
      received: recurrence.field === "cron" ? cron : timeZone,
    });
  if (lane !== "commands") return undefined;
  const expected = "a lane other than commands, which carries orders only";
  return refuse("invalid-request", "The lane is not for this.", { field: "lane", expected, received: lane });
}
const unknown = (scheduleId: string) =>
  refuse("not-found", `There is no schedule ${scheduleId}.`, {
    field: "scheduleId",
    expected: "the id of a schedule",
    received: scheduleId,
  });

export const handler = httpHandler({
  listSchedules: async () => ({ status: 200, body: { schedules: (await schedules.list()).map(viewOf) } }),
  async readSchedule({ params: { scheduleId } }) {
    const schedule = await schedules.read(scheduleId);
    return schedule === undefined ? unknown(scheduleId) : { status: 200, body: viewOf(schedule) };
  },
  async createSchedule({ body, caller }) {
    const refusal = refusalOf(body);
    if (refusal !== undefined) return refusal;
    const now = productClock.now();
    const scheduleId = body.scheduleId ?? toHex(systemRandom.octets(6));
    const schedule = rescheduled({ ...body, scheduleId, caller, createdAt: now, version: 1 }, now);
    if ((await schedules.create(schedule)) === "created") return { status: 201, body: viewOf(schedule) };
    return refuse("conflict", `There is a schedule ${scheduleId} already.`, {
      field: "scheduleId",
      expected: "an id that no schedule has",
      received: scheduleId,
    });
  },
  async changeSchedule({ params: { scheduleId }, body, caller }) {
    const refusal = refusalOf(body);
    if (refusal !== undefined) return refusal;
    const was = await schedules.read(scheduleId);
    if (was === undefined) return unknown(scheduleId);
    const { createdAt, version, lastRunAt, lastJobId } = was;
    const last = {
      ...(lastRunAt === undefined ? {} : { lastRunAt }),
      ...(lastJobId === undefined ? {} : { lastJobId }),
    };
    const next = rescheduled({ ...body, ...last, scheduleId, caller, createdAt, version }, productClock.now());
    if ((await schedules.write(was, next)) === "written") return { status: 200, body: viewOf(next) };
    return refuse("conflict", `Schedule ${scheduleId} was changed by somebody else at the same time. Try again.`);
  },
  async deleteSchedule({ params: { scheduleId } }) {
    if ((await schedules.read(scheduleId)) === undefined) return unknown(scheduleId);
    await schedules.remove(scheduleId);
    return { status: 204 };
  },
});
