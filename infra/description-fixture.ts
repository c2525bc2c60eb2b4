import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { type Description, describe } from "./app.ts";

const CONTEXT = (JSON.parse(readFileSync(join(import.meta.dirname, "..", "cdk.json"), "utf8")) as { context: object })
  .context;

/** Every way to deploy that is offered; `attached` names networks that nobody has. */
export const VARIANTS: readonly Readonly<Record<string, string>>[] = [
  { profile: "coop", network: "public" },
  { profile: "coop", network: "fixed" },
  { profile: "utility", network: "public" },
  { profile: "utility", network: "fixed" },
  {
    profile: "utility",
    network: "attached",
    vpcId: "vpc-0a1b2c3d",
    subnetZones: "eu-central-1a,eu-central-1b,eu-central-1c",
    subnetIds: "subnet-0a1b2c3d,subnet-1a1b2c3d,subnet-2a1b2c3d",
  },
];

/** The system as described, nothing bundled: for tests of the description itself. */
export const described = (context: Readonly<Record<string, unknown>> = {}): Description =>
  describe(new App({ context: { ...CONTEXT, "aws:cdk:bundling-stacks": [], ...context } }));

export type StackName = "state" | "service" | "api" | "bridge" | "console";
export type Templates = Readonly<Record<StackName, Template>>;

export function templatesOf(description: Description): Templates {
  const { state, service, api, bridge, console } = description;
  return {
    state: Template.fromStack(state),
    service: Template.fromStack(service),
    api: Template.fromStack(api),
    bridge: Template.fromStack(bridge),
    console: Template.fromStack(console),
  };
}

/** A resource of a template as a test reads it. */
export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}
export const resourcesOf = (template: Template, type?: string): readonly (readonly [string, Resource])[] =>
  Object.entries((template.toJSON() as { Resources: Record<string, Resource> }).Resources).filter(
    ([, resource]) => type === undefined || resource.Type === type,
  );
