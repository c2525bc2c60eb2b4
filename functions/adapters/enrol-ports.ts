import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { EnrolPorts } from "../../shared/registry/enrolment.ts";
import { marking } from "../../shared/registry/fleet-files.ts";
import type { Profiles } from "../../shared/registry/registry.ts";
import { keyVault, type SecretVault } from "../../shared/security/key-vault.ts";
import { documentClient } from "./document-client.ts";
import { dynamoAccess } from "./dynamo-access.ts";
import { dynamoFleetFiles } from "./dynamo-fleet-files.ts";
import { dynamoProfiles } from "./dynamo-profiles.ts";
import { dynamoRegistry } from "./dynamo-registry.ts";
import { dynamoSegments } from "./dynamo-segments.ts";
import { Setting, settings } from "./settings.ts";
import { productClock, systemClock } from "./system-clock.ts";

/** How long a found profile is taken for the newest, ms. */
const PROFILE_MS = 60_000;

/** Profiles change rarely and are asked for with every meter. */
function remembered(profiles: Pick<Profiles, "latest">): Pick<Profiles, "latest"> {
  const known = new Map<string, { readonly profile: Awaited<ReturnType<Profiles["latest"]>>; readonly at: number }>();
  return {
    async latest(name) {
      const entry = known.get(name);
      if (entry !== undefined && systemClock.now() - entry.at < PROFILE_MS) return entry.profile;
      const profile = await profiles.latest(name);
      if (profile !== undefined) known.set(name, { profile, at: systemClock.now() });
      return profile;
    },
  };
}

/** The stores that enrolment works on, by their tables. */
export const enrolmentStores = (
  db: DynamoDBDocumentClient,
  tables: { readonly registry: string; readonly access: string },
): Pick<EnrolPorts, "registry" | "segments" | "profiles" | "access"> => ({
  registry: dynamoRegistry(db, tables.registry),
  segments: marking(dynamoSegments(db, tables.registry), dynamoFleetFiles(db, tables.registry), systemClock),
  profiles: remembered(dynamoProfiles(db, tables.registry)),
  access: dynamoAccess(db, tables.access),
});

/** What enrolment works on, by the function's environment. */
export function enrolPorts(vault: SecretVault): EnrolPorts {
  const env = settings({ REGISTRY_TABLE: Setting, ACCESS_TABLE: Setting });
  return {
    ...enrolmentStores(documentClient(), { registry: env.REGISTRY_TABLE, access: env.ACCESS_TABLE }),
    vault: keyVault(vault),
    clock: systemClock,
    meterTime: productClock,
  };
}
