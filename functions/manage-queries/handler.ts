import type { StoredQuery } from "../../shared/jobs/stored-query.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoQueries } from "../adapters/dynamo-named.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { countMatching } from "../adapters/filter-members.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({ LEDGER_TABLE: Setting, REGISTRY_TABLE: Setting });
const db = documentClient();
const queries = dynamoQueries(db, env.LEDGER_TABLE);
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const segments = dynamoSegments(db, env.REGISTRY_TABLE);

function viewOf({ caller: { id, name }, ...shown }: StoredQuery) {
  return { ...shown, caller: { id, ...(name === undefined ? {} : { name }) } };
}
const unknown = (query: string) =>
  refuse("not-found", `There is no query ${query}.`, {
    field: "query",
    expected: "the name of a stored query",
    received: query,
  });

export const handler = httpHandler({
  listQueries: async () => ({ status: 200, body: { queries: (await queries.list()).map(viewOf) } }),
  async createQuery({ body, caller }) {
    const query = { ...body, caller, createdAt: systemClock.now() };
    if ((await queries.create(query)) === "created") return { status: 201, body: viewOf(query) };
    return refuse("conflict", `There is a query ${body.name} already.`, {
      field: "name",
      expected: "a name that no query has",
      received: body.name,
    });
  },
  async previewQuery({ body: { filter } }) {
    return { status: 200, body: await countMatching(registry, segments, filter) };
  },
  async readQuery({ params: { query } }) {
    const found = await queries.read(query);
    return found === undefined ? unknown(query) : { status: 200, body: viewOf(found) };
  },
  async countQuery({ params: { query } }) {
    const found = await queries.read(query);
    if (found === undefined) return unknown(query);
    return { status: 200, body: await countMatching(registry, segments, found.filter) };
  },
  async deleteQuery({ params: { query } }) {
    if ((await queries.read(query)) === undefined) return unknown(query);
    await queries.remove(query);
    return { status: 204 };
  },
});
