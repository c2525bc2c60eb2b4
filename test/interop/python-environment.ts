import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A Python environment of our own with the peers in it, from `requirements.txt` (pinned and hashed; made from
 * `requirements.in` by pip-tools: `pip-compile --generate-hashes --no-emit-index-url --no-header --allow-unsafe`). It lies
 * in `.cache/` under a name that changes with the requirements and the Python.
 */

const ROOT = join(import.meta.dirname, "..", "..");
const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const READY = "ready";

export type PythonEnvironment =
  | { readonly kind: "ready"; readonly python: string }
  /** No Python here; `reason` says what to install. */
  | { readonly kind: "absent"; readonly reason: string };

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and collects what it says. */
export function finished(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", (error) => resolve({ code: null, stdout, stderr: error.message }));
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Makes the environment, or finds it made. Throws when the packages cannot be installed. */
export async function pythonEnvironment(say: (line: string) => void = () => undefined): Promise<PythonEnvironment> {
  const version = await finished("python3", ["-c", "import venv, ensurepip, sys; print(sys.version, sys.platform)"]);
  if (version.code !== 0)
    return { kind: "absent", reason: "no python3 with venv: install Debian's packages python3 and python3-venv" };
  const digest = createHash("sha256").update(readFileSync(REQUIREMENTS)).update(version.stdout).digest("hex");
  const folder = join(ROOT, ".cache", `interop-${digest.slice(0, 16)}`);
  const python = join(folder, "bin", "python");
  if (existsSync(join(folder, READY))) return { kind: "ready", python };
  say("making the Python environment of the peers");
  rmSync(folder, { recursive: true, force: true });
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ["python3", ["-m", "venv", folder]],
    [
      python,
      [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--no-deps",
        "-r",
        REQUIREMENTS,
      ],
    ],
  ];
  for (const [command, args] of steps) {
    const { code, stderr } = await finished(command, args);
    if (code !== 0)
      throw new Error(`${command} ${args.slice(0, 3).join(" ")} failed: ${stderr.trim().split("\n").at(-1)}`);
  }
  writeFileSync(join(folder, READY), version.stdout);
  return { kind: "ready", python };
}
