import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { javaEnvironment } from "./java-environment.ts";
import { finished, pythonEnvironment } from "./python-environment.ts";

const HELP = `Runs the checks against peers that others wrote: Python and Java clients of meters of ours, and our client of
meters built on these packages. Makes its own environments from pinned, hashed requirements.

Usage: node test/interop/main.ts [options]
  --json   last line as JSON: {"passed":n,"failed":n,"skipped":n,"checks":[{"name","state"}]}
  --help

Exit 0: all passed, or skipped because there is no Python or no Java (fails when CI=true); 1: a check failed; 2: usage.
`;

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
interface Check {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function checks(): Promise<readonly Check[]> {
  const folder = mkdtempSync(join(tmpdir(), "headrace-interop-"));
  const file = join(folder, "report.json");
  try {
    const vitest = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
    const { stderr } = await finished(process.execPath, [
      vitest,
      "run",
      "test/interop",
      "--no-file-parallelism",
      "--reporter=json",
      `--outputFile=${file}`,
    ]);
    const found: Check[] = [];
    for (const { assertionResults, message } of (JSON.parse(readFileSync(file, "utf8")) as Report).testResults) {
      if (assertionResults.length === 0)
        found.push({ name: message.split("\n")[0] ?? "a file that does not load", state: "failed" });
      for (const { fullName, status, failureMessages } of assertionResults) {
        const state = status === "passed" || status === "failed" ? status : "skipped";
        found.push({ name: fullName, state });
        say(
          `${state.padEnd(7)} ${fullName}${state === "failed" ? `: ${failureMessages[0]?.split("\n")[0] ?? ""}` : ""}`,
        );
      }
    }
    if (found.length === 0) throw new Error(`no check ran: ${stderr.trim().split("\n").at(-1) ?? ""}`);
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const told = (line: string): void => void process.stderr.write(`${line}\n`);
  const required = process.env.CI === "true";
  const environments = [await pythonEnvironment(told), await javaEnvironment(told)];
  const absent = environments.flatMap((one): readonly Check[] => {
    if (one.kind === "ready") return [];
    say(`${required ? "failed " : "skipped"} interop: ${one.reason}`);
    return [{ name: `interop: ${one.reason}`, state: required ? "failed" : "skipped" }];
  });
  const found = absent.length === environments.length ? absent : [...absent, ...(await checks())];
  const count = (state: Check["state"]): number => found.filter((check) => check.state === state).length;
  const counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
  if (values.json === true) say(JSON.stringify({ ...counts, checks: found }));
  else say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
