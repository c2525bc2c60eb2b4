import { readFileSync } from "node:fs";
import { join } from "node:path";
import { StartupError } from "./startup-error.ts";

/** JSON as it stands in a template, intrinsics included. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, Json>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
}

/** The sections of a CloudFormation template that a deployment reads. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: Json }>>;
  readonly Conditions?: Readonly<Record<string, Json>>;
  readonly Mappings?: Readonly<Record<string, Json>>;
}

export interface Stack {
  readonly name: string;
  readonly template: Template;
}

export interface Assembly {
  /** A stack comes after those it depends on. */
  readonly stacks: readonly Stack[];
  /** Files and folders on this machine, by the object key under which a deployment would upload them. */
  readonly assets: ReadonlyMap<string, string>;
}

interface Artifact {
  readonly type: string;
  readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string };
  readonly dependencies?: readonly string[];
}
interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path?: string };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
}

const readJson = <T>(path: string): T => {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (cause) {
    throw new StartupError(
      `${path} cannot be read as JSON: run \`npm run -s synth\` to write the cloud assembly anew`,
      {
        cause,
      },
    );
  }
};

/** Reads a cloud assembly as the CDK app writes it. Throws StartupError when it is not one. */
export function readAssembly(directory: string): Assembly {
  const { artifacts } = readJson<{ readonly artifacts: Readonly<Record<string, Artifact>> }>(
    join(directory, "manifest.json"),
  );
  const stacks: Stack[] = [];
  const assets = new Map<string, string>();
  const visited = new Set<string>();

  const visit = (id: string): void => {
    const artifact = artifacts[id];
    if (artifact === undefined || visited.has(id)) return;
    visited.add(id);
    for (const dependency of artifact.dependencies ?? []) visit(dependency);
    if (artifact.type === "cdk:asset-manifest" && artifact.properties?.file !== undefined) {
      const manifest = readJson<AssetManifest>(join(directory, artifact.properties.file));
      for (const { source, destinations } of Object.values(manifest.files ?? {}))
        for (const { objectKey } of Object.values(destinations))
          if (source.path !== undefined) assets.set(objectKey, join(directory, source.path));
    }
    if (artifact.type === "aws:cloudformation:stack" && artifact.properties?.templateFile !== undefined)
      stacks.push({
        name: artifact.properties.stackName ?? id,
        template: readJson<Template>(join(directory, artifact.properties.templateFile)),
      });
    if (artifact.type === "cdk:cloud-assembly")
      throw new StartupError(`local mode reads stacks, not stages: move the stacks of ${id} to the app itself`);
  };
  for (const id of Object.keys(artifacts).sort()) visit(id);
  if (stacks.length === 0) throw new StartupError(`${directory} holds no stack`);
  return { stacks, assets };
}
