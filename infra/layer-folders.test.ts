import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { layerFolder, PACKAGES_IN_LAYER } from "./layer-folders.ts";
import { LAYERS } from "./resources.ts";
import { ROOT } from "./source-digest.ts";

describe("the layer of DuckDB", () => {
  const { package: name } = LAYERS.duckdb;

  it("for this machine is what node_modules has, and can be loaded from there", () => {
    const { folder, absent } = layerFolder("duckdb", "here");
    expect(absent).toBeUndefined();
    const packages = join(folder, PACKAGES_IN_LAYER);
    expect(realpathSync(join(packages, name))).toBe(realpathSync(join(ROOT, "node_modules", name)));
    expect(createRequire(join(packages, "index.js"))(name)).toHaveProperty("DuckDBInstance");
  });

  it("for Lambda has the machine code of arm64 Linux in the version of the lock file, or says why it has not", () => {
    const { folder, absent } = layerFolder("duckdb", "arm64");
    if (absent !== undefined) {
      // A machine without npm's registry: the description says so, and cannot be deployed.
      expect(readdirSync(folder)).toEqual([]);
      return;
    }
    const packages = join(folder, PACKAGES_IN_LAYER);
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { version: string }>;
    };
    const [binding, ...others] = readdirSync(join(packages, "@duckdb")).filter((one) =>
      one.startsWith("node-bindings-"),
    );
    expect([binding, others]).toEqual(["node-bindings-linux-arm64", []]);
    const { version } = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as { version: string };
    expect(version).toBe(lock.packages[`node_modules/${name}`]?.version);
    const head = readFileSync(join(packages, "@duckdb", "node-bindings-linux-arm64", "duckdb.node")).subarray(0, 20);
    expect([head.toString("latin1", 1, 4), head.readUInt16LE(18)]).toEqual(["ELF", 183]); // EM_AARCH64
  });
});
