import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
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
  /** What failed, or passed only when run again. */
  readonly notes?: readonly string[];
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs a script by this Node with its output shown; what it said is kept as well. */
function run(script: string, args: readonly string[]) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, script), ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      child[stream].on("data", (chunk: Buffer) => {
        said[stream] += chunk.toString();
        process[stream].write(chunk);
      });
    child.once("error", (error) => resolve({ code: 1, ...said, stdout: error.message }));
    child.once("close", (code) => resolve({ code, ...said }));
  });
}

type State = "numPassedTests" | "numFailedTests" | "numPendingTests" | "numTodoTests";
/** What is read of vitest's report. */
interface Report extends Record<State, number> {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

/** What vitest says of an error that no test caught: a dozen lines of it. */
function errorsIn(stderr: string): string[] {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const from = lines.findIndex((line) => /Unhandled|Error:/.test(line));
  return ["outside any test: vitest says", ...(from < 0 ? lines.slice(-12) : lines.slice(from, from + 12))];
}

/** The failed files of a report, each with what failed in it and the first line of why. */
function failuresIn({ testResults }: Report): Map<string, readonly string[]> {
  const firstLine = (text: string | undefined): string => (text ?? "").trimStart().split("\n")[0]?.slice(0, 300) ?? "";
  const files = testResults
    .filter(
      ({ status, assertionResults }) => status === "failed" || assertionResults.some((one) => one.status === "failed"),
    )
    .map(({ name, message, assertionResults }): [string, string[]] => {
      const path = relative(ROOT, name);
      const failed = assertionResults
        .filter(({ status }) => status === "failed")
        .map(({ fullName, failureMessages }) => `${path}: ${fullName}: ${firstLine(failureMessages?.[0])}`);
      return [path, failed.length > 0 ? failed : [`${path}: ${firstLine(message)}`]];
    });
  return new Map(files);
}

async function vitest(args: readonly string[]): Promise<{ code: number | null; stderr: string; report: Report }> {
  const folder = mkdtempSync(join(tmpdir(), "headrace-test-"));
  const report = join(folder, "report.json");
  try {
    const ended = await run("node_modules/vitest/vitest.mjs", [
      "run",
      ...args,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ]);
    return { ...ended, report: JSON.parse(readFileSync(report, "utf8")) as Report };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Failed files are run once more, alone: on a crowded machine a test may wait in vain. What passes only then is named. */
async function runVitest({ paths, exclude = [], alone = false }: Vitest): Promise<Counts & { notes: string[] }> {
  const excluded = exclude.flatMap((pattern) => ["--exclude", pattern]);
  const first = await vitest([...paths, ...excluded, ...(alone ? ["--no-file-parallelism"] : [])]);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = first.report;
  const skipped = numPendingTests + numTodoTests;
  if (first.code === 0) return { passed: numPassedTests, failed: 0, skipped, notes: [] };
  const failures = failuresIn(first.report);
  // An error outside any test is told in the output alone, and not of which file it is.
  const outside = failures.size === 0;
  if (outside) failures.set("outside any test", errorsIn(first.stderr));
  say(`\nonce more, ${outside ? "whole" : `alone: ${[...failures.keys()].join(", ")}`}`);
  const second = await vitest([...(outside ? [...paths, ...excluded] : failures.keys()), "--no-file-parallelism"]);
  const again = failuresIn(second.report);
  if (second.code !== 0 && again.size === 0) again.set("outside any test", errorsIn(second.stderr));
  const passedNow = [...failures].filter(([file]) => !again.has(file)).flatMap(([, texts]) => texts);
  const notes = [...again.values()].flat().concat(passedNow.map((text) => `passed only when run again: ${text}`));
  // A file that does not load fails without a failed test in it.
  const failed = second.code === 0 ? 0 : Math.max(1, second.report.numFailedTests);
  return { passed: numPassedTests + Math.max(0, numFailedTests - failed), failed, skipped, notes };
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
  const outcome = (counts: Counts & { notes?: readonly string[] }, note?: string): Outcome => ({
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
    for (const { name, about, always, byName, missing } of present)
      say(
        `${name.padEnd(12)} ${always ? "test    " : byName ? "by name " : "test:all"} ${about}${missing?.() === undefined ? "" : ` (${missing()})`}`,
      );
    return 0;
  }
  const unknown = values.only?.filter((name) => !present.some((part) => part.name === name)) ?? [];
  if (unknown.length > 0)
    throw new TypeError(
      `--only: expected one of ${present.map(({ name }) => name).join(", ")}, got ${unknown.join(", ")}`,
    );
  const chosen = present.filter(
    ({ name, always, byName = false }) =>
      values.only?.includes(name) ?? (!byName && (always ? !values.rest : values.all)),
  );

  const outcomes: Outcome[] = [];
  for (const part of chosen) outcomes.push(await runPart(part));

  say("");
  for (const { part, passed, failed, skipped, elapsedMs, note, notes = [] } of outcomes) {
    say(
      `${failed > 0 ? "FAILED " : passed > 0 ? "passed " : "skipped"} ${part.padEnd(12)} ${passed} passed, ${failed} failed, ${skipped} skipped in ${(elapsedMs / 1000).toFixed(1)} s${note === undefined ? "" : `: ${note}`}`,
    );
    for (const text of notes) say(`          ${text}`);
  }
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
