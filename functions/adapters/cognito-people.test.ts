import { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LocalServer } from "../../infra/local/aws-endpoint.ts";
import { Cognito } from "../../infra/local/cognito.ts";
import { Permissions } from "../../infra/local/permissions.ts";
import { cognitoPeople } from "./cognito-people.ts";

const ARN = "arn:aws:cognito-idp:eu-west-1:000000000000";
const user = (name: string, role: string) => ({ name, role, id: `id-${name}`, password: "" });
const permissions = new Permissions();
permissions.grant("planner", {
  Statement: { Effect: "Allow", Action: "cognito-idp:AdminListGroupsForUser", Resource: `${ARN}:userpool/ours` },
});
const directory = new Cognito(permissions, ARN);
let server: LocalServer;
const people = (pool: string, clock = { now: () => 0 }) => {
  const { id, secret } = permissions.accessKey("planner", "planner");
  const credentials = { accessKeyId: id, secretAccessKey: secret };
  const client = new CognitoIdentityProviderClient({ region: "eu-west-1", endpoint: server.url, credentials });
  return cognitoPeople(client, pool, clock);
};

beforeAll(async () => {
  server = await directory.start();
});
afterAll(() => server.close());

it("are in their groups, those who left in none, and what was answered counts for half a minute", async () => {
  let now = 0;
  const ours = people("ours", { now: () => now });
  directory.put([user("bert", "supervisor")]);
  expect(await ours.rolesOf("bert")).toEqual(["supervisor"]);
  expect(await ours.rolesOf("nobody")).toEqual([]);
  directory.put([user("bert", "operator")]);
  expect(await ours.rolesOf("bert")).toEqual(["supervisor"]);
  now = 30_000;
  expect(await ours.rolesOf("bert")).toEqual(["operator"]);
});

it("are not told to whoever may not ask, which is no answer that nobody is there", async () => {
  await expect(people("another").rolesOf("bert")).rejects.toThrow(/not authorized/);
});
