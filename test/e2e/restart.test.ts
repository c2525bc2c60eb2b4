import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment } from "./deployment.ts";

const METERS = "20";
const SEED = "7";
const ROOT = join(import.meta.dirname, "../..");

interface Readings {
  readonly registers: readonly unknown[];
  readonly intervals: readonly {
    readonly entries: readonly { readonly end: string; readonly values: readonly (string | null)[] }[];
  }[];
}

/** Every secret of the simulated meters: they print their own. */
function townSecrets(): { readonly keys: readonly string[]; readonly meterIds: readonly string[] } {
  const town = spawnSync(
    process.execPath,
    [join(ROOT, "infra/local/town-main.ts"), "--meters", METERS, "--seed", SEED, "--json", "--list"],
    {
      encoding: "utf8",
      timeout: 30_000,
    },
  );
  const meters = town.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { meterId: string; keys?: Record<string, string> });
  return {
    keys: [...new Set(meters.flatMap(({ keys }) => Object.values(keys ?? {})))],
    meterIds: meters.map(({ meterId }) => meterId),
  };
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe("a deployment with a data folder", () => {
  let folder: string;
  let logs = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "headrace-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const start = (data: string, ...more: string[]) =>
    Deployment.start(["--meters", METERS, "--seed", SEED, "--data", data, ...more]);
  const to = Math.floor(Date.now() / 900_000) * 900_000;
  const job = {
    operation: {
      kind: "readIntervals",
      range: { from: new Date(to - 86_400_000).toISOString(), to: new Date(to).toISOString() },
      registers: "total",
    },
    target: { kind: "all" },
    retry: { passes: 1 },
  };
  const readingsOf = async (headend: Deployment, meterId: string) =>
    (
      await headend.call<Readings>(
        "operator",
        "GET",
        `/meters/${meterId}/readings?from=${new Date(to - 86_400_000).toISOString()}&to=${new Date(to).toISOString()}`,
      )
    ).body;
  const firstMeter = async (headend: Deployment) =>
    (await headend.call<{ meters: { meterId: string }[] }>("operator", "GET", "/meters?limit=1")).body.meters[0]
      ?.meterId ?? "";

  it("keeps its readings over a restart; reading again adds no duplicate; a restored copy begins a new epoch and repeats no counter", async () => {
    const first = await start(folder);
    expect((await first.runJob(job)).progress.done).toBe(Number(METERS));
    const meterId = await firstMeter(first);
    const before = await readingsOf(first, meterId);
    expect(before.intervals[0]?.entries).toHaveLength(96);
    expect(await first.stop()).toBe(0);
    logs += first.stderr;

    const copy = `${folder}-copy`;
    await cp(folder, copy, { recursive: true });

    const second = await start(folder);
    expect((await readingsOf(second, meterId)).intervals).toEqual(before.intervals);
    expect((await second.runJob(job)).progress.done).toBe(Number(METERS));
    const after = await readingsOf(second, meterId);
    expect(after.intervals).toEqual(before.intervals);
    expect(await second.stop()).toBe(0);
    logs += second.stderr;

    // The meters went on (they are the world, not the headend): they have seen the counters of the second run.
    await cp(join(folder, "town"), join(copy, "town"), { recursive: true, force: true });
    const restored = await start(copy, "--restored");
    expect((await restored.runJob(job)).progress).toMatchObject({ done: Number(METERS), failed: 0 });
    const witness = await restored.call<{ violations: unknown[] }>("operator", "GET", "/local/witness");
    expect(witness.body.violations).toEqual([]);
    expect(await restored.stop()).toBe(0);
    logs += restored.stderr;
    await rm(copy, { recursive: true, force: true });
  }, 400_000);

  it("leaves no meter's key behind, as hex, base64 or raw, in its data folder or its output", async () => {
    const { keys, meterIds } = townSecrets();
    expect(keys.length).toBeGreaterThanOrEqual(Number(METERS));
    const haystacks = [
      { name: "output", octets: Buffer.from(logs) },
      ...(await Promise.all(
        (
          await filesUnder(folder)
        )
          .filter((file) => !file.startsWith(join(folder, "town")))
          .map(async (file) => ({ name: file, octets: await readFile(file) })),
      )),
    ];
    expect(haystacks.length).toBeGreaterThan(3);
    // What is no secret is found, so the search can fail.
    for (const meterId of meterIds)
      expect(
        haystacks.some(({ octets }) => octets.includes(meterId)),
        `${meterId} somewhere`,
      ).toBe(true);
    for (const key of keys) {
      const raw = Buffer.from(key, "hex");
      const needles = [
        raw,
        Buffer.from(key),
        Buffer.from(key.toUpperCase()),
        Buffer.from(raw.toString("base64").slice(0, 21)),
        Buffer.from(raw.toString("base64url").slice(0, 21)),
      ];
      for (const { name, octets } of haystacks)
        for (const needle of needles) expect(octets.includes(needle), `a key in ${name}`).toBe(false);
    }
  }, 60_000);
});
