import {
  closedView,
  communicationView,
  exceptionsView,
  intervalsView,
  latencyView,
} from "../../shared/api/kpi-view.ts";
import type { Kpis } from "../../shared/api/kpis.ts";
import { jobCounts } from "../../shared/jobs/progress.ts";
import type { IntervalCounts } from "../../shared/jobs/schedule-runs.ts";
import { type MeterWords, rateOf } from "../../shared/kpi/count-fleet.ts";
import { currentCounts } from "../../shared/kpi/fleet-history.ts";
import { lastRuns, type ScheduledJob } from "../../shared/kpi/schedule-runs.ts";
import { placesWhere, placesWithGaps } from "../../shared/kpi/walk-fleet.ts";
import { countRun } from "../../shared/readings/count-runs.ts";
import { DAY_MS, dayOf } from "../../shared/readings/day-block.ts";
import { factsOf } from "../../shared/readings/fleet-columns.ts";
import { fleetMix } from "../../shared/registry/index-fleet.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoDaySummaries } from "../adapters/dynamo-day-summaries.ts";
import { dynamoFleetColumns } from "../adapters/dynamo-fleet-columns.ts";
import { dynamoFleetFiles } from "../adapters/dynamo-fleet-files.ts";
import { dynamoFleetHistory } from "../adapters/dynamo-fleet-history.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { dynamoMissingRecords } from "../adapters/dynamo-missing-records.ts";
import { dynamoScheduleRuns } from "../adapters/dynamo-schedules.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { metersAt } from "../adapters/meters-at.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock, systemClock } from "../adapters/system-clock.ts";

const env = settings({
  REGISTRY_TABLE: Setting,
  ACCESS_TABLE: Setting,
  READINGS_TABLE: Setting,
  LEDGER_TABLE: Setting,
});
const db = documentClient();
const access = dynamoAccess(db, env.ACCESS_TABLE);
const columns = dynamoFleetColumns(db, env.READINGS_TABLE);
const summaries = dynamoDaySummaries(db, env.READINGS_TABLE);
const fleetFiles = dynamoFleetFiles(db, env.REGISTRY_TABLE);
const ledger = dynamoLedger(db, env.LEDGER_TABLE, systemClock.now);
const ports = {
  segments: dynamoSegments(db, env.REGISTRY_TABLE),
  columns,
  history: dynamoFleetHistory(db, env.READINGS_TABLE),
  missing: dynamoMissingRecords(db, env.READINGS_TABLE),
};
const intervals = {
  plans: access,
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE),
  records: ports.missing,
  ledger,
};
const runs = dynamoScheduleRuns(db, env.LEDGER_TABLE);
const DAYS = 31;
/** The last day that was closed lies in these. */
const LOOK_BACK_DAYS = 7;
const WEEK_MS = 7 * DAY_MS;

const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);
const dayAt = (text: string): number => Date.parse(`${text}T00:00:00Z`);

/** Runs of so many segments together are counted when they are asked for; others as they were judged. */
const COUNTED_SEGMENTS = 4;
/** How old such a count may be, ms. */
const COUNT_MS = 60_000;
const counted = new Map<string, { readonly asOf: number; readonly counts: IntervalCounts }>();

async function intervalsOf(job: ScheduledJob, may: boolean): Promise<Kpis["schedules"][number]["intervals"]> {
  if (job.operation.kind !== "readIntervals") return undefined;
  const now = productClock.now();
  let count = counted.get(job.jobId);
  if (may && (count === undefined || now - count.asOf > COUNT_MS)) {
    count = { asOf: now, counts: (await countRun(intervals, job, now, () => true)).counts };
    if (counted.size > 100) counted.clear();
    counted.set(job.jobId, count);
  }
  if (count !== undefined) return { ...intervalsView(count.counts), asOf: count.asOf };
  const judged = await runs.run(job.schedule.scheduleId, job.schedule.runAt);
  if (judged?.intervals === undefined || judged.decidedAt === undefined) return undefined;
  return { ...intervalsView(judged.intervals), asOf: judged.decidedAt };
}

async function scheduleRates(): Promise<Kpis["schedules"]> {
  let segments = COUNTED_SEGMENTS;
  const last = await lastRuns(ledger, systemClock.now() - WEEK_MS);
  return Promise.all(
    last.map(async (job) => {
      const { schedule, jobId, operation, slices, tasks = 0 } = job;
      const may = slices !== undefined && slices <= segments;
      if (may && operation.kind === "readIntervals") segments -= slices;
      const [counts, view] = await Promise.all([jobCounts(ledger, job, systemClock.now()), intervalsOf(job, may)]);
      const { done = 0, open = 0 } = counts ?? {};
      return {
        scheduleId: schedule.scheduleId,
        runAt: schedule.runAt,
        jobId,
        operation: operation.kind,
        tasks,
        done,
        open,
        rate: rateOf(done, tasks),
        ...(view === undefined ? {} : { intervals: view }),
      };
    }),
  );
}

