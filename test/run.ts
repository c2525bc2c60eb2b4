import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hasContent, PARTS, type Part, ROOT, type Vitest } from "./parts.ts";

const HELP = `Runs the checks.

Usage: npm test -- [options]          what Node alone can run
       npm run test:all -- [options]  that, then peers, browser, tshark, long simulation and fuzz
  --only NAME   one part, repeatable
  --rest        with test:all: only what npm test leaves out
  --list        the parts, and what each needs that is absent here
  --json        one line of JSON at the end
  --help

A part whose tool is absent is skipped with a line that says so; with CI=true it fails.
`;

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}
interface Outcome extends Counts {
  readonly part: string;
  readonly elapsedMs: number;
  readonly note?: string;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs a script by this Node with its output shown; standard output is kept as well. */
function run(script: string, args: readonly string[]) {
  return new Promise<{ code: number | null; stdout: string }>((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, script), ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      process.stdout.write(chunk);
    });
    child.once("error", (error) => resolve({ code: 1, stdout: error.message }));
    child.once("close", (code) => resolve({ code, stdout }));
  });
}

async function runVitest({ paths, exclude = [], alone = false }: Vitest): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), "headrace-test-"));
  const report = join(folder, "report.json");
  try {
    const { code } = await run("node_modules/vitest/vitest.mjs", [
      "run",
      ...paths,
      ...exclude.flatMap((pattern) => ["--exclude", pattern]),
      ...(alone ? ["--no-file-parallelism"] : []),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ]);
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
      readFileSync(report, "utf8"),
    ) as Record<"numPassedTests" | "numFailedTests" | "numPendingTests" | "numTodoTests", number>;
    // A file that does not load fails without a failed test in it.
    const failed = code === 0 ? numFailedTests : Math.max(1, numFailedTests);
    return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function countsIn(stdout: string, code: number | null): Counts {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (last.startsWith("{"))
    try {
      const { passed, failed, skipped } = JSON.parse(last) as Partial<Counts>;
      if (passed !== undefined && failed !== undefined)
        return { passed, failed: code === 0 ? failed : Math.max(1, failed), skipped: skipped ?? 0 };
    } catch {
      // Not a count: the exit code speaks.
    }
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function runPart(part: Part): Promise<Outcome> {
  const started = performance.now();
  const missing = part.missing?.();
  const outcome = (counts: Counts, note?: string): Outcome => ({
    part: part.name,
    ...counts,
    elapsedMs: Math.round(performance.now() - started),
    ...(note === undefined ? {} : { note }),
  });
  if (missing !== undefined) {
    const required = process.env.CI === "true";
    say(`${part.name}: ${required ? "failed" : "skipped"}, ${missing}`);
    return outcome({ passed: 0, failed: required ? 1 : 0, skipped: required ? 0 : 1 }, missing);
  }
  say(`\n== ${part.name}: ${part.about}`);
  if (part.run.kind === "vitest") return outcome(await runVitest(part.run));
  const { code, stdout } = await run(part.run.script, part.run.args);
  return outcome(countsIn(part.run.counts === true ? stdout : "", code));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      all: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
      rest: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const present = PARTS.filter(hasContent);
  if (values.list) {
    for (const { name, about, always, missing } of present)
      say(
        `${name.padEnd(12)} ${always ? "test    " : "test:all"} ${about}${missing?.() === undefined ? "" : ` (${missing()})`}`,
      );
    return 0;
  }
  const unknown = values.only?.filter((name) => !present.some((part) => part.name === name)) ?? [];
  if (unknown.length > 0)
    throw new TypeError(
      `--only: expected one of ${present.map(({ name }) => name).join(", ")}, got ${unknown.join(", ")}`,
    );
  const chosen = present.filter(
    ({ name, always }) => values.only?.includes(name) ?? (always ? !values.rest : values.all),
  );

  const outcomes: Outcome[] = [];
  for (const part of chosen) outcomes.push(await runPart(part));

  say("");
  for (const { part, passed, failed, skipped, elapsedMs, note } of outcomes)
    say(
      `${failed > 0 ? "FAILED " : passed > 0 ? "passed " : "skipped"} ${part.padEnd(12)} ${passed} passed, ${failed} failed, ${skipped} skipped in ${(elapsedMs / 1000).toFixed(1)} s${note === undefined ? "" : `: ${note}`}`,
    );
  const sum = (key: keyof Counts): number => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  say("");
  say(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  if (values.json)
    say(JSON.stringify({ passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped"), parts: outcomes }));
  return sum("failed") > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
