import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoGroupRequests } from "../../functions/adapters/dynamo-group-requests.ts";
import { dynamoGroupKeys, dynamoGroupRoutes } from "../../functions/adapters/dynamo-group-routes.ts";
import { memoryGroupRequests } from "../../shared/bridge/memory-group-requests.ts";
import type { GroupRequests, SentGroupRequest } from "../../shared/jobs/group-request.ts";
import { GroupRoute } from "../../shared/jobs/group-route.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { GROUP_INVOCATION_IDS } from "../../shared/metering/group.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { EPOCH_JUMP } from "../../shared/security/counters.ts";
import { plainVault } from "../plain-vault.ts";
import { type EmbeddedDynamo, embeddedDynamo, TABLES } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo([
    ...TABLES,
    { ...TABLES.find(({ TableName }) => TableName === "Ledger"), TableName: "Other" } as never,
  ]);
});
afterAll(() => dynamo.close());

const stores: readonly [string, () => GroupRequests][] = [
  ["in memory", () => memoryGroupRequests()],
  ["in DynamoDB", () => dynamoGroupRequests(dynamo.db, "Ledger")],
];
const point = { kind: "multicast", address: "239.1.2.3", port: 1153, hops: 1 } as const;
const request = (job: string, id: number): SentGroupRequest => ({
  jobId: JobId.parse(job.padEnd(26, "0")),
  route: "north",
  groupTitle: ".0.7",
  invocationId: GROUP_INVOCATION_IDS + id,
  at: 1_700_000_000_000,
  profile: { name: "generic-us", version: 1 },
  points: [point],
  apdu: Uint8Array.of(0x60, 1, 2),
});

describe.each(stores)("group requests %s", (_name, open) => {
  it("are one a job: the first that is kept is the one that everybody gets", async () => {
    const store = open();
    const [first, second] = [request("a", 100), request("a", 101)];
    expect(await store.ofJob(first.jobId)).toBeUndefined();
    expect(await store.keep(first)).toEqual(first);
    expect(await store.keep(second)).toEqual(first);
    expect(await store.keep(first)).toEqual(first);
    expect(await store.ofJob(first.jobId)).toEqual(first);
  });

  it("are found by their invocation id, but for those that no job has", async () => {
    const store = open();
    const [kept, orphan] = [request("b", 200), request("b", 201)];
    await store.keep(kept);
    await store.keep(orphan);
    expect(await store.byInvocationId(kept.invocationId)).toEqual(kept);
    expect(await store.byInvocationId(orphan.invocationId)).toBeUndefined();
    expect(await store.byInvocationId(GROUP_INVOCATION_IDS + 999)).toBeUndefined();
  });
});

describe.each<[string, () => GroupRequests]>([
  ["in memory", () => memoryGroupRequests()],
  ["in DynamoDB", () => dynamoGroupRequests(dynamo.db, "Other")],
])("invocation ids of group requests %s", (_name, open) => {
  it("are each drawn once, however many draw at the same time, and times never fall", async () => {
    const store = open();
    const at = 1_700_000_000_000;
    const drawn = await Promise.all(Array.from({ length: 6 }, (_, number) => store.draw(1, at - number)));
    expect(new Set(drawn.map(({ invocationId }) => invocationId)).size).toBe(6);
    const inOrder = drawn.toSorted((left, right) => left.invocationId - right.invocationId);
    expect(inOrder.map(({ invocationId }) => invocationId - GROUP_INVOCATION_IDS)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const [index, { at: time }] of inOrder.entries())
      expect(time).toBeGreaterThanOrEqual(inOrder[index - 1]?.at ?? 0);
    const next = await store.draw(2, at - 1_000);
    expect(next).toEqual({ invocationId: GROUP_INVOCATION_IDS + 6 + Number(EPOCH_JUMP), at });
    await expect(store.draw(1, at)).rejects.toMatchObject({ code: "epoch.stale" });
  });
});

describe("group routes in DynamoDB", () => {
  const route = (over: object = {}) => {
    const { version: _, ...rest } = GroupRoute.parse({
      name: "north",
      title: ".0.7",
      members: { kind: "group", group: "north" },
      profile: { name: "generic-us", version: 1 },
      windowSeconds: 60,
      points: [point],
      keyId: 3,
      version: 1,
      ...over,
    });
    return rest;
  };
  const key = (octet: string) => fromHex(octet.repeat(16));
  const stored = () => dynamoGroupRoutes(dynamo.db, "Registry", plainVault);
  const opened = (name: string) => dynamoGroupKeys(dynamo.db, "Registry", plainVault).open(name);

  it("have a key from the first on, and keep it until they get another one", async () => {
    const routes = stored();
    expect(await routes.put(route(), undefined)).toBe("key-missing");
    expect(await routes.read("north")).toBeUndefined();
    expect(await routes.put(route(), key("a1"))).toEqual({ ...route(), version: 1 });
    expect(await routes.put(route({ windowSeconds: 90 }), undefined)).toMatchObject({ version: 2, windowSeconds: 90 });
    expect(await opened("north")).toEqual({
      route: { ...route({ windowSeconds: 90 }), version: 2 },
      key: { id: 3, hex: "a1".repeat(16) },
    });
    await routes.put(route({ keyId: 4 }), key("b2"));
    expect((await opened("north"))?.key).toEqual({ id: 4, hex: "b2".repeat(16) });
    expect((await routes.list()).map(({ name, version }) => [name, version])).toEqual([["north", 3]]);
  });

  it("are gone with their key when they are removed, and never have a version again", async () => {
    const routes = stored();
    await routes.put(route({ name: "south" }), key("c3"));
    expect(await routes.remove("south")).toBe(true);
    expect(await routes.remove("south")).toBe(false);
    expect(await routes.read("south")).toBeUndefined();
    expect(await opened("south")).toBeUndefined();
    expect(await routes.put(route({ name: "south" }), undefined)).toBe("key-missing");
    expect(await routes.put(route({ name: "south" }), key("d4"))).toMatchObject({ version: 3 });
  });

  it("show no key to who reads them", async () => {
    await stored().put(route({ name: "west" }), key("e5"));
    expect(JSON.stringify(await stored().read("west"))).not.toContain("e5e5");
  });
});
