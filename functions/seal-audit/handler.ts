import { z } from "zod";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { sealAudit } from "../../shared/security/audit-seal.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAudit } from "../adapters/dynamo-audit.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { sealPorts } from "../adapters/seal-ports.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { logger, metrics } from "../adapters/telemetry.ts";

const store = dynamoAudit(documentClient(), settings({ AUDIT_TABLE: Setting }).AUDIT_TABLE);
const ports = { ...sealPorts(), store, crypto: nodeCrypto };

/** Signs what the audit has become. What does not follow from the last seal is an alarm each minute, until somebody looks. */
export const handler = eventHandler(z.object({}), async () => {
  const sealing = await sealAudit(ports, systemClock.now());
  if (sealing.kind === "unchanged") return undefined;
  if (sealing.kind === "broken") {
    metrics.addMetric("brokenAuditChains", "Count", sealing.chains.length);
    logger.error("audit chains do not follow from what was sealed", { chains: sealing.chains });
  }
  return sealing;
});
