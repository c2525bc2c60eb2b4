import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { guardDesk } from "../../shared/switching/guard-desk.ts";
import { switchGate } from "../../shared/switching/order-gate.ts";
import { auditOfEnvironment } from "./audit-ports.ts";
import { documentClient } from "./document-client.ts";
import { dynamoAccess } from "./dynamo-access.ts";
import { dynamoAuthority } from "./dynamo-authority.ts";
import { dynamoGuards } from "./dynamo-guards.ts";
import { Setting, settings } from "./settings.ts";
import { systemClock } from "./system-clock.ts";

/** The gate of orders to switches as the environment says. */
export function gateOfEnvironment() {
  const env = settings({ ACCESS_TABLE: Setting, AUTHORITY_TABLE: Setting });
  const db = documentClient();
  const { guards } = dynamoAuthority(db, env.AUTHORITY_TABLE);
  return switchGate({
    guards: guardDesk({ store: dynamoGuards(db, env.ACCESS_TABLE), clock: systemClock, settings: guards }),
    settings: guards,
    access: dynamoAccess(db, env.ACCESS_TABLE),
    crypto: nodeCrypto,
    audit: auditOfEnvironment(),
  });
}
