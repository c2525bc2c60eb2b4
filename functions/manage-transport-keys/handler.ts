import { fromHex } from "../../shared/ports/octets.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoTransportKeys } from "../adapters/dynamo-transport-keys.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";

const env = settings({ REGISTRY_TABLE: Setting });
const keys = dynamoTransportKeys(documentClient(), env.REGISTRY_TABLE, vaultOfEnvironment().vault);

export const handler = httpHandler({
  async putTransportKey({ params: { keyId }, body }) {
    const key = fromHex(body.key);
    const version = await keys.put(keyId, key);
    key.fill(0);
    return { status: 200, body: { keyId, version } };
  },
});
