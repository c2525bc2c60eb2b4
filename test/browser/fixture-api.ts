import { createHash } from "node:crypto";
import { problemOf } from "../../shared/api/problem.ts";
import type { ResponseReceived } from "../../shared/api/route.ts";
import type { RouteName, Routes } from "../../shared/api/routes.ts";
import { FixtureGrid } from "./fixture-grid.ts";
import { fixtureKpis } from "./fixture-kpis.ts";
import { type FixtureMeter, loadAt, meterAt, PERIOD_S } from "./fixture-meters.ts";
import { FixtureQueries } from "./fixture-queries.ts";
import { FixtureSafety } from "./fixture-safety.ts";
import { FixtureSchedules } from "./fixture-schedules.ts";
import { FixtureSubscriptions } from "./fixture-subscriptions.ts";

type Body<N extends RouteName> = ResponseReceived<Routes[N]>;
type FixtureJob = Body<"readJob">;
type Reasons = NonNullable<FixtureJob["progress"]>["reasons"];

export interface FixtureAnswer {
  readonly status: number;
  readonly body: unknown;
}

const PAGE = 200;

/**
 * What the API would say to the console, from data made up here and typed by the table of routes. A job ends its tasks by
 * time; one meter in 40 does not answer, one in 100 has the wrong keys.
 */
export class FixtureApi {
  readonly #meters: readonly FixtureMeter[];
  readonly #jobs = new Map<
    string,
    { readonly job: FixtureJob; readonly startedAt: number; readonly lastsMs: number }
  >();
  readonly #now: () => number;
  readonly #jobMs: number;
  readonly #schedules: FixtureSchedules;
  readonly #queries: FixtureQueries;
  readonly #paused = new Set<string>();
  #parked = 3;
  readonly #safety = new FixtureSafety();
  readonly #grid = new FixtureGrid();
  readonly #subscriptions: FixtureSubscriptions;

