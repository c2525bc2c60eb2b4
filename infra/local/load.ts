import type { Assembly, Json } from "./assembly.ts";
import { physicalOf } from "./physical.ts";
import { RESOURCE_TYPES, refusal } from "./resource-types.ts";
import type { ParameterStore } from "./ssm.ts";
import { StartupError } from "./startup-error.ts";
import { type LoadedResource, type Pseudo, StackResolver } from "./template.ts";

/** Where things are that have an address of their own on AWS. */
export interface Addresses {
  readonly console: string;
  readonly api: string;
  readonly issuer: string;
}

export interface LoadedTemplate {
  readonly pseudo: Pseudo;
  readonly resources: readonly LoadedResource[];
  ofType(...types: readonly string[]): readonly LoadedResource[];
  /** AWS addresses in a text become local ones. */
  rewrite(text: string): string;
}

/** CDK's bootstrap version: an account's, which a local deployment does not have. */
const BOOTSTRAP_VERSION = /^\/cdk-bootstrap\/[^/]+\/version$/;
const ACCOUNT = "000000000000";

/**
 * Loads every stack in order. Throws StartupError for a resource type that is not listed, naming it, and for a reference
 * that cannot be resolved. `parameters` gets what the stacks write for each other.
 */
export function loadTemplate(
  assembly: Assembly,
  addresses: Addresses,
  parameters: ParameterStore,
  region: string,
): LoadedTemplate {
  const refused = assembly.stacks.flatMap(({ name, template }) =>
    Object.entries(template.Resources)
      .filter(([, { Type }]) => RESOURCE_TYPES[Type] === undefined)
      .map(([logicalId, { Type }]) => refusal(Type, name, logicalId)),
  );
  if (refused.length > 0) throw new StartupError(refused.join("\n"));

  const pseudo: Pseudo = { region, account: ACCOUNT, partition: "aws" };
  const rewrites: (readonly [string, string])[] = [];
  const rewrite = (text: string): string => {
    let written = text;
    for (const [from, to] of rewrites) written = written.replaceAll(from, to);
    return written;
  };
  const resources: LoadedResource[] = [];
  for (const stack of assembly.stacks) {
    const resolver = new StackResolver(stack, {
      pseudo,
      physicalOf: (resource) => physicalOf(resource, pseudo),
      parameter: (name) => (BOOTSTRAP_VERSION.test(name) ? "999" : parameters.get(name)),
      rewrite,
    });
    const own = resolver.resources();
    // Addresses are known before any text is resolved; a later stack's parameters hold them in parts.
    for (const resource of own) rewrites.push(...rewritesOf(resource, addresses, pseudo));
    for (const resource of own)
      if (resource.type === "AWS::SSM::Parameter")
        parameters.put(resource.text("Name"), textOf(resource.property("Value")));
    resources.push(...own);
  }
  return {
    pseudo,
    resources,
    ofType: (...types) => resources.filter(({ type }) => types.includes(type)),
    rewrite,
  };
}

const textOf = (value: Json | undefined): string => (Array.isArray(value) ? value.join(",") : String(value));

/** The longer address goes before the shorter that begins it. */
function rewritesOf(resource: LoadedResource, addresses: Addresses, { region }: Pseudo): [string, string][] {
  const { ref, attributes } = resource.physical;
  switch (resource.type) {
    case "AWS::Cognito::UserPool":
      return [
        [String(attributes.ProviderURL), addresses.issuer],
        [`https://cognito-idp.${region}.amazonaws.com`, addresses.issuer],
      ];
    case "AWS::Cognito::UserPoolDomain":
      return [[`https://${ref}.auth.${region}.amazoncognito.com`, addresses.issuer]];
    case "AWS::ApiGatewayV2::Api":
      return [[String(attributes.ApiEndpoint), addresses.api]];
    case "AWS::CloudFront::Distribution":
      return [[`https://${String(attributes.DomainName)}`, addresses.console]];
    default:
      return [];
  }
}
