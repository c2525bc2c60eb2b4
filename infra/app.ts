import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { App, Tags, Validations } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { AwsSolutionsChecks } from "cdk-nag";
import { type Bundle, bundle } from "./bundles.ts";
import { buildConsole } from "./console-bundle.ts";
import { FUNCTIONS } from "./functions.ts";
import { acknowledge } from "./nag-acknowledgements.ts";
import { settingsOf } from "./settings.ts";
import { BridgeStack } from "./stacks/bridge.ts";
import { ConsoleStack } from "./stacks/console.ts";
import { ServiceStack } from "./stacks/service.ts";
import { StateStack } from "./stacks/state.ts";

const ROOT = resolve(import.meta.dirname, "..");
const BRIDGE = "functions/bridge/main.ts";

export interface DescriptionOptions {
  /** Folder of the built console. @default without it, only the console's settings are deployed */
  readonly site?: string;
}

export interface Description {
  readonly app: App;
  readonly state: StateStack;
  readonly service: ServiceStack;
  readonly bridge: BridgeStack | undefined;
  readonly console: ConsoleStack;
  /** What is in the tables but not yet in the tree, for the reader of the synthesis. */
  readonly absent: readonly string[];
}

/**
 * The whole system. With context `aws:cdk:bundling-stacks: []` nothing is bundled: functions and bridge get a placeholder,
 * which is enough for everything but running them.
 */
export function describe(app: App, { site }: DescriptionOptions = {}): Description {
  const settings = settingsOf(app.node);
  const env = { region: settings.region };
  const { code, bridge: bridgeBundle, absent } = codeOf(app);
  const props = { env, settings };

  const state = new StateStack(app, "Headrace-State", props);
  const console = new ConsoleStack(app, "Headrace-Console", {
    ...props,
    ...(site === undefined ? {} : { site }),
  });
  const service = new ServiceStack(app, "Headrace-Service", { ...props, code });
  console.addStackDependency(state);
  service.addStackDependency(console);
  let bridge: BridgeStack | undefined;
  if (bridgeBundle !== undefined) {
    bridge = new BridgeStack(app, "Headrace-Bridge", { ...props, bundle: bridgeBundle });
    bridge.addStackDependency(service);
  }
  Tags.of(app).add("headrace:deployment", settings.deployment);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  acknowledge(app, settings);
  return { app, state, service, bridge, console, absent };
}

function codeOf(app: App): { code: Map<string, Code>; bridge: Bundle | undefined; absent: string[] } {
  const names = Object.keys(FUNCTIONS);
  if (Array.isArray(app.node.tryGetContext("aws:cdk:bundling-stacks"))) {
    const placeholder = {
      folder: import.meta.dirname,
      file: join(import.meta.dirname, "app.ts"),
      sha256: "0".repeat(64),
    };
    return {
      code: new Map(names.map((name) => [name, Code.fromInline("export const handler = () => {};")])),
      bridge: placeholder,
      absent: [],
    };
  }
  const sources = new Map([
    ...names.map((name) => [name, `functions/${name}/handler.ts`] as const),
    ["bridge", BRIDGE] as const,
  ]);
  const absent = [...sources].filter(([, source]) => !existsSync(join(ROOT, source)));
  for (const [name] of absent) sources.delete(name);
  const bundles = bundle(Object.fromEntries(sources));
  const code = new Map<string, Code>();
  for (const [name, { folder }] of bundles) if (name !== "bridge") code.set(name, Code.fromAsset(folder));
  return { code, bridge: bundles.get("bridge"), absent: absent.map(([, source]) => source) };
}

/** What has to be built before the description can be made. */
export async function built(): Promise<DescriptionOptions> {
  const site = await buildConsole();
  return site === undefined ? {} : { site };
}

if (import.meta.main) {
  const { app, absent } = describe(new App(), await built());
  for (const source of absent) process.stderr.write(`left out: ${source} does not exist\n`);
  app.synth();
}
