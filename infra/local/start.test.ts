import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openDataFolder } from "./data-folder.ts";
import { startOptions } from "./start-options.ts";

const directory = mkdtempSync(join(tmpdir(), "headrace-start-"));
afterAll(() => rmSync(directory, { recursive: true }));

const START = fileURLToPath(new URL("./start.ts", import.meta.url));
const run = (...args: string[]) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [START, ...args]);
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk));
    child.once("close", (code) => resolve({ code, ...output }));
  });

describe("npm start", () => {
  it("has its defaults", () => {
    expect(startOptions([])).toMatchObject({ meters: 200, port: 4173, seed: 1, faults: {}, json: false, once: false });
  });

  it.each([
    { args: ["--meters", "0"], says: '--meters: expected a whole number of 1 to 100000, got "0"' },
    { args: ["--faults", "sleepy=0.1"], says: "expected a fault of" },
    { args: ["--restored"], says: "expected --data DIR" },
    { args: ["--attached", "half"], says: "expected a share of 0 to 1" },
    { args: ["--disturb", "throttle=2"], says: "expected throttle=SHARE" },
    { args: ["--context", "blockDays"], says: "expected KEY=VALUE" },
    { args: ["--meter", "3"], says: "Unknown option '--meter'" },
  ])("refuses $args and says what it expected", ({ args, says }) => {
    expect(() => startOptions(args)).toThrow(says);
  });

  it("explains itself without starting anything", async () => {
    const explained = await run("--explain");
    expect(explained.code).toBe(0);
    expect(explained.stdout).toContain("AWS::DynamoDB::GlobalTable");
    const helped = await run("--help");
    expect(helped.code).toBe(0);
    for (const option of ["--meters", "--data", "--restored", "--port", "--seed", "--faults", "--json", "--explain"])
      expect(helped.stdout).toContain(option);
  });

  it("says which port is in use and what to do, and exits with 2", async () => {
    const busy = await new Promise<Server>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
    });
    const { port } = busy.address() as { port: number };
    const { code, stdout, stderr } = await run("--port", String(port - 1), "--json");
    busy.close();
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(`port ${port} (API) is in use. Stop what uses it, or choose three free ports with --port`);
  });
});

describe("a data folder", () => {
  it("serves one process at a time, and is free again when that is gone", () => {
    const path = join(directory, "data");
    const first = openDataFolder(path);
    writeFileSync(join(path, "lock"), `${process.ppid}\n`); // another live process
    expect(() => openDataFolder(path)).toThrow(`process ${process.ppid} uses this data folder`);
    writeFileSync(join(path, "lock"), "999999999\n"); // one that is gone
    openDataFolder(path).release();
    openDataFolder(path).release();
    first.release();
  });

  it("that is not asked for is removed in the end", () => {
    const { path, kept, release } = openDataFolder(undefined);
    expect(kept).toBe(false);
    release();
    expect(() => rmSync(path)).toThrow("ENOENT");
  });
});
