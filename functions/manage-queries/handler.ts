import type { Caller } from "../../shared/jobs/job.ts";
import { countJobs, findJobs } from "../../shared/queries/find-jobs.ts";
import { countMeters, findMeters } from "../../shared/queries/find-meters.ts";
import type { Fact } from "../../shared/queries/language/field.ts";
import { membersBySets } from "../../shared/queries/members-by-sets.ts";
import { type Asked, jobsOf, mayUse, type StoredQuery, sentenceOf } from "../../shared/queries/stored-query.ts";
import { countOf } from "../../shared/registry/member-sets.ts";
import { mayManage } from "../../shared/security/ownership.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { dynamoQueries } from "../adapters/dynamo-named.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { fleetSearchOfEnvironment } from "../adapters/fleet-search-environment.ts";
import { jobSearch } from "../adapters/job-search.ts";
import { meterSearch } from "../adapters/meter-search.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({
  LEDGER_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  READINGS_TABLE: Setting,
  ACCESS_TABLE: Setting,
});
const db = documentClient();
const queries = dynamoQueries(db, env.LEDGER_TABLE);
const segments = dynamoSegments(db, env.REGISTRY_TABLE);
const meters = meterSearch(db, {
  registry: env.REGISTRY_TABLE,
  readings: env.READINGS_TABLE,
  access: env.ACCESS_TABLE,
});
const jobs = jobSearch(dynamoLedger(db, env.LEDGER_TABLE, systemClock.now));
const fleet = fleetSearchOfEnvironment({ memoryMb: 700, timeoutMs: 15_000 });
const PREVIEWED = 20;
/** Of a page of the files; other cursors are those of the directory. */
const PLACE = /^\d+\.\d+$/;

function viewOf({ caller: { id, name }, over = "meters", sharing = { kind: "everyone" }, ...shown }: StoredQuery) {
  const sentence = sentenceOf({ over, filter: shown.filter } as Asked);
  return { ...shown, over, sharing, sentence, caller: { id, ...(name === undefined ? {} : { name }) } };
}
const shown = (row: Readonly<Record<string, Fact | undefined>>) =>
  Object.fromEntries(Object.entries(row).filter((entry): entry is [string, Exclude<Fact, null>] => entry[1] != null));

const unknown = (query: string) =>
  refuse("not-found", `There is no query ${query}.`, {
    field: "query",
    expected: "the name of a stored query that the caller may use",
    received: query,
  });

/** The query, to somebody who may use it. */
async function used(name: string, caller: Caller): Promise<StoredQuery | undefined> {
  const query = await queries.read(name);
  return query !== undefined && mayUse(caller, query) ? query : undefined;
}

async function rowsOf(
  asked: Asked,
  caller: Caller,
  page: { readonly limit: number; readonly cursor?: string | undefined },
) {
  const sentence = sentenceOf(asked);
  if (asked.over === "jobs") {
    const found = await findJobs(jobs, asked.filter, { ...page, callerId: jobsOf(caller) });
    const rows = found.jobs.map(({ job: { jobId }, row }) => ({ ...shown(row), jobId }));
    return { over: "jobs" as const, sentence, asOf: jobs.now(), rows, ...cursorOf(found) };
  }
  const { cursor } = page;
  if (cursor === undefined || PLACE.test(cursor)) {
    const byFiles = await fleet.ask(async (fleetQueries, asOf) => {
      const { rows, ...rest } = await fleetQueries.rows(asked.filter, page);
      const named = rows.map((row) => ({ ...shown(row), meterId: String(row.meterId) }));
      return { over: "meters" as const, sentence, asOf, rows: named, ...cursorOf(rest) };
    });
    if (byFiles !== undefined) return byFiles;
  }
  const found = await findMeters(meters, asked.filter, page);
  const rows = found.meters.map(({ meter, row }) => ({ ...shown(row), meterId: meter.meter.meterId }));
  return { over: "meters" as const, sentence, asOf: meters.now(), rows, ...cursorOf(found) };
}
const cursorOf = ({ cursor }: { readonly cursor?: string }) => (cursor === undefined ? {} : { cursor });

async function counted({ over, filter }: Asked, caller: Caller) {
  if (over === "jobs") return countJobs(jobs, filter, jobsOf(caller));
  const members = (await membersBySets(segments, filter)) ?? (await fleet.members(filter));
  if (members === undefined) return countMeters(meters, filter);
  return { meters: members.reduce((sum, { bitmap }) => sum + countOf(bitmap), 0), complete: true };
}

export const handler = httpHandler({
  listQueries: async ({ caller }) => ({
    status: 200,
    body: { queries: (await queries.list()).filter((query) => mayUse(caller, query)).map(viewOf) },
  }),
  async createQuery({ body, caller }) {
    const query: StoredQuery = { ...body, caller, createdAt: systemClock.now() };
    if ((await queries.create(query)) === "created") return { status: 201, body: viewOf(query) };
    return refuse("conflict", `There is a query ${body.name} already.`, {
      field: "name",
      expected: "a name that no query has",
      received: body.name,
    });
  },
  async previewQuery({ body, caller }) {
    const [{ cursor: _cursor, ...rows }, count] = await Promise.all([
      rowsOf(body, caller, { limit: PREVIEWED }),
      counted(body, caller),
    ]);
    return { status: 200, body: { ...rows, ...count } };
  },
  async readQuery({ params: { query }, caller }) {
    const found = await used(query, caller);
    return found === undefined ? unknown(query) : { status: 200, body: viewOf(found) };
  },
  async countQuery({ params: { query }, caller }) {
    const found = await used(query, caller);
    if (found === undefined) return unknown(query);
    return { status: 200, body: { ...(await counted(found, caller)), asOf: meters.now() } };
  },
  async runQuery({ params: { query }, query: page, caller }) {
    const found = await used(query, caller);
    return found === undefined ? unknown(query) : { status: 200, body: await rowsOf(found, caller, page) };
  },
  async deleteQuery({ params: { query }, caller }) {
    const found = await used(query, caller);
    if (found === undefined) return unknown(query);
    if (!mayManage(caller, found.caller.id))
      return refuse("forbidden", "The query is somebody else's.", {
        field: "query",
        expected: "a query of the caller's own, or a supervisor or administrator",
        received: query,
      });
    await queries.remove(query);
    return { status: 204 };
  },
});
