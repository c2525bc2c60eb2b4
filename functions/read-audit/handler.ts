import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { chainAbout, recentEntries } from "../../shared/security/audit.ts";
import { isGenuine } from "../../shared/security/audit-seal.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAudit } from "../adapters/dynamo-audit.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";
import { sealPorts } from "../adapters/seal-ports.ts";
import { Setting, settings } from "../adapters/settings.ts";

const store = dynamoAudit(documentClient(), settings({ AUDIT_TABLE: Setting }).AUDIT_TABLE);
const { seals, signer } = sealPorts();

export const handler = httpHandler({
  async listAudit({ query: { meterId, by, limit } }) {
    const about = meterId === undefined ? { by: by ?? "" } : { meterId };
    const seal = await seals.last();
    const genuine = seal === undefined || (await isGenuine(nodeCrypto, signer, seal));
    const head = seal?.heads.find(({ chain }) => chain === chainAbout(about));
    const { links, intact } = await recentEntries(nodeCrypto, store, about, limit, head);
    const entries = links.map(({ entry, seq, hash }) => ({ ...entry, seq, hash }));
    const sealed = seal === undefined ? {} : { sealed: { at: seal.at, seq: head?.seq ?? 0 } };
    return { status: 200, body: { entries, intact: intact && genuine, ...sealed } };
  },
});