  constructor(meters: number, now: () => number, jobMs = 5000) {
    this.#meters = Array.from({ length: meters }, (_, index) => meterAt(index));
    this.#now = now;
    this.#jobMs = jobMs;
    this.#schedules = new FixtureSchedules(now);
    this.#subscriptions = new FixtureSubscriptions(now);
    const rows = this.#meters.map(({ meterId, commodity, memberships: { feeder = null, groups = [] } }) => ({
      meterId,
      commodity,
      feeder,
      group: groups,
    }));
    this.#queries = new FixtureQueries(rows, now);
  }

  answer(method: string, url: URL, roles: readonly string[], body: unknown): FixtureAnswer {
    const [first, second, third, ...rest] = url.pathname.split("/").slice(1).map(decodeURIComponent);
    const ok = <N extends RouteName>(_route: N, value: Body<N>, status = 200): FixtureAnswer => ({
      status,
      body: value,
    });
    if (method === "GET" && first === "meters" && second === undefined) return ok("listMeters", this.#list(url));
    if (method === "GET" && first === "meters") {
      const index = this.#meters.findIndex(({ meterId }) => meterId === second);
      const meter = this.#meters[index];
      if (meter === undefined) return refused("not-found", `No meter ${second} is enrolled.`);
      return third === "readings"
        ? ok("readReadings", this.#readings(meter, index, url))
        : ok("readMeter", this.#meter(meter));
    }
    if (first === "jobs") return this.#jobRoute(method, second, third, url, roles, body, ok);
    if (first === "kpis" && second === "meters")
      return ok("listKpiMeters", { asOf: this.#iso(), meters: [{ meterId: this.#meters[0]?.meterId ?? "" }] });
    if (first === "kpis" && second === "history") return ok("readKpiHistory", { asOf: this.#iso(), days: [] });
    if (first === "kpis") return ok("readKpis", fixtureKpis(this.#meters.length, this.#iso()));
    if (first === "groups")
      return ok("listGroups", { groups: [{ group: "residential", meters: this.#meters.length }] });
    if (first === "schedules") return this.#scheduleRoute(method, second, third, body, ok);
    if (first === "calendars")
      return ok("listCalendars", {
        calendars: [{ name: "holidays", timeZone: "Europe/Zurich", dates: [], daily: [] }],
      });
    if (first === "query-fields") return ok("listQueryFields", this.#queries.fields());
    if (first === "queries") return this.#queryRoute(method, second, body, ok);
    if (first === "authority" || first === "stops") return this.#safety.answer(second, body);
    const grid = this.#grid.answer(method, [first ?? "", second, third, ...rest], body);
    if (grid !== undefined) return grid;
    if (first === "failures")
      return ok("listFailures", {
        failures: [
          { reason: "timeout", retry: "later", hint: "Connected, but no answer in time." },
          { reason: "auth", retry: "never", hint: "Keys, system title or proof did not match." },
        ],
      });
    if (first === "subscriptions") return this.#subscriptions.answer(method, second, third);
    if (first === "parked" && second !== undefined) {
      const queue = second as Body<"listParked">["queue"];
      const parked = queue === "results" ? this.#parked : 0;
      if (method === "GET") return ok("listParked", this.#parkedIn(queue, parked));
      this.#parked = 0;
      return ok("replayParked", { replayed: parked, remaining: 0 });
    }
    return refused("not-found", `No route ${method} ${url.pathname}.`);
  }

  #scheduleRoute(
    method: string,
    scheduleId: string | undefined,
    part: string | undefined,
    body: unknown,
    ok: <N extends RouteName>(route: N, value: Body<N>, status?: number) => FixtureAnswer,
  ): FixtureAnswer {
    if (method === "GET") return ok("listSchedules", this.#schedules.list());
    if (scheduleId === undefined)
      return ok("createSchedule", this.#schedules.create(body as Parameters<FixtureSchedules["create"]>[0]), 201);
    if (scheduleId === "preview")
      return ok("previewSchedule", this.#schedules.preview(body as Parameters<FixtureSchedules["preview"]>[0]));
    const switched = this.#schedules.switch(scheduleId, part === "resume");
    return switched === undefined
      ? refused("not-found", `There is no schedule ${scheduleId}.`)
      : ok("pauseSchedule", switched);
  }

  #iso(): string {
    return new Date(this.#now()).toISOString();
  }

  #meter(meter: FixtureMeter): Body<"readMeter"> {
    const at = new Date(this.#now() - 60_000).toISOString();
    return {
      ...meter,
      asOf: new Date(this.#now()).toISOString(),
      facts: {
        contactAt: at,
        triedAt: at,
        reason: "none",
        power: "on",
        switch: { position: "closed", at },
        missing: 0,
      },
    };
  }

  #queryRoute(
    method: string,
    name: string | undefined,
    body: unknown,
    ok: <N extends RouteName>(route: N, value: Body<N>, status?: number) => FixtureAnswer,
  ): FixtureAnswer {
    if (method === "POST" && name === "preview")
      return ok("previewQuery", this.#queries.preview(body as Parameters<FixtureQueries["preview"]>[0]));
    if (method === "POST")
      return ok("createQuery", this.#queries.create(body as Parameters<FixtureQueries["create"]>[0]), 201);
    if (name === undefined) return ok("listQueries", this.#queries.list());
    const found = this.#queries.run(name);
    return found === undefined ? refused("not-found", `There is no query ${name}.`) : ok("runQuery", found);
  }

  #list(url: URL): Body<"listMeters"> {
    const search = url.searchParams.get("search") ?? "";
    const found = this.#meters.filter(({ meterId, serial }) => meterId.startsWith(search) || serial === search);
    const from = Number(url.searchParams.get("cursor") ?? "0");
    const limit = Math.min(Number(url.searchParams.get("limit") ?? "100"), PAGE);
    const meters = found.slice(from, from + limit);
    return { meters, ...(from + limit < found.length ? { cursor: String(from + limit) } : {}) };
  }

  #jobRoute(
    method: string,
    jobId: string | undefined,
    part: string | undefined,
    url: URL,
    roles: readonly string[],
    body: unknown,
    ok: <N extends RouteName>(route: N, value: Body<N>, status?: number) => FixtureAnswer,
  ): FixtureAnswer {
    if (jobId === undefined && method === "POST") {
      if (!roles.some((role) => ["operator", "supervisor", "analyst"].includes(role)))
        return refused("forbidden", "Submitting a job needs operator, supervisor or analyst.");
      return ok("submitJob", this.#submit(body as Pick<FixtureJob, "operation" | "target">), 202);
    }
    if (jobId === undefined)
      return ok("listJobs", { jobs: [...this.#jobs.keys()].reverse().flatMap((id) => this.#job(id) ?? []) });
    const job = this.#job(jobId);
    if (job === undefined) return refused("not-found", `No job ${jobId}.`);
    if (part === "pause" || part === "resume") {
      if (part === "pause") this.#paused.add(jobId);
      else this.#resume(jobId);
      return ok("pauseJob", { jobId, state: part === "pause" ? "paused" : "running" }, 202);
    }
    if (part === "clone")
      return ok("cloneJob", this.#submit({ ...job, target: { kind: "tasksOf", jobId, states: ["failed"] } }), 202);
    if (part === "tasks") return ok("listTasks", this.#tasks(job, url.searchParams.get("state")));
    return ok("readJob", job);
  }

  #submit({ operation, target }: Pick<FixtureJob, "operation" | "target">): Body<"submitJob"> {
    const now = this.#now();
    const jobId = createHash("sha256").update(`${now} ${this.#jobs.size}`).digest("hex").slice(0, 26);
    const job: FixtureJob = {
      jobId,
      operation,
      target,
      lane: target.kind === "meters" ? "interactive" : "bulk",
      state: "running",
      createdAt: new Date(now).toISOString(),
      deadline: new Date(now + 86_400_000).toISOString(),
      retry: { passes: 3, backoffSeconds: 60 },
      caller: { id: "operator", name: "operator" },
      tasks: target.kind === "meters" ? target.meterIds.length : this.#meters.length,
    };
    // A group takes its time, so that there is some to pause it.
    this.#jobs.set(jobId, { job, startedAt: now, lastsMs: this.#jobMs * (target.kind === "group" ? 40 : 1) });
    return { jobId, state: "planning" };
  }

  /** A resumed job is through before long. */
  #resume(jobId: string): void {
    this.#paused.delete(jobId);
    const entry = this.#jobs.get(jobId);
    if (entry !== undefined) this.#jobs.set(jobId, { ...entry, startedAt: this.#now() + this.#jobMs - entry.lastsMs });
  }

  #job(jobId: string): FixtureJob | undefined {
    const entry = this.#jobs.get(jobId);
    if (entry === undefined) return undefined;
    const { job, startedAt, lastsMs } = entry;
    const tasks = job.tasks ?? 0;
    const part = Math.min(1, (this.#now() - startedAt) / lastsMs);
    const ended = Math.floor(tasks * part);
    const silent = Math.floor(ended / 40);
    const wrong = Math.floor(ended / 100);
    const resting = part < 1 ? Math.floor((tasks - ended) / 25) : 0;
    const reasons: Reasons = {
      ...(silent > 0 ? { timeout: silent } : {}),
      ...(wrong > 0 ? { auth: wrong } : {}),
      ...(resting > 0 ? { "open:unreachable": resting } : {}),
    };
    return {
      ...job,
      state: part === 1 ? "closed" : this.#paused.has(jobId) ? "paused" : "running",
      ...(part < 1 ? {} : { closedAt: new Date(startedAt + lastsMs).toISOString() }),
      progress: {
        asOf: new Date(Math.min(this.#now(), startedAt + lastsMs)).toISOString(),
        open: tasks - ended,
        done: ended - silent - wrong,
        failed: silent + wrong,
        expired: 0,
        cancelled: 0,
        reasons,
      },
    };
  }

  #tasks({ progress }: FixtureJob, state: string | null): Body<"listTasks"> {
    const failed = progress?.failed ?? 0;
    const ended = failed + (progress?.done ?? 0);
    const tasks = this.#meters.map(({ meterId }, index): Body<"listTasks">["tasks"][number] => {
      if (index >= ended) return { meterId, state: "open" };
      if (index >= failed) return { meterId, state: "done" };
      return {
        meterId,
        state: "failed",
        reason: "timeout",
        retry: "later",
        hint: "Connected, but no answer in time. Check signal quality and the meter's load.",
      };
    });
    return { tasks: tasks.filter((task) => state === null || task.state === state) };
  }

  /** Stored are the 15-minute totals of the last three days; an hour and a half of the last night is missing. */
  #readings({ meterId }: FixtureMeter, index: number, url: URL): Body<"readReadings"> {
    const now = this.#now();
    const to = Date.parse(url.searchParams.get("to") ?? new Date(now).toISOString());
    const from = Date.parse(url.searchParams.get("from") ?? new Date(now - 86_400_000).toISOString());
    const last = Math.floor(now / 1000 / PERIOD_S) * PERIOD_S;
    const entries: Body<"readReadings">["intervals"][number]["entries"] = [];
    let total = 18_446_744_073_000n + BigInt(index);
    for (let end = last - 3 * 86_400; end <= last; end += PERIOD_S) {
      total += BigInt(loadAt(end, index));
      const back = (last - end) / PERIOD_S;
      if ((back >= 30 && back < 36) || end * 1000 <= from || end * 1000 > to) continue;
      entries.push({
        end: new Date(end * 1000).toISOString(),
        values: [total.toString(), "0"],
        status: back === 50 ? ["clockAdjusted"] : [],
        quality: [],
        batch: `bridge-1-${Math.floor(end / 86_400)}`,
      });
    }
    const at = new Date(last * 1000).toISOString();
    const energy = { unit: "Wh", scaler: 0, cumulative: true };
    return {
      meterId,
      asOf: new Date(now).toISOString(),
      snapshots: [],
      registers: [
        {
          measurement: "energy.active.import.total",
          unit: "Wh",
          value: total.toString(),
          scaler: 0,
          at,
          readingType: "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
          batch: "bridge-1-42",
        },
        {
          measurement: "voltage.l1.line",
          unit: "V",
          value: "2304",
          scaler: -1,
          at,
          readingType: "0.0.0.12.0.1.54.0.0.0.0.0.0.0.128.0.29.0",
        },
      ],
      intervals: [
        {
          channelSet: "load",
          period: PERIOD_S,
          channels: [
            {
              ...energy,
              measurement: "energy.active.import.total",
              readingType: "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
            },
            {
              ...energy,
              measurement: "energy.active.export.total",
              readingType: "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0",
            },
          ],
          entries,
        },
      ],
    };
  }

  #parkedIn(queue: Body<"listParked">["queue"], count: number): Body<"listParked"> {
    return {
      queue,
      count,
      messages: Array.from({ length: count }, (_, index) => ({
        messageId: `0f6f2b1c-0000-4000-8000-00000000000${index}`,
        sentAt: new Date(this.#now() - 7_200_000).toISOString(),
        receives: 10,
        reason: "expected a batch of version 1, got no JSON",
        octets: 17,
      })),
    };
  }
}

const refused = (kind: "not-found" | "forbidden", detail: string): FixtureAnswer => {
  const body = problemOf(kind, detail);
  return { status: body.status, body };
};
