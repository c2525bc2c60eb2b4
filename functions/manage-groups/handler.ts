import { eachOf } from "../../shared/jobs/concurrency.ts";
import { changeGroup, type Group } from "../../shared/registry/change-group.ts";
import { marking } from "../../shared/registry/fleet-files.ts";
import { groupSet } from "../../shared/registry/member-sets.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoFleetFiles } from "../adapters/dynamo-fleet-files.ts";
import { dynamoGroups } from "../adapters/dynamo-groups.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { groupPage, groupSize } from "../adapters/group-page.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({ REGISTRY_TABLE: Setting, ACCESS_TABLE: Setting });
const db = documentClient();
const groups = dynamoGroups(db, env.REGISTRY_TABLE);
const segments = marking(dynamoSegments(db, env.REGISTRY_TABLE), dynamoFleetFiles(db, env.REGISTRY_TABLE), systemClock);
const access = dynamoAccess(db, env.ACCESS_TABLE);
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);

/** Groups that are counted at once. */
const COUNTS_MAX = 4;

async function shownOf(group: Group) {
  const { name, description } = group;
  const size = await groupSize({ segments, groups }, group, systemClock.now());
  return { group: name, ...(description === undefined ? {} : { description }), ...size };
}

/** Undefined: no such group. */
async function viewOf(name: string, limit: number, cursor?: string) {
  const [group, page] = await Promise.all([
    groups.read(name),
    groupPage({ segments, access }, groupSet(name), limit, cursor),
  ]);
  if (group === undefined) return undefined;
  return {
    ...(await shownOf(group)),
    meterIds: [...page.meterIds],
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  };
}
const unknownGroup = (group: string) =>
  refuse("not-found", `There is no group ${group}.`, {
    field: "group",
    expected: "the name of a group",
    received: group,
  });

export const handler = httpHandler({
  async listGroups() {
    const named = await groups.list();
    const shown: Awaited<ReturnType<typeof shownOf>>[] = [];
    await eachOf(named.entries(), COUNTS_MAX, async ([index, group]) => {
      shown[index] = await shownOf(group);
    });
    return { status: 200, body: { groups: shown } };
  },
  async readGroup({ params: { group }, query }) {
    const body = await viewOf(group, query.limit, query.cursor);
    return body === undefined ? unknownGroup(group) : { status: 200, body };
  },
  async changeGroup({ params: { group }, body: change }) {
    const outcome = await changeGroup({ registry, segments, groups }, { group, ...change });
    if (outcome.kind === "refused") {
      const { kind: _, ...error } = outcome;
      return refuse("unprocessable", `Group ${group} cannot be changed like this.`, error);
    }
    const body = await viewOf(group, 100);
    return body === undefined ? unknownGroup(group) : { status: 200, body };
  },
});
