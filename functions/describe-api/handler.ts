import { openApi } from "../../shared/api/openapi.ts";
import { VERSION } from "../adapters/deployment-marker.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";

const description = openApi(VERSION);

export const handler = httpHandler({
  describeApi: async () => ({
    status: 200,
    body: description,
    headers: { "cache-control": "public, max-age=300" },
  }),
});
