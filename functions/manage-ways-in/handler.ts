import { defaultWayInLimit } from "../../shared/bridge/way-permits.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoWayPermits } from "../adapters/dynamo-way-permits.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";

const env = settings({ ACCESS_TABLE: Setting });
const permits = dynamoWayPermits(documentClient(), env.ACCESS_TABLE);

async function viewOf(wayIn: string) {
  const { limit, leases } = await permits.read(wayIn);
  const live = Object.values(leases).filter(({ until }) => until > Date.now());
  const leased = live.reduce((sum, one) => sum + one.permits, 0);
  return { wayIn, limit: limit ?? defaultWayInLimit(wayIn), isDefault: limit === undefined, leased, leases: live };
}

export const handler = httpHandler({
  async readWayIn({ params: { wayIn } }) {
    return { status: 200, body: await viewOf(wayIn) };
  },
  /** Slices that hold more than a lowered limit give it up as they renew, within a minute. */
  async limitWayIn({ params: { wayIn }, body }) {
    await permits.setLimit(wayIn, body.limit ?? undefined);
    return { status: 200, body: await viewOf(wayIn) };
  },
});
