import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");

/** A check that runs on its own. */
export interface Part {
  readonly name: string;
  readonly about: string;
  /** In `npm test`: Node alone can run it. */
  readonly always: boolean;
  /** Runs when it is named, and in no other run: its outcome rests on how much else the machine does. */
  readonly byName?: boolean;
  /** The first line of why it cannot run here, or undefined. */
  readonly missing?: () => string | undefined;
  readonly run: Command | Vitest;
}

/** Passes by exit code 0: one test. With `counts`, a last line `{"passed":n,"failed":n,"skipped":n}` on standard output counts. */
export interface Command {
  readonly kind: "command";
  /** A script of ours or of a package, run by this Node. */
  readonly script: string;
  readonly args: readonly string[];
  readonly counts?: boolean;
}
export interface Vitest {
  readonly kind: "vitest";
  readonly paths: readonly string[];
  readonly exclude?: readonly string[];
  /** One file at a time: each stands up a whole deployment. */
  readonly alone?: boolean;
}

const BROWSER = ["test/e2e/console.test.ts", "test/e2e/console-grid.test.ts"];
const CAPTURE = "test/e2e/tshark.test.ts";
const DAY = "test/e2e/day.test.ts";
const DISSECTOR = "test/conformance/tshark-agrees.test.ts";
/** Of the units those that take most: `npm test` ends within ten minutes. */
const SLOW = [
  "test/town.test.ts",
  "test/simulation/week/week.test.ts",
  "test/simulation/simulation.test.ts",
  "test/simulation/orders-crash.test.ts",
  "test/simulation/ingest-crash.test.ts",
  "test/simulation/groups.test.ts",
  "test/contract/meter-exchange.test.ts",
  "infra/local/synthesised.test.ts",
];
/** These wait for leases or windows to run out, for meters to call again, or for minutes to pass; or enrol ten thousand. */
const LONG = [
  "attached",
  "demand-reset",
  "demand-response",
  "exports",
  "group-read",
  "import",
  "kill-bridge",
  "kpis",
  "once-with-faults",
  "outage",
  "prepayment",
  "pushes",
  "restart",
  "schedules",
  "sleepers",
  "switch",
  "tariffs",
  "two-bridges",
  "two-protocols",
].map((name) => `test/e2e/${name}.test.ts`);

const answers = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0;
const oneOf = (...tools: readonly string[]): boolean => tools.some((tool) => answers("sh", "-c", `command -v ${tool}`));
const chromium = (): string | undefined =>
  process.env.CHROMIUM !== undefined || oneOf("chromium", "chromium-browser", "google-chrome")
    ? undefined
    : "no browser: install Debian's package chromium, or name one in CHROMIUM";
const tshark = (): string | undefined =>
  answers("tshark", "--version") ? undefined : "no tshark: install Debian's package tshark";
const python = (): string | undefined =>
  answers("python3", "-c", "import venv, ensurepip")
    ? undefined
    : "no python3 with venv: install Debian's package python3-venv";
const inModules = (name: string): string => join("node_modules", name);

/** In the order in which they run: the quickest to say no come first. */
export const PARTS: readonly Part[] = [
  {
    name: "types",
    about: "the TypeScript compiler over everything",
    always: true,
    run: { kind: "command", script: inModules("typescript/bin/tsc"), args: ["--noEmit"] },
  },
  {
    name: "lint",
    about: "the linter and formatter over everything",
    always: true,
    run: { kind: "command", script: inModules("@biomejs/biome/bin/biome"), args: ["check", "--error-on-warnings"] },
  },
  {
    name: "unit",
    about: "units, codecs, contracts, the description, the house rules",
    always: true,
    run: {
      kind: "vitest",
      paths: [],
      exclude: ["test/e2e/**", "test/interop/**", "test/mutations/**", DISSECTOR, ...SLOW],
    },
  },
  {
    name: "deployment",
    about: "whole local deployments: reads, refusals, poison, bridges",
    always: true,
    run: { kind: "vitest", paths: ["test/e2e"], exclude: [...BROWSER, CAPTURE, DAY, ...LONG] },
  },
  {
    name: "slow units",
    about: "units that play through days or crashes, or start processes",
    always: false,
    run: { kind: "vitest", paths: SLOW },
  },
  {
    name: "mutations",
    about: "named mistakes in the sources, each of which must turn a test red",
    always: false,
    run: { kind: "vitest", paths: ["test/mutations"], alone: true },
  },
  {
    name: "recovery",
    about:
      "whole local deployments: faults, restarts, bridges killed, drained and replaced, schedules, groups, imports, meters that call in",
    always: false,
    run: { kind: "vitest", paths: LONG },
  },
  {
    name: "day",
    about:
      "a deployment whose clock runs 120 times as fast, from an afternoon to the next noon: twelve minutes on two free cores",
    always: false,
    byName: true,
    run: { kind: "vitest", paths: [DAY], alone: true },
  },
  {
    name: "interop",
    about: "peers that others wrote: clients and servers in Python and Java",
    always: false,
    missing: python,
    run: { kind: "command", script: "test/interop/main.ts", args: ["--json"], counts: true },
  },
  {
    name: "browser",
    about: "the console in a real browser",
    always: false,
    missing: chromium,
    run: { kind: "vitest", paths: BROWSER, alone: true },
  },
  {
    name: "tshark",
    about: "what is on the wire, seen by tshark",
    always: false,
    missing: tshark,
    run: { kind: "vitest", paths: [CAPTURE, DISSECTOR], alone: true },
  },
  {
    name: "simulation",
    about: "many seeds of the simulation",
    always: false,
    run: { kind: "command", script: "test/simulation/main.ts", args: ["--seeds", "1..2000", "--json"] },
  },
  {
    name: "week",
    about: "a simulated week of 500 meters: every slot present, or missing for a reason",
    always: false,
    run: { kind: "command", script: "test/simulation/week/main.ts", args: ["--json"], counts: true },
  },
  {
    name: "broken engines",
    about: "mistakes in the engine, each of which the simulation must find",
    always: false,
    run: { kind: "command", script: "test/mutations/engine-main.ts", args: ["--json"] },
  },
  {
    name: "fuzz",
    about: "many mutated frames",
    always: false,
    run: { kind: "command", script: "test/fuzz/main.ts", args: ["--frames", "1000000", "--json"] },
  },
];

/** Files that a part would run; a part without any is left out of every list. */
export const hasContent = ({ run }: Part): boolean =>
  run.kind === "command"
    ? existsSync(join(ROOT, run.script))
    : run.paths.length === 0 ||
      run.paths.some((path) =>
        path.endsWith(".ts") ? existsSync(join(ROOT, path)) : globSync(join(ROOT, path, "**/*.test.ts")).length > 0,
      );
