import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { MUTATIONS } from "./mutations.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const Report = z.object({
  numFailedTests: z.int(),
  numPassedTests: z.int(),
  testResults: z.array(z.object({ name: z.string(), message: z.string(), assertionResults: z.array(z.unknown()) })),
});

/** Runs test files with one mutation (undefined: none) in a process of their own. */
async function run(tests: readonly string[], mutation?: string): Promise<z.infer<typeof Report>> {
  const folder = mkdtempSync(join(tmpdir(), "headrace-mutation-"));
  const report = join(folder, "report.json");
  try {
    const { HEADRACE_MUTATION: _inherited, VITEST: _vitest, ...env } = process.env;
    const config = join(import.meta.dirname, "vitest.config.ts");
    const args = ["run", "--config", config, ...tests, "--reporter=json", `--outputFile=${report}`];
    const child = spawn(process.execPath, [join(ROOT, "node_modules/vitest/vitest.mjs"), ...args], {
      cwd: ROOT,
      env: mutation === undefined ? env : { ...env, HEADRACE_MUTATION: mutation },
      stdio: "ignore",
    });
    await new Promise((done) => child.once("close", done));
    return Report.parse(JSON.parse(readFileSync(report, "utf8")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("without a mutation", () => {
  it("every test that has to notice one is green", { timeout: 120_000 }, async () => {
    const { numFailedTests, numPassedTests } = await run([...new Set(MUTATIONS.flatMap(({ tests }) => tests))]);
    expect(numFailedTests).toBe(0);
    expect(numPassedTests).toBeGreaterThan(0);
  });
});

describe.each(MUTATIONS)("the mutation '$name'", ({ name, tests }) => {
  it("goes red", { timeout: 120_000 }, async () => {
    const { numFailedTests, testResults } = await run(tests, name);
    expect(numFailedTests).toBeGreaterThan(0);
    // A file that did not even load noticed nothing.
    for (const { name: file, assertionResults, message } of testResults)
      expect(assertionResults.length, `${file}: ${message}`).toBeGreaterThan(0);
  });
});
