import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { auditLog } from "../../shared/security/audit.ts";
import { documentClient } from "./document-client.ts";
import { dynamoAudit } from "./dynamo-audit.ts";
import { Setting, settings } from "./settings.ts";
import { systemClock } from "./system-clock.ts";

/** The audit as the environment says. */
export const auditOfEnvironment = () =>
  auditLog({
    store: dynamoAudit(documentClient(), settings({ AUDIT_TABLE: Setting }).AUDIT_TABLE),
    crypto: nodeCrypto,
    clock: systemClock,
  });
