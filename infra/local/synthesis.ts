import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { keepAssembly, keptAssembly, takeAssembly } from "./kept-assemblies.ts";
import { StartupError } from "./startup-error.ts";

interface Synthesised {
  readonly elapsedMs: number;
}

/**
 * Writes the cloud assembly, or a copy of an earlier one where no source has changed since. `context`: over that of cdk.json.
 */
export async function synthesiseInto(
  outDir: string,
  given: Readonly<Record<string, string>> = {},
): Promise<Synthesised> {
  const context = { ...given, layers: "here", callbacks: "any" };
  const started = performance.now();
  const kept = keptAssembly(context);
  if (takeAssembly(kept, outDir)) return { elapsedMs: Math.round(performance.now() - started) };
  const synthesised = await synthesise(outDir, context);
  // Sources that changed meanwhile: which of them went in cannot be told.
  if (keptAssembly(context) === kept) keepAssembly(outDir, kept);
  return synthesised;
}

/**
 * In a process of its own: the CDK takes some 500 MB, which what runs for days should not carry. It needs no account, so
 * it gets no credentials.
 */
async function synthesise(outDir: string, context: Readonly<Record<string, string>>): Promise<Synthesised> {
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL("../synth.ts", import.meta.url)),
      "--out",
      outDir,
      "--json",
      ...Object.entries(context).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    ],
    {
      env: {
        ...(PATH === undefined ? {} : { PATH }),
        ...(HOME === undefined ? {} : { HOME }),
        ...(TMPDIR === undefined ? {} : { TMPDIR }),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  process.off("exit", end);
  const line = output.stdout.trimEnd().split("\n").at(-1) ?? "";
  if (code !== 0 || !line.startsWith("{"))
    throw new StartupError(
      `the description of the system does not synthesise (exit ${code}):\n${output.stderr.trimEnd()}`,
    );
  const synthesised = JSON.parse(line) as Synthesised;
  return synthesised;
}
