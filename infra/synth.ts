import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { App } from "aws-cdk-lib";
import { built, describe } from "./app.ts";

const ROOT = resolve(import.meta.dirname, "..");

export interface SynthesisOptions {
  /** Folder of the cloud assembly. @default cdk.out */
  readonly outDir?: string;
  /** CDK context over that of cdk.json. */
  readonly context?: Readonly<Record<string, unknown>>;
}

export interface Synthesis {
  readonly outDir: string;
  readonly stacks: readonly { readonly name: string; readonly template: string; readonly resources: number }[];
  readonly elapsedMs: number;
}

/** Writes the cloud assembly. Throws SettingError, esbuild's BuildFailure, or CDK's error with the findings of a rule pack. */
export async function synthesise({
  outDir = join(ROOT, "cdk.out"),
  context = {},
}: SynthesisOptions = {}): Promise<Synthesis> {
  const started = performance.now();
  const settled = JSON.parse(readFileSync(join(ROOT, "cdk.json"), "utf8")) as { context: Record<string, unknown> };
  const { app, layers } = describe(
    new App({ outdir: outDir, context: { ...settled.context, ...context } }),
    await built(),
  );
  const assembly = app.synth();
  for (const [name, { absent }] of layers) {
    if (absent !== undefined)
      process.stderr.write(
        `layer ${name} is empty, so this assembly cannot be deployed: npm could not bring its packages (${absent})\n`,
      );
  }
  return {
    outDir,
    stacks: assembly.stacks.map((stack) => ({
      name: stack.stackName,
      template: stack.templateFullPath,
      resources: Object.keys((stack.template as { Resources: object }).Resources).length,
    })),
    elapsedMs: Math.round(performance.now() - started),
  };
}

const HELP = `Writes the cloud assembly: what the CDK deploys and what local mode stands up. Needs no AWS account and no Docker.

Usage: npm run -s synth -- [options]
  --out DIR          where to (cdk.out)
  -c KEY=VALUE       CDK context, repeatable: profile=coop|utility, network=public|fixed|attached, region=…, deployment=…
  --json             one line of JSON instead of text
  --help
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      context: { type: "string", short: "c", multiple: true },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const context = Object.fromEntries(
    (values.context ?? []).map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new TypeError(`-c: expected key=value, got ${JSON.stringify(pair)}`);
      const value = pair.slice(at + 1);
      return [pair.slice(0, at), value.startsWith("[") ? JSON.parse(value) : value];
    }),
  );
  const synthesis = await synthesise({ context, ...(values.out === undefined ? {} : { outDir: resolve(values.out) }) });
  if (values.json) process.stdout.write(`${JSON.stringify(synthesis)}\n`);
  else {
    for (const { name, template, resources } of synthesis.stacks)
      process.stdout.write(
        `${name.padEnd(18)} ${String(resources).padStart(3)} resources  ${relative(process.cwd(), template)}\n`,
      );
    process.stdout.write(
      `cloud assembly in ${relative(process.cwd(), synthesis.outDir) || "."}, ${(synthesis.elapsedMs / 1000).toFixed(1)} s\n`,
    );
  }
  return 0;
}

if (import.meta.main)
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof TypeError ? 2 : 1;
  }
