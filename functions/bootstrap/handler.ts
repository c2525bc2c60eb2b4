import { z } from "zod";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { deploymentMarker, SEED_VERSION } from "../adapters/deployment-marker.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAuthority } from "../adapters/dynamo-authority.ts";
import { dynamoGroups } from "../adapters/dynamo-groups.ts";
import { dynamoPipeSecret, PIPE_SECRET_OCTETS } from "../adapters/dynamo-pipe-secret.ts";
import { dynamoProfiles } from "../adapters/dynamo-profiles.ts";
import { BRANCH_SHARDS, branchKeyId, vaultOfEnvironment } from "../adapters/key-vault.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({
  REGISTRY_TABLE: Setting,
  AUTHORITY_TABLE: Setting,
  AWS_REGION: Setting,
  /** Groups to make, without members: for demonstrations. */
  DEMO_GROUPS: z
    .string()
    .default("")
    .transform((names) => names.split(",").filter((name) => name !== "")),
});
const db = documentClient();
const profiles = dynamoProfiles(db, env.REGISTRY_TABLE);
const groups = dynamoGroups(db, env.REGISTRY_TABLE);
const marker = deploymentMarker(db, env.REGISTRY_TABLE);
const { branchKeys, vault } = vaultOfEnvironment();
const pipeSecret = dynamoPipeSecret(db, env.REGISTRY_TABLE, vault);

/** Seeds what a fresh deployment needs. Every step is made if absent, so that it may run again or twice at once. */
export const handler = eventHandler(z.looseObject({}), async () => {
  const seeded = { branchKeys: 0, pipeSecrets: 0, profiles: 0, groups: 0 };
  await dynamoAuthority(db, env.AUTHORITY_TABLE).seed(env.AWS_REGION); // later epochs begin by failover or restore
  for (let shard = 0; shard < BRANCH_SHARDS; shard++)
    if (await branchKeys.seed(branchKeyId(shard))) seeded.branchKeys++;
  if (await pipeSecret.seed(systemRandom.octets(PIPE_SECRET_OCTETS))) seeded.pipeSecrets++;
  for (const profile of PROFILES.values()) if ((await profiles.add(profile)) === "added") seeded.profiles++;
  for (const name of env.DEMO_GROUPS) if (await groups.create(name)) seeded.groups++;
  await marker.write(SEED_VERSION, systemClock.now());
  return { ...seeded, seedVersion: SEED_VERSION };
});
