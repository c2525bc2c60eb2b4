import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoSealedSecrets } from "../../functions/adapters/dynamo-sealed-secrets.ts";
import { dynamoStorms } from "../../functions/adapters/dynamo-storms.ts";
import { dynamoEndpointHealths, dynamoSubscriptions } from "../../functions/adapters/dynamo-subscriptions.ts";
import type { EndpointHealths, Subscriptions } from "../../shared/events/deliver-webhook.ts";
import { memoryStorms } from "../../shared/events/memory-storms.ts";
import { memoryEndpointHealths, memorySubscriptions } from "../../shared/events/memory-subscriptions.ts";
import { MINUTE_MS, SINGLE_MAX, type StormPart, type Storms, stormIdOf } from "../../shared/events/storm.ts";
import { subscription } from "../../shared/events/subscription-fixture.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { plainVault } from "../plain-vault.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

describe.each<{ name: string; open: () => Subscriptions & EndpointHealths }>([
  { name: "in memory", open: () => ({ ...memorySubscriptions(), ...memoryEndpointHealths() }) },
  {
    name: "on DynamoDB",
    open: () => ({ ...dynamoSubscriptions(dynamo.db, "Ledger"), ...dynamoEndpointHealths(dynamo.db, "Ledger") }),
  },
])("subscriptions $name", ({ open }) => {
  it("are created once, written under the version that was read, listed by id and removed", async () => {
    const store = open();
    expect(await store.create(subscription("b"))).toBe("created");
    expect(await store.create(subscription("b"))).toBe("exists");
    await store.create(subscription("a", { feeders: ["F1"] }));
    expect((await store.list()).map(({ subscriptionId }) => subscriptionId)).toEqual(["a", "b"]);
    expect(await store.read("a")).toEqual(subscription("a", { feeders: ["F1"] }));
    const was = subscription("b");
    expect(await store.write(was, { ...was, state: "paused" })).toBe("written");
    expect(await store.write(was, { ...was, state: "active" })).toBe("conflict");
    expect(await store.read("b")).toEqual({ ...was, state: "paused", version: 2 });
    await store.remove("b");
    expect(await store.read("b")).toBeUndefined();
    await store.remove("a");
  });

  it("know how their endpoints answer", async () => {
    const store = open();
    expect(await store.health("h")).toEqual({ failures: 0 });
    expect(await store.failed("h", 5, "no answer")).toEqual({
      failures: 1,
      failingSince: 5,
      lastFailure: { at: 5, problem: "no answer" },
    });
    expect(await store.failed("h", 7, "503")).toMatchObject({ failures: 2, failingSince: 5 });
    await store.open("h", 100);
    await store.open("h", 50);
    expect(await store.health("h")).toMatchObject({ openUntil: 100 });
    expect([await store.probe("h", 100, 130), await store.probe("h", 100, 130)]).toEqual([true, false]);
    await store.suspend("h", 9, "gone");
    expect((await store.healths()).get("h")).toMatchObject({ openUntil: 130, suspended: { at: 9, because: "gone" } });
    await store.succeeded("h", 11);
    expect(await store.health("h")).toEqual({
      failures: 0,
      lastDeliveredAt: 11,
      lastFailure: { at: 7, problem: "503" },
      suspended: { at: 9, because: "gone" },
    });
    await store.failed("h", 12, "503");
    await store.forgive("h");
    expect(await store.health("h")).toEqual({
      failures: 0,
      lastDeliveredAt: 11,
      lastFailure: { at: 12, problem: "503" },
    });
  });
});

describe.each<{ name: string; open: () => Storms }>([
  { name: "in memory", open: memoryStorms },
  { name: "on DynamoDB", open: () => dynamoStorms(dynamo.db, "Timeline") },
])("storms $name", ({ open }) => {
  const likeness = (minute: number) => ({ event: "power.last-gasp" as const, feeder: "F-1.a", minute });
  const part = (minute: number, noticeId: string, meters = 2): StormPart => ({
    subscriptionId: "s1",
    ...likeness(minute),
    noticeId,
    events: Array.from({ length: meters }, (_, meter) => ({
      id: `${noticeId}-${meter}`,
      meterId: MeterId.parse(`M-${meter}`),
      at: minute + meter,
    })),
  });

  it("let events through one by one until they are many, and give a notice the same answer again", async () => {
    const storms = open();
    const key = likeness(MINUTE_MS);
    expect(await storms.admit(key, "big", SINGLE_MAX + 1)).toBe(false);
    expect(await storms.admit(key, "n1", SINGLE_MAX - 1)).toBe(true);
    expect(await storms.admit(key, "n2", 5)).toBe(true);
    expect(await storms.admit(key, "n3", 1)).toBe(false);
    expect([
      await storms.admit(key, "n1", SINGLE_MAX - 1),
      await storms.admit(key, "n2", 5),
      await storms.admit(key, "n3", 1),
    ]).toEqual([true, true, false]);
    expect(await storms.admit(likeness(2 * MINUTE_MS), "n3", 1)).toBe(true);
  });

  it("keep a part once, name what is untold, and forget the name unless more has come", async () => {
    const storms = open();
    const minute = 7 * MINUTE_MS;
    await storms.keep(part(minute, "n1"));
    await storms.keep(part(minute, "n2"));
    await storms.keep(part(minute, "n1"));
    const stormId = stormIdOf(likeness(minute));
    expect(await storms.untold(minute)).toEqual([]);
    const [name, ...others] = await storms.untold(minute + 1);
    expect(others).toEqual([]);
    expect(name).toMatchObject({ subscriptionId: "s1", stormId, minute });
    expect((await storms.parts(name!, "", 10)).map(({ noticeId, told }) => [noticeId, told])).toEqual([
      ["n1", false],
      ["n2", false],
    ]);
    expect(await storms.parts(name!, "n1", 10)).toEqual([{ ...part(minute, "n2"), told: false }]);
    await storms.markTold(name!, ["n1", "n2"]);
    await storms.keep(part(minute, "n3"));
    await storms.dropName(name!);
    const [again] = await storms.untold(minute + 1);
    expect((await storms.parts(again!, "", 2)).map(({ told }) => told)).toEqual([true, true]);
    expect((await storms.parts(again!, "n2", 2)).map(({ told }) => told)).toEqual([false]);
    await storms.keep(part(minute, "n1")); // a late repetition is told already
    const [last] = await storms.untold(minute + 1);
    expect((await storms.parts(last!, "", 1)).map(({ told }) => told)).toEqual([true]);
    await storms.dropName(last!);
    expect(await storms.untold(minute + 1)).toEqual([]);
  });
});

it("secrets of subscriptions lie there sealed, each for its name and version, and go", async () => {
  const secrets = dynamoSealedSecrets(dynamo.db, "Ledger", plainVault, "webhook-secret");
  const secret = new Uint8Array(32).fill(7);
  await secrets.put("s1", 1, secret);
  expect(secret, "what was handed over is overwritten").toEqual(new Uint8Array(32));
  expect(await secrets.open("s1", 1)).toEqual(new Uint8Array(32).fill(7));
  expect(await secrets.open("s1", 2)).toBeUndefined();
  await secrets.remove("s1", 1);
  expect(await secrets.open("s1", 1)).toBeUndefined();
});
