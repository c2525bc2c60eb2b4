import type { Assembly, Json } from "./assembly.ts";
import type { LocalServer } from "./aws-endpoint.ts";
import { deployBucket } from "./bucket-deployment.ts";
import { type Behaviour, startDistribution } from "./distribution.ts";
import { HttpApi, type HttpRoute, type LocalAnswer } from "./http-api.ts";
import { startIssuer } from "./issuer.ts";
import type { DemoUser, IssuerClient, IssuerDirectory } from "./issuer-directory.ts";
import { JwtAuthorizer } from "./jwt-authorizer.ts";
import type { Addresses, LoadedTemplate } from "./load.ts";
import type { LogSink } from "./log-sink.ts";
import type { StandIns } from "./stand-ins.ts";
import { StartupError } from "./startup-error.ts";
import type { LoadedResource } from "./template.ts";

type Fields = Readonly<Record<string, Json>>;
const fields = (value: Json | undefined): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const texts = (value: Json | undefined): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

export interface MachineClient {
  readonly id: string;
  readonly secret: string;
  readonly role: string;
}
export interface Identity {
  readonly users: readonly DemoUser[];
  readonly clients: readonly MachineClient[];
  readonly server: LocalServer;
}

/** The issuer with the template's clients, and a demo user a group. */
export async function deployIssuer(
  template: LoadedTemplate,
  directory: IssuerDirectory,
  addresses: Addresses,
  log: LogSink,
): Promise<Identity> {
  const clients = template.ofType("AWS::Cognito::UserPoolClient").map((resource): IssuerClient => {
    const scopes = texts(resource.property("AllowedOAuthScopes"));
    const machine = texts(resource.property("AllowedOAuthFlows")).includes("client_credentials");
    return {
      id: resource.physical.ref,
      ...(machine ? { machine: { scopes } } : {}),
      callbackUrls: texts(resource.property("CallbackURLs")),
      logoutUrls: texts(resource.property("LogoutURLs")),
    };
  });
  const users = template.ofType("AWS::Cognito::UserPoolGroup").flatMap((group) => {
    const role = group.text("GroupName");
    // What needs two approvals needs two people who may give them.
    return role === "supervisor"
      ? [directory.user(role), directory.user(role, "supervisor-2")]
      : [directory.user(role)];
  });
  const server = await startIssuer({
    url: addresses.issuer,
    port: Number(new URL(addresses.issuer).port),
    clients,
    users,
    directory,
    log: (text) => log.write("issuer", text),
  });
  const machines = clients.flatMap(({ id, machine }) => {
    const role = machine?.scopes[0]?.split("/").at(-1);
    return role === undefined ? [] : [{ id, secret: directory.clientSecret(id), role }];
  });
  return { users, clients: machines, server };
}

