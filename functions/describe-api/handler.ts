import { openApi } from "../../shared/api/openapi.ts";
import { FAILURE_REASONS, FAILURES } from "../../shared/metering/failure.ts";
import { JOB_FIELDS } from "../../shared/queries/job-fields.ts";
import { LEVELS_MAX, NODES_MAX } from "../../shared/queries/language/condition.ts";
import type { Field, Vocabulary } from "../../shared/queries/language/field.ts";
import { METER_FIELDS } from "../../shared/queries/language/meter-fields.ts";
import { VERSION } from "../adapters/deployment-marker.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";

const description = openApi(VERSION);

/** The words that a task can carry: `none` is none. */
const failures = FAILURE_REASONS.filter((reason) => reason !== "none").map((reason) => ({
  reason,
  retry: FAILURES[reason].retry,
  hint: FAILURES[reason].hint,
}));

const fieldsOf = (vocabulary: Vocabulary) =>
  Object.entries<Field>(vocabulary).map(([name, field]) => ({ name, ...field }));

export const handler = httpHandler({
  listFailures: async () => ({ status: 200, body: { failures } }),
  listQueryFields: async () => ({
    status: 200,
    body: { meters: fieldsOf(METER_FIELDS), jobs: fieldsOf(JOB_FIELDS), levels: LEVELS_MAX, nodes: NODES_MAX },
    headers: { "cache-control": "private, max-age=300" },
  }),
  describeApi: async () => ({
    status: 200,
    body: description,
    headers: { "cache-control": "public, max-age=300" },
  }),
});
