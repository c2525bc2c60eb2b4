import type { ResponseOf } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import { lambdaClient, s3Client } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoImports, type ImportState } from "../adapters/dynamo-imports.ts";
import { invoker } from "../adapters/lambda-invoker.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { LINK_SECONDS, s3Imports } from "../adapters/s3-imports.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { newId } from "../adapters/system-random.ts";

const env = settings({ REGISTRY_TABLE: Setting, IMPORT_BUCKET: Setting, IMPORT_ROWS_FUNCTION: Setting });
const imports = dynamoImports(documentClient(), env.REGISTRY_TABLE);
const files = s3Imports(s3Client(), env.IMPORT_BUCKET);
const start = invoker(lambdaClient(), env.IMPORT_ROWS_FUNCTION);
const ERRORS_SHOWN = 1000;
const NOTHING_YET = { octets: 0, lines: 0, rows: 0, enrolled: 0, unchanged: 0, rejected: 0 };

async function viewOf(state: ImportState): Promise<ResponseOf<Routes["readImport"]>> {
  const { importId, createdAt, rows, enrolled, unchanged, rejected, failure } = state;
  const errors = [];
  for await (const error of imports.errors(state)) if (errors.push(error) === ERRORS_SHOWN) break;
  return {
    importId,
    state: state.state,
    createdAt,
    rows,
    enrolled,
    unchanged,
    rejected,
    errors,
    ...(failure === undefined ? {} : { failure }),
    ...(state.state === "done" ? { reportUrl: await files.reportUrl(importId) } : {}),
  };
}
const unknown = (importId: string) =>
  refuse("not-found", `There is no import ${importId}.`, {
    field: "importId",
    expected: "the id of an import",
    received: importId,
  });

export const handler = httpHandler({
  async createImport() {
    const createdAt = systemClock.now();
    const importId = newId(createdAt);
    await imports.create({ importId, state: "created", createdAt, run: 0, ...NOTHING_YET, version: 1 });
    const expires = createdAt + LINK_SECONDS * 1000;
    const upload = { url: await files.uploadUrl(importId), method: "PUT", expires } as const;
    return { status: 201, body: { importId, upload } };
  },
  async startImport({ params: { importId } }) {
    let state = await imports.read(importId);
    if (state === undefined) return unknown(importId);
    if (state.state === "created" || state.state === "failed") {
      const etag = await files.uploaded(importId);
      if (etag === undefined)
        return refuse("conflict", "Nothing was uploaded yet.", {
          field: "upload",
          expected: "a CSV sent by PUT to the upload URL before the start",
        });
      const { run } = state;
      const begun = { state: "running", run: run + 1, etag, columns: undefined, failure: undefined } as const;
      state = (await imports.write(state, { ...begun, ...NOTHING_YET })) ?? state;
    }
    if (state.state !== "done") await start({ importId });
    return { status: 202, body: await viewOf(state) };
  },
  async readImport({ params: { importId } }) {
    const state = await imports.read(importId);
    return state === undefined ? unknown(importId) : { status: 200, body: await viewOf(state) };
  },
});
