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

/** Protocols whose meters take group requests. */
const PROTOCOLS: readonly string[] = ["c1222"];

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
    if (profile === undefined || !PROTOCOLS.includes(profile.protocol))
      return refuse("unprocessable", "The device profile is not for groups.", {
        field: "profile",
        expected: `the name of a device profile of the protocol ${PROTOCOLS.join(" or ")}`,
        received: model,
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
