import { Annotations } from "aws-cdk-lib";
import { Architecture, Code, LayerVersion, Runtime } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import type { FunctionDescription } from "../function-description.ts";
import { FUNCTIONS } from "../functions.ts";
import type { LayerFolder } from "../layer-folders.ts";
import { LAYERS, type LayerName, type QueueReferences, type StateReferences } from "../resources.ts";
import type { Settings } from "../settings.ts";
import { NodeFunction } from "./node-function.ts";

export interface FunctionCode {
  /** Of each function of the table by name. */
  readonly code: ReadonlyMap<string, Code>;
  readonly layers: ReadonlyMap<LayerName, LayerFolder>;
}

export interface DescribedFunctionsProps extends FunctionCode {
  readonly settings: Settings;
  readonly state: StateReferences;
  readonly queues: QueueReferences;
  /** Which functions of the table. */
  readonly which: (description: FunctionDescription) => boolean;
}

/** Functions of `infra/functions.ts` in this stack, by name, with the layers that they load from. */
export function describedFunctions(
  scope: Construct,
  { code, layers, which, ...props }: DescribedFunctionsProps,
): ReadonlyMap<string, NodeFunction> {
  const named = Object.entries(FUNCTIONS).filter(([, description]) => which(description));
  const wanted = new Set(named.flatMap(([, description]) => description.layers ?? []));
  const made = new Map(
    [...layers].filter(([name]) => wanted.has(name)).map(([name, folder]) => [name, layerOf(scope, name, folder)]),
  );
  return new Map(
    named.map(([name, description]) => {
      const bundled = code.get(name);
      if (bundled === undefined) throw new Error(`function ${name}: no code`);
      return [name, new NodeFunction(scope, name, { ...props, name, description, code: bundled, layers: made })];
    }),
  );
}

function layerOf(scope: Construct, name: LayerName, { folder, absent }: LayerFolder): LayerVersion {
  const layer = new LayerVersion(scope, `Layer-${name}`, {
    description: LAYERS[name].package,
    code: Code.fromAsset(folder),
    compatibleArchitectures: [Architecture.ARM_64],
    compatibleRuntimes: [Runtime.NODEJS_24_X],
  });
  // Written for whoever looks at the assembly; the CDK does not deploy a stack with an error.
  if (absent !== undefined)
    Annotations.of(layer).addError(`Layer ${name} is empty: npm could not bring it (${absent})`);
  return layer;
}
