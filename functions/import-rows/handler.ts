import { z } from "zod";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { lambdaClient, s3Client } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoImports } from "../adapters/dynamo-imports.ts";
import { dynamoTransportKeys } from "../adapters/dynamo-transport-keys.ts";
import { enrolPorts } from "../adapters/enrol-ports.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { invoker } from "../adapters/lambda-invoker.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { s3Imports } from "../adapters/s3-imports.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { runImport } from "./run-import.ts";

const env = settings({ REGISTRY_TABLE: Setting, IMPORT_BUCKET: Setting, IMPORT_ROWS_FUNCTION: Setting });
const db = documentClient();
const { vault } = vaultOfEnvironment();
const ports = {
  imports: dynamoImports(db, env.REGISTRY_TABLE),
  files: s3Imports(s3Client(), env.IMPORT_BUCKET),
  keys: dynamoTransportKeys(db, env.REGISTRY_TABLE, vault),
  enrol: enrolPorts(vault),
  crypto: nodeCrypto,
  clock: systemClock,
};
const goOn = invoker(lambdaClient(), env.IMPORT_ROWS_FUNCTION);

/** Works through an import; near its time limit it starts itself again. */
export const handler = eventHandler(z.object({ importId: z.string() }), async ({ importId }, context) => {
  const end = await runImport(ports, importId, context.awsRequestId, () => context.getRemainingTimeInMillis());
  if (end === "again") await goOn({ importId });
  return { importId, end };
});
