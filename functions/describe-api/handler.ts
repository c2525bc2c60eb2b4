import { openApi } from "../../shared/api/openapi.ts";
import { FAILURE_REASONS, FAILURES } from "../../shared/metering/failure.ts";
import { VERSION } from "../adapters/deployment-marker.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";

const description = openApi(VERSION);

/** The words that a task can carry: `none` is none. */
const failures = FAILURE_REASONS.filter((reason) => reason !== "none").map((reason) => ({
  reason,
  retry: FAILURES[reason].retry,
  hint: FAILURES[reason].hint,
}));

export const handler = httpHandler({
  listFailures: async () => ({ status: 200, body: { failures } }),
  describeApi: async () => ({
    status: 200,
    body: description,
    headers: { "cache-control": "public, max-age=300" },
  }),
});
