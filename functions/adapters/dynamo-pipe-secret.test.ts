import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedDynamo, embeddedDynamo } from "../../test/contract/embedded-dynamo.ts";
import { REGISTRY_TABLES } from "../../test/contract/registry-tables.ts";
import { plainVault } from "../../test/plain-vault.ts";
import { dynamoPipeSecret, PIPE_SECRET_OCTETS } from "./dynamo-pipe-secret.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo(REGISTRY_TABLES);
});
afterAll(() => dynamo.close());

describe("the secret that tasks know each other by", () => {
  it("is made once, whoever is first, and is the same for all", async () => {
    const secret = dynamoPipeSecret(dynamo.db, "Registry", plainVault);
    expect(await secret.open()).toBeUndefined();
    const made = await Promise.all([3, 4, 5].map((fill) => secret.seed(new Uint8Array(PIPE_SECRET_OCTETS).fill(fill))));
    expect(made.filter(Boolean)).toHaveLength(1);
    const opened = await secret.open();
    expect(opened).toEqual(new Uint8Array(PIPE_SECRET_OCTETS).fill(3 + made.indexOf(true)));
    expect(await secret.seed(new Uint8Array(PIPE_SECRET_OCTETS).fill(9))).toBe(false);
    expect(await secret.open()).toEqual(opened);
  });

  it("is overwritten in memory as soon as it is sealed", async () => {
    await using other = {
      db: await embeddedDynamo(REGISTRY_TABLES),
      [Symbol.asyncDispose]: async () => other.db.close(),
    };
    const octets = new Uint8Array(PIPE_SECRET_OCTETS).fill(1);
    await dynamoPipeSecret(other.db.db, "Registry", plainVault).seed(octets);
    expect(octets).toEqual(new Uint8Array(PIPE_SECRET_OCTETS));
  });
});