/** The HTTP API with its routes; it listens when `start` is called. */
export function deployApi(
  template: LoadedTemplate,
  { lambda, pseudo }: StandIns,
  local: ReadonlyMap<string, LocalAnswer>,
): HttpApi {
  const [api, ...others] = template.ofType("AWS::ApiGatewayV2::Api");
  if (api === undefined || others.length > 0)
    throw new StartupError(`the template has ${others.length + (api ? 1 : 0)} HTTP APIs; local mode serves one`);
  const authorizers = new Map(
    template.ofType("AWS::ApiGatewayV2::Authorizer").map((resource) => {
      const { Issuer, Audience } = fields(resource.property("JwtConfiguration"));
      return [resource.physical.ref, new JwtAuthorizer({ issuer: String(Issuer), audience: texts(Audience) })];
    }),
  );
  const integrations = new Map(
    template.ofType("AWS::ApiGatewayV2::Integration").map((resource) => [resource.physical.ref, resource]),
  );
  const routes = template.ofType("AWS::ApiGatewayV2::Route").map((route): HttpRoute => {
    const where = `${route.stack}.${route.logicalId}`;
    const integration = integrations.get(route.text("Target").replace(/^integrations\//, ""));
    const target = integration === undefined ? undefined : lambda.find(integration.text("IntegrationUri"));
    if (target === undefined) throw new StartupError(`${where}: its target is no function of the template`);
    const scopes = texts(route.property("AuthorizationScopes"));
    const key = route.text("RouteKey");
    if ((route.property("AuthorizationType") ?? "NONE") === "NONE") return { key, target, scopes };
    const authorizer = authorizers.get(route.text("AuthorizerId"));
    if (authorizer === undefined)
      throw new StartupError(`${where}: its authorizer is no JWT authorizer of the template`);
    return { key, target, scopes, authorizer };
  });
  return new HttpApi(routes, { apiId: api.physical.ref, account: pseudo.account }, local);
}

/** The console's files and the distribution before them and the API; undefined when the template has none. */
export async function deployConsole(
  template: LoadedTemplate,
  assembly: Assembly,
  { queues }: StandIns,
  api: HttpApi,
  addresses: Addresses,
): Promise<LocalServer | undefined> {
  for (const deployment of template.ofType("Custom::CDKBucketDeployment"))
    deployBucket(deployment, assembly, queues.s3, template.rewrite);
  const [distribution] = template.ofType("AWS::CloudFront::Distribution");
  if (distribution === undefined) return undefined;
  const config = fields(distribution.property("DistributionConfig"));
  const buckets = new Map(
    template
      .ofType("AWS::S3::Bucket")
      .map(({ physical }) => [String(physical.attributes.RegionalDomainName), physical.ref]),
  );
  const origins = new Map(
    (Array.isArray(config.Origins) ? config.Origins : []).map((value: Json) => {
      const origin = fields(value);
      const bucket = buckets.get(String(origin.DomainName));
      return [String(origin.Id), bucket === undefined ? { serve: api.handle.bind(api) } : { bucket }] as const;
    }),
  );
  const behaviourOf = (value: Json | undefined): Behaviour => {
    const behaviour = fields(value);
    const origin = origins.get(String(behaviour.TargetOriginId));
    if (origin === undefined)
      throw new StartupError(`${distribution.logicalId}: origin ${String(behaviour.TargetOriginId)} is not known`);
    const edge = (Array.isArray(behaviour.FunctionAssociations) ? behaviour.FunctionAssociations : [])
      .map((association: Json) => fields(association))
      .find(({ EventType }) => EventType === "viewer-request");
    const code = template
      .ofType("AWS::CloudFront::Function")
      .find(({ physical }) => physical.ref === edge?.FunctionARN)
      ?.text("FunctionCode");
    const policy = template
      .ofType("AWS::CloudFront::ResponseHeadersPolicy")
      .find(({ physical }) => physical.ref === behaviour.ResponseHeadersPolicyId);
    return {
      ...(behaviour.PathPattern === undefined ? {} : { pathPattern: String(behaviour.PathPattern) }),
      ...(code === undefined ? {} : { viewerRequest: code }),
      headers: policy === undefined ? {} : headersOf(policy),
      origin,
    };
  };
  const behaviours = [
    ...(Array.isArray(config.CacheBehaviors) ? config.CacheBehaviors : []),
    config.DefaultCacheBehavior,
  ].map(behaviourOf);
  const root = String(config.DefaultRootObject ?? "index.html");
  return startDistribution(behaviours, root, queues.s3, Number(new URL(addresses.console).port));
}

function headersOf(policy: LoadedResource): Record<string, string> {
  const config = fields(policy.property("ResponseHeadersPolicyConfig"));
  const security = fields(config.SecurityHeadersConfig);
  const headers: Record<string, string> = {};
  const csp = fields(security.ContentSecurityPolicy).ContentSecurityPolicy;
  if (csp !== undefined) headers["content-security-policy"] = String(csp);
  if (security.ContentTypeOptions !== undefined) headers["x-content-type-options"] = "nosniff";
  const frame = fields(security.FrameOptions).FrameOption;
  if (frame !== undefined) headers["x-frame-options"] = String(frame);
  const referrer = fields(security.ReferrerPolicy).ReferrerPolicy;
  if (referrer !== undefined) headers["referrer-policy"] = String(referrer);
  const transport = fields(security.StrictTransportSecurity);
  if (transport.AccessControlMaxAgeSec !== undefined)
    headers["strict-transport-security"] =
      `max-age=${String(transport.AccessControlMaxAgeSec)}${transport.IncludeSubdomains === true ? "; includeSubDomains" : ""}`;
  const custom = fields(config.CustomHeadersConfig).Items;
  for (const item of Array.isArray(custom) ? custom : [])
    headers[String(fields(item).Header).toLowerCase()] = String(fields(item).Value);
  return headers;
}
