import { beforeAll, describe, expect, it } from "vitest";
import type { MeterId } from "../../shared/metering/meter.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { seeded } from "../../shared/ports/random.ts";
import { keyVault } from "../../shared/security/key-vault.ts";
import { fakeKeys } from "../../test/fake-keys.ts";
import { SingleFlightBranchKeys } from "./branch-keys.ts";
import { BRANCH_SHARDS, branchKeyId, secretVault } from "./key-vault.ts";

const fakes = fakeKeys();
let now = 1_000_000;
const branchKeysOf = () =>
  new SingleFlightBranchKeys({
    table: "keystore",
    name: "headrace-keys",
    kmsKeyArn: "arn:aws:kms:eu-west-1:000000000000:key/mrk-00000000000000000000000000000001",
    deployment: "headrace",
    dynamo: fakes.dynamo,
    kms: fakes.kms,
    clock: { now: () => now },
    random: seeded("vault"),
  });
const vaultOf = (deployment = "headrace") => keyVault(secretVault(deployment, branchKeysOf()));

const id = (name: string) => name as MeterId;
const context = (name: string, version = 1) => ({ meterId: id(name), purpose: "meter-keys" as const, version });
const keys = { unicast: "00112233445566778899aabbccddeeff", authentication: "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf" };

beforeAll(async () => {
  const branchKeys = branchKeysOf();
  for (let shard = 0; shard < BRANCH_SHARDS; shard++) await branchKeys.seed(branchKeyId(shard));
});

describe("the key vault", () => {
  it("opens what it sealed, and shows nothing of it", async () => {
    const blob = await vaultOf().seal(context("M-1"), keys);
    expect(Buffer.from(blob).toString("latin1")).not.toContain(keys.unicast);
    expect(Buffer.from(blob).toString("hex")).not.toContain(keys.unicast);
    expect(await vaultOf().open(context("M-1"), blob)).toEqual(keys);
  });

  it("uses the committing suite without a signature", async () => {
    const blob = await vaultOf().seal(context("M-1"), keys);
    expect([blob[0], blob[1], blob[2]]).toEqual([2, 0x04, 0x78]); // message format 2, suite 0x0478
  });

  it.each([
    ["another meter's blob", "M-2", 1, "headrace"],
    ["a blob of another version", "M-1", 2, "headrace"],
    ["a blob of another deployment", "M-1", 1, "other"],
  ])("refuses %s", async (_, meter, version, deployment) => {
    const blob = await vaultOf(deployment).seal(context(meter, version), keys);
    const error = await vaultOf()
      .open(context("M-1"), blob)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "vault.context-mismatch", retry: "never" });
  });

  it("refuses a blob with a changed octet, and tells no key", async () => {
    const blob = await vaultOf().seal(context("M-1"), keys);
    const vault = vaultOf();
    for (const at of [3, 60, 150, blob.length - 1]) {
      const changed = Uint8Array.from(blob);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const error = (await vault.open(context("M-1"), changed).catch((thrown: unknown) => thrown)) as HeadraceError;
      expect(error).toBeInstanceOf(HeadraceError);
      const told = JSON.stringify([error.message, error.detail, error.stack, String(error)]);
      for (const key of Object.values(keys)) expect(told).not.toContain(key);
    }
  });

  it("asks KMS once for each branch key, however many open at once", async () => {
    const blobs = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const meter = `M-${index}`;
        return { meter, blob: await vaultOf().seal(context(meter), { unicast: keys.unicast }) };
      }),
    );
    const before = fakes.calls.decrypt;
    const cold = vaultOf();
    const opened = await Promise.all(blobs.map(({ meter, blob }) => cold.open(context(meter), blob)));
    expect(opened).toHaveLength(50);
    expect(fakes.calls.decrypt - before).toBeLessThanOrEqual(BRANCH_SHARDS);
  });

  it("opens old blobs after the branch key was rotated", async () => {
    const blob = await vaultOf().seal(context("M-9"), keys);
    const branchKeys = branchKeysOf();
    for (let shard = 0; shard < BRANCH_SHARDS; shard++)
      await branchKeys.versionKey({ branchKeyIdentifier: branchKeyId(shard) });
    expect(await vaultOf().open(context("M-9"), blob)).toEqual(keys);
  });

  it("seeds a branch key once", async () => {
    expect(await branchKeysOf().seed(branchKeyId(0))).toBe(false);
    expect(await branchKeysOf().seed("meter-keys-77")).toBe(true);
  });
});

describe("while KMS is down", () => {
  it("serves what it has until the hard maximum, then says that trying later helps", async () => {
    const vault = vaultOf();
    const blob = await vault.seal(context("M-1"), keys);
    expect(await vault.open(context("M-1"), blob)).toEqual(keys);
    fakes.state.down = true;
    now += 30 * 60_000;
    expect(await vault.open(context("M-1"), blob)).toEqual(keys);
    now += 31 * 60_000;
    await expect(vault.open(context("M-1"), blob)).rejects.toMatchObject({ code: "vault.unavailable", retry: "later" });
    await expect(vault.seal(context("M-1"), keys)).rejects.toMatchObject({ code: "vault.unavailable" });
    fakes.state.down = false;
    expect(await vault.open(context("M-1"), blob)).toEqual(keys);
  });

  it("refreshes ahead of time, in the background", async () => {
    const vault = vaultOf();
    const blob = await vault.seal(context("M-1"), keys);
    await vault.open(context("M-1"), blob);
    const before = fakes.calls.decrypt;
    now += 11 * 60_000;
    await vault.open(context("M-1"), blob);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fakes.calls.decrypt - before).toBe(1);
    expect(await vault.open(context("M-1"), blob)).toEqual(keys);
  });
});
