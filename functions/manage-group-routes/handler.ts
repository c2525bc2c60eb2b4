import { c1222Groups } from "../../shared/c1222/client/group-protocol.ts";
import type { GroupRoute } from "../../shared/jobs/group-route.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoGroupRoutes } from "../adapters/dynamo-group-routes.ts";
import { dynamoProfiles } from "../adapters/dynamo-profiles.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";

const env = settings({ REGISTRY_TABLE: Setting });
const db = documentClient();
const routes = dynamoGroupRoutes(db, env.REGISTRY_TABLE, vaultOfEnvironment().vault);
const profiles = dynamoProfiles(db, env.REGISTRY_TABLE);

/** Protocol families that have group requests. */
const PROTOCOLS = [c1222Groups];

const viewOf = ({ name, ...shown }: GroupRoute) => ({ route: name, ...shown });
const unknown = (route: string) =>
  refuse("not-found", `There is no group route ${route}.`, {
    field: "route",
    expected: "the name of a group route",
    received: route,
  });

export const handler = httpHandler({
  async listGroupRoutes() {
    return { status: 200, body: { routes: (await routes.list()).map(viewOf) } };
  },
  async readGroupRoute({ params: { route } }) {
    const found = await routes.read(route);
    return found === undefined ? unknown(route) : { status: 200, body: viewOf(found) };
  },
  async putGroupRoute({ params: { route: name }, body: { key: hex, profile: model, ...rest } }) {
    const profile = await profiles.latest(model);
    const spreadMs = profile && PROTOCOLS.find(({ protocol }) => protocol === profile.protocol)?.spreadMs(profile);
    if (profile === undefined || spreadMs === undefined)
      return refuse("unprocessable", "The device profile is not for groups.", {
        field: "profile",
        expected: "the name of a device profile whose meters take requests to groups",
        received: model,
      });
    if (rest.windowSeconds * 1000 < spreadMs)
      return refuse("unprocessable", "Meters of this device profile answer later than that.", {
        field: "windowSeconds",
        expected: `at least ${spreadMs / 1000}`,
        received: String(rest.windowSeconds),
      });
    const key = hex === undefined ? undefined : fromHex(hex);
    const route = { ...rest, name, profile: { name: profile.name, version: profile.version } };
    const stored = await routes.put(route, key);
    key?.fill(0);
    if (stored !== "key-missing") return { status: 200, body: viewOf(stored) };
    return refuse("unprocessable", "A new group route needs a key.", { field: "key", expected: "the group's key" });
  },
  async deleteGroupRoute({ params: { route } }) {
    return (await routes.remove(route)) ? { status: 204 } : unknown(route);
  },
});
