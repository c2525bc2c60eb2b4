import { type ExportState, fileName, manifestObject } from "../../shared/readings/exports.ts";
import { maySee } from "../../shared/security/ownership.ts";
import { lambdaClient, s3Client } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoExports } from "../adapters/dynamo-exports.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { invoker } from "../adapters/lambda-invoker.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { s3Links } from "../adapters/s3-lake.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { newId } from "../adapters/system-random.ts";

const env = settings({
  READINGS_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  EXPORT_BUCKET: Setting,
  WRITE_EXPORT_FUNCTION: Setting,
});
const db = documentClient();
const exports = dynamoExports(db, env.READINGS_TABLE);
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const linkTo = s3Links(s3Client(), env.EXPORT_BUCKET);
const start = invoker(lambdaClient(), env.WRITE_EXPORT_FUNCTION);
const LISTED = 100;

const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);
const viewOf = ({ version: _, from, to, ...rest }: ExportState) => ({ ...rest, from: dayText(from), to: dayText(to) });

export const handler = httpHandler({
  async createExport({ body: { from, to, format, meters, measurements }, caller }) {
    const unknown = meters === undefined ? undefined : await firstUnknown(meters);
    if (unknown !== undefined)
      return refuse("invalid-request", `There is no meter ${unknown}.`, {
        field: "meters",
        expected: "ids of enrolled meters",
        received: unknown,
      });
    const createdAt = systemClock.now();
    const state: ExportState = {
      exportId: newId(createdAt),
      kind: "requested",
      caller: { id: caller.id, ...(caller.name === undefined ? {} : { name: caller.name }) },
      format,
      from: Date.parse(from),
      to: Date.parse(to),
      ...(meters === undefined ? {} : { meters }),
      ...(measurements === undefined ? {} : { measurements }),
      state: "running",
      createdAt,
      version: 1,
    };
    await exports.create(state);
    await start({ exportId: state.exportId }); // lost: the next tick finds it running
    return { status: 202, body: viewOf(state) };
  },
  async listExports({ caller }) {
    const found = await exports.list(LISTED);
    const shown = found.filter(({ kind, caller: { id } }) => kind === "daily" || maySee(caller, id));
    return { status: 200, body: { exports: shown.map(viewOf) } };
  },
  async readExport({ params: { exportId }, caller }) {
    const state = await exports.read(exportId);
    if (state === undefined || (state.kind !== "daily" && !maySee(caller, state.caller.id)))
      return refuse("not-found", `There is no export ${exportId}.`, {
        field: "exportId",
        expected: "the id of an export",
        received: exportId,
      });
    if (state.state !== "done") return { status: 200, body: { ...viewOf(state), files: [] } };
    const noted = await exports.files(exportId);
    const files = await Promise.all(
      noted.flatMap(({ object, day, kind, rows, octets, sha256, asOf }) =>
        object === undefined
          ? []
          : [
              linkTo(object).then((url) => ({
                name: fileName(object),
                day: dayText(day),
                kind,
                rows,
                octets,
                sha256,
                asOf,
                url,
              })),
            ],
      ),
    );
    return { status: 200, body: { ...viewOf(state), manifestUrl: await linkTo(manifestObject(exportId)), files } };
  },
});

async function firstUnknown(meterIds: readonly string[]): Promise<string | undefined> {
  const found = await registry.meters(meterIds as Parameters<typeof registry.meters>[0]);
  return meterIds.find((meterId) => !(found as ReadonlyMap<string, unknown>).has(meterId));
}
