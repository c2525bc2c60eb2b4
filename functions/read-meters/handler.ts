import { MeterId } from "../../shared/metering/meter.ts";
import { factsOf } from "../../shared/readings/fleet-columns.ts";
import { groupSet } from "../../shared/registry/member-sets.ts";
import type { RegisteredMeter } from "../../shared/registry/registered-meter.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoFleetColumns } from "../adapters/dynamo-fleet-columns.ts";
import { dynamoProfiles } from "../adapters/dynamo-profiles.ts";
import { claimOf, dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { groupPage } from "../adapters/group-page.ts";
import { meterView } from "../adapters/meter-view.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ REGISTRY_TABLE: Setting, ACCESS_TABLE: Setting, READINGS_TABLE: Setting });
const db = documentClient();
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const segments = dynamoSegments(db, env.REGISTRY_TABLE);
const access = dynamoAccess(db, env.ACCESS_TABLE);
const columns = dynamoFleetColumns(db, env.READINGS_TABLE);
const profiles = dynamoProfiles(db, env.REGISTRY_TABLE);

/** A whole serial or system title, where the search is one. */
async function claimed(search: string): Promise<RegisteredMeter | undefined> {
  const claim = await claimOf(registry, search);
  return claim && (await registry.meters([claim.meterId])).get(claim.meterId);
}

export const handler = httpHandler({
  async readMeter({ params: { meterId } }) {
    const meter = (await registry.meters([meterId])).get(meterId);
    if (meter !== undefined) {
      const [known, item] =
        meter.state === "enrolling"
          ? []
          : await Promise.all([columns.read(meter.place.segment), access.read(meter.place)]);
      const identity = item?.meterId === meterId ? item.identity : undefined;
      const facts = known && factsOf(known.columns, meter.place.slot);
      const asOf = productClock.now();
      return {
        status: 200,
        body: {
          ...meterView(meter),
          asOf,
          ...(facts === undefined ? {} : { facts }),
          ...(identity === undefined ? {} : { identity }),
        },
      };
    }
    const expected = "the id of an enrolled meter";
    return refuse("not-found", `There is no meter ${meterId}.`, { field: "meterId", expected, received: meterId });
  },
  async listMeters({ query: { search = "", group, limit, cursor } }) {
    if (group !== undefined) {
      const page = await groupPage({ segments, access }, groupSet(group), limit, cursor);
      const meters = await registry.meters(page.meterIds);
      const shown = page.meterIds.flatMap((meterId) => meters.get(meterId) ?? []);
      const matching = shown.filter(({ meter }) => meter.meterId.startsWith(search));
      return {
        status: 200,
        body: { meters: matching.map(meterView), ...(page.cursor === undefined ? {} : { cursor: page.cursor }) },
      };
    }
    const after = MeterId.safeParse(cursor).data;
    const [page, other] = await Promise.all([
      registry.list({ prefix: search, after, limit }),
      search === "" || cursor !== undefined ? undefined : claimed(search),
    ]);
    const also = other !== undefined && !page.meters.some(({ meter }) => meter.meterId === other.meter.meterId);
    const meters = [...(also ? [other] : []), ...page.meters].map(meterView);
    return { status: 200, body: { meters, ...(page.next === undefined ? {} : { cursor: page.next }) } };
  },
  listProfiles: async () => ({ status: 200, body: { profiles: [...(await profiles.list())] } }),
});