type Query = {
  readonly list: string;
  readonly window?: "hour" | "day" | "week" | undefined;
  readonly reason?: string | undefined;
  readonly position?: string | undefined;
};
/** What a list asks of a meter. */
function matches({ list, window = "day", reason, position }: Query): (words: MeterWords) => boolean {
  switch (list) {
    case "silent":
      return (words) => !words.communicated(window);
    case "failed":
      return (words) => words.reason !== "none" && (reason === undefined || words.reason === reason);
    case "power-off":
      return (words) => words.powerOff;
    case "switch":
      return (words) => words.position !== undefined && (position === undefined || words.position === position);
    case "missing-today":
      return (words) => words.missingToday;
    default:
      return (words) => words.excluded;
  }
}

export const handler = httpHandler({
  async readKpis() {
    const now = productClock.now();
    const today = dayOf(now);
    const [{ asOf, counts }, days, schedules, files] = await Promise.all([
      currentCounts(ports, now),
      summaries.list(today - LOOK_BACK_DAYS * DAY_MS, today),
      scheduleRates(),
      fleetFiles.files(),
    ]);
    const { asOf: mixedAt, mix } = fleetMix(files);
    const closed = days
      .map(closedView)
      .filter((day) => day !== undefined)
      .at(-1);
    const { active, excluded, powerOff, switches, missingToday } = counts;
    return {
      status: 200,
      body: {
        asOf,
        active,
        excluded,
        communication: communicationView(counts),
        latency: latencyView(counts),
        exceptions: exceptionsView(counts),
        powerOff,
        switches,
        missingToday,
        ...(mixedAt === undefined ? {} : { mix: { asOf: mixedAt, kinds: mix } }),
        ...(closed === undefined ? {} : { closed }),
        schedules,
      },
    };
  },
  async readKpiHistory({ query }) {
    const asOf = productClock.now();
    const to = query.to === undefined ? dayOf(asOf) : dayAt(query.to);
    const from = query.from === undefined ? to - (DAYS - 1) * DAY_MS : dayAt(query.from);
    const [fleets, days] = await Promise.all([ports.history.days(from, to), summaries.list(from, to)]);
    const closed = new Map(days.map((summary) => [summary.day, closedView(summary)]));
    const fleet = new Map(fleets.map((one) => [one.day, one]));
    const known = [...new Set([...fleet.keys(), ...closed.keys()])].sort((left, right) => left - right);
    return {
      status: 200,
      body: {
        asOf,
        days: known.map((day) => {
          const counted = fleet.get(day);
          const end = closed.get(day);
          return {
            day: dayText(day),
            ...(counted === undefined
              ? {}
              : {
                  fleet: {
                    asOf: counted.asOf,
                    active: counted.counts.active,
                    excluded: counted.counts.excluded,
                    communication: communicationView(counted.counts),
                    latency: latencyView(counted.counts),
                    exceptions: counted.counts.reasons,
                  },
                }),
            ...(end === undefined ? {} : { closed: end }),
          };
        }),
      },
    };
  },
  async listKpiMeters({ query }) {
    const asOf = productClock.now();
    const at = /^(\d{1,8})\.(\d{1,4})$/.exec(query.cursor ?? "");
    const from = at === null ? undefined : { segment: Number(at[1]), slot: Number(at[2]) };
    const page = { from, limit: query.limit };
    const { places, next } =
      query.list === "gaps"
        ? await placesWithGaps(ports, dayAt(query.day ?? dayText(asOf)), page)
        : await placesWhere(ports, matches(query), asOf, page);
    const [meterIds, facts] = await Promise.all([
      metersAt(access, places),
      columns.readMany([...new Set(places.map(({ segment }) => segment))]),
    ]);
    return {
      status: 200,
      body: {
        asOf,
        meters: places.flatMap(({ segment, slot }, index) => {
          const meterId = meterIds[index];
          const known = facts.get(segment);
          if (meterId === undefined) return [];
          return [{ meterId, ...(known === undefined ? {} : { facts: factsOf(known, slot) }) }];
        }),
        ...(next === undefined ? {} : { cursor: `${next.segment}.${next.slot}` }),
      },
    };
  },
});
