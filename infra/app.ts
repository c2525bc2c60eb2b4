import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { App, Tags, Validations } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { AwsSolutionsChecks } from "cdk-nag";
import { type Bundle, bundle } from "./bundles.ts";
import { buildConsole } from "./console-bundle.ts";
import { FUNCTIONS } from "./functions.ts";
import { type LayerFolder, type LayerTarget, layerFolder } from "./layer-folders.ts";
import { acknowledge } from "./nag-acknowledgements.ts";
import { LAYERS, type LayerName } from "./resources.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { ROOT } from "./source-digest.ts";
import { ApiStack } from "./stacks/api.ts";
import { BridgeStack } from "./stacks/bridge.ts";
import { ConsoleStack } from "./stacks/console.ts";
import { ServiceStack } from "./stacks/service.ts";
import { StateStack } from "./stacks/state.ts";

const BRIDGE = "functions/bridge/main.ts";

export interface DescriptionOptions {
  /** Folder of the built console. @default without it, only the console's settings are deployed */
  readonly site?: string;
}

export interface Description {
  readonly app: App;
  readonly state: StateStack;
  readonly service: ServiceStack;
  readonly api: ApiStack;
  readonly bridge: BridgeStack;
  readonly console: ConsoleStack;
  readonly layers: ReadonlyMap<LayerName, LayerFolder>;
}

/**
 * The whole system. With context `aws:cdk:bundling-stacks: []` nothing is bundled: functions and bridge get a placeholder,
 * which is enough for everything but running them.
 */
export function describe(app: App, { site }: DescriptionOptions = {}): Description {
  const settings = settingsOf(app.node);
  const env = { region: settings.region };
  const { code, bridge: bridgeBundle, layers } = codeOf(app, settings);
  const props = { env, settings };

  const state = new StateStack(app, "Headrace-State", props);
  const console = new ConsoleStack(app, "Headrace-Console", {
    ...props,
    ...(site === undefined ? {} : { site }),
  });
  const service = new ServiceStack(app, "Headrace-Service", { ...props, code, layers });
  console.addStackDependency(state);
  service.addStackDependency(console);
  const api = new ApiStack(app, "Headrace-Api", { ...props, code, layers });
  api.addStackDependency(service);
  const bridge = new BridgeStack(app, "Headrace-Bridge", { ...props, bundle: bridgeBundle });
  bridge.addStackDependency(service);
  Tags.of(app).add("headrace:deployment", settings.deployment);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  acknowledge(app, settings);
  return { app, state, service, api, bridge, console, layers };
}

interface Sources {
  readonly code: ReadonlyMap<string, Code>;
  readonly bridge: Bundle;
  readonly layers: ReadonlyMap<LayerName, LayerFolder>;
}

const layersFor = (target: LayerTarget): Sources["layers"] =>
  new Map((Object.keys(LAYERS) as LayerName[]).map((name) => [name, layerFolder(name, target)]));

function codeOf(app: App, settings: Settings): Sources {
  const names = Object.keys(FUNCTIONS);
  const selected: unknown = app.node.tryGetContext("aws:cdk:bundling-stacks"); // the CDK's command line says which stacks
  if (Array.isArray(selected) && selected.length === 0) {
    const file = join(import.meta.dirname, "app.ts");
    return {
      code: new Map(names.map((name) => [name, Code.fromInline("export const handler = () => {};")])),
      bridge: { folder: import.meta.dirname, file, sha256: "0".repeat(64) },
      layers: layersFor("none"),
    };
  }
  const sources = {
    ...Object.fromEntries(names.map((name) => [name, `functions/${name}/handler.ts`])),
    bridge: BRIDGE,
  };
  const absent = Object.values(sources).filter((source) => !existsSync(join(ROOT, source)));
  if (absent.length > 0) throw new Error(`infra/functions.ts names what is not there: expected ${absent.join(", ")}`);
  const { bridge, ...bundles } = Object.fromEntries(bundle(sources));
  if (bridge === undefined) throw new Error(`${BRIDGE} was not bundled`);
  for (const [name, { file }] of Object.entries(bundles)) checkLayers(name, readFileSync(file, "utf8"));
  return {
    code: new Map(Object.entries(bundles).map(([name, { folder }]) => [name, Code.fromAsset(folder)])),
    bridge,
    layers: layersFor(settings.layers),
  };
}

/** A bundle without the layer that it loads from would fail at its first call only. */
function checkLayers(name: string, code: string): void {
  for (const [layer, { package: loaded }] of Object.entries(LAYERS) as [LayerName, { package: string }][]) {
    const declares = FUNCTIONS[name]?.layers?.includes(layer) ?? false;
    if (code.includes(`"${loaded}"`) !== declares)
      throw new Error(
        `infra/functions.ts: ${name} ${declares ? "declares" : "lacks"} the layer ${layer}, but ${declares ? "does not load" : "loads"} ${loaded}`,
      );
  }
}

/** What has to be built before the description can be made. */
export async function built(): Promise<DescriptionOptions> {
  const site = await buildConsole();
  return site === undefined ? {} : { site };
}

if (import.meta.main) describe(new App(), await built()).app.synth();
