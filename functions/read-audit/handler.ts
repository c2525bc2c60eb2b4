import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { recentEntries } from "../../shared/security/audit.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAudit } from "../adapters/dynamo-audit.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";

const store = dynamoAudit(documentClient(), settings({ AUDIT_TABLE: Setting }).AUDIT_TABLE);

export const handler = httpHandler({
  async listAudit({ query: { meterId, by, limit } }) {
    const about = meterId === undefined ? { by: by ?? "" } : { meterId };
    const { links, intact } = await recentEntries(nodeCrypto, store, about, limit);
    const entries = links.map(({ entry, seq, hash }) => ({ ...entry, seq, hash }));
    return { status: 200, body: { entries, intact } };
  },
});
