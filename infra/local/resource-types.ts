/** What local mode does with a resource of the template. A type that is not listed is refused. */
export type Treatment =
  | { readonly kind: "stood up"; readonly as: string }
  | { readonly kind: "inert"; readonly because: string };

const up = (as: string): Treatment => ({ kind: "stood up", as });
const inert = (because: string): Treatment => ({ kind: "inert", because });

const NETWORK = "processes of one machine need no network of their own";
const WATCHING = "nobody is called by a local deployment";
const RESOURCE_POLICY = "only the Allow statements of roles are evaluated";
const LOGS = "output goes to files of the data folder, or to stderr with --verbose";

/**
 * The one list of resource types. `npm start -- --explain` prints it and docs/local-mode.md repeats it; a type that is
 * missing here stops the start, so that the two deployments cannot drift apart in silence.
 */
export const RESOURCE_TYPES: Readonly<Record<string, Treatment>> = {
  "AWS::DynamoDB::GlobalTable": up("table of the embedded DynamoDB (dynalite)"),
  "AWS::DynamoDB::Table": up("table of the embedded DynamoDB (dynalite)"),
  "AWS::SQS::Queue": up("queue of the embedded SQS (fauxqs), with its redrive policy"),
  "AWS::S3::Bucket": up("bucket of the embedded S3 (fauxqs)"),
  "AWS::KMS::Key": up("key on node:crypto, sealed in the data folder"),
  "AWS::SSM::Parameter": up("parameter: between stacks and for functions"),
  "AWS::Lambda::Function": up("worker threads running the asset's bundle with the template's environment"),
  "AWS::Lambda::LayerVersion": up("folder on NODE_PATH of its functions, with this machine's build of the packages"),
  "AWS::Lambda::EventSourceMapping": up("pollers with partial batch responses"),
  "AWS::Lambda::EventInvokeConfig": up("repeats of asynchronous invocations"),
  "AWS::Scheduler::Schedule": up("timer; fires once at the start"),
  "AWS::ApiGatewayV2::Api": up("HTTP server on the API's port"),
  "AWS::ApiGatewayV2::Route": up("route of the HTTP server"),
  "AWS::ApiGatewayV2::Integration": up("invocation of the route's function, payload format 2.0"),
  "AWS::ApiGatewayV2::Authorizer": up("token check against the local issuer"),
  "AWS::Cognito::UserPool": up("local OpenID issuer with a demo user a role"),
  "AWS::Cognito::UserPoolClient": up("client of the local issuer"),
  "AWS::Cognito::UserPoolGroup": up("a demo user of the local issuer"),
  "AWS::Cognito::UserPoolDomain": up("address of the local issuer"),
  "AWS::IAM::Role": up("the Allow statements, for each function's and task's own access key"),
  "AWS::IAM::Policy": up("Allow statements of its roles"),
  "AWS::IAM::ManagedPolicy": up("Allow statements of its roles"),
  "AWS::CloudFront::Distribution": up("static server of the console, the API under its path pattern"),
  "AWS::CloudFront::Function": up("the same code, run on each request"),
  "AWS::CloudFront::ResponseHeadersPolicy": up("the same response headers"),
  "Custom::CDKBucketDeployment": up("files copied to the bucket, markers replaced"),
  "AWS::ECS::Service": up("supervised processes, restarted at once"),
  "AWS::ECS::TaskDefinition": up("process run from the bundle's asset"),
  "AWS::IoT::TopicRule": up("rule of the embedded MQTT broker (aedes): a subset of the SQL, into queues"),
  "AWS::IoT::Policy": up("policy of the embedded MQTT broker, for every certificate of its maker"),
  "AWS::ElasticLoadBalancingV2::LoadBalancer": up("TCP and UDP splitter on 127.0.0.1"),
  "AWS::ElasticLoadBalancingV2::Listener": up("port of the splitter"),
  "AWS::ElasticLoadBalancingV2::TargetGroup": up("healthy tasks behind the splitter"),

  "AWS::ApiGatewayV2::Stage": inert("there is one stage; throttling and access logs are AWS' own"),
  "AWS::Cognito::UserPoolResourceServer": inert("scopes are those of the clients"),
  "AWS::CloudFront::OriginAccessControl": inert("the console's files are served from the local bucket itself"),
  "AWS::CloudFront::CachePolicy": inert("nothing is cached between a browser and its own machine"),
  "AWS::CloudFront::OriginRequestPolicy": inert("requests are handed on as they come"),
  "AWS::Lambda::Permission": inert(RESOURCE_POLICY),
  "AWS::Lambda::Version": inert("a local deployment runs the newest code only"),
  "AWS::Lambda::Alias": inert("a local deployment runs the newest code only"),
  "AWS::SQS::QueuePolicy": inert(RESOURCE_POLICY),
  "AWS::S3::BucketPolicy": inert(RESOURCE_POLICY),
  "AWS::KMS::Alias": inert("functions name the key itself"),
  "AWS::ECS::Cluster": inert("all tasks run on this machine"),
  "AWS::ApplicationAutoScaling::ScalableTarget": inert("the number of tasks is fixed on one machine"),
  "AWS::ApplicationAutoScaling::ScalingPolicy": inert("the number of tasks is fixed on one machine"),
  "AWS::Scheduler::ScheduleGroup": inert("a name only"),
  "AWS::Logs::LogGroup": inert(LOGS),
  "AWS::Logs::MetricFilter": inert(LOGS),
  "AWS::CloudWatch::Alarm": inert(WATCHING),
  "AWS::CloudWatch::CompositeAlarm": inert(WATCHING),
  "AWS::CloudWatch::Dashboard": inert(WATCHING),
  "AWS::EC2::VPC": inert(NETWORK),
  "AWS::EC2::VPCCidrBlock": inert(NETWORK),
  "AWS::EC2::Subnet": inert(NETWORK),
  "AWS::EC2::Route": inert(NETWORK),
  "AWS::EC2::RouteTable": inert(NETWORK),
  "AWS::EC2::SubnetRouteTableAssociation": inert(NETWORK),
  "AWS::EC2::InternetGateway": inert(NETWORK),
  "AWS::EC2::EgressOnlyInternetGateway": inert(NETWORK),
  "AWS::EC2::VPCGatewayAttachment": inert(NETWORK),
  "AWS::EC2::NatGateway": inert(NETWORK),
  "AWS::EC2::EIP": inert(NETWORK),
  "AWS::EC2::VPCEndpoint": inert(NETWORK),
  "AWS::EC2::FlowLog": inert(NETWORK),
  "AWS::EC2::SecurityGroup": inert(NETWORK),
  "AWS::EC2::SecurityGroupIngress": inert(NETWORK),
  "AWS::EC2::SecurityGroupEgress": inert(NETWORK),
  "AWS::WAFv2::WebACL": inert("a firewall before a loopback address shows nothing"),
  "AWS::FIS::ExperimentTemplate": inert("faults are injected by options of npm start and by test/simulation"),
  "AWS::CDK::Metadata": inert("says which constructs were used"),
};

/** Why a resource is refused, and what to do. */
export const refusal = (type: string, stack: string, logicalId: string): string =>
  `${stack}: ${logicalId} is a ${type}, which local mode does not know. ` +
  `Stand it up, or list it as inert with a reason, in infra/local/resource-types.ts; or remove it from infra/.`;

/** The list as text, for `--explain`. */
export function explain(): string {
  const rows = (kind: Treatment["kind"]): string[] =>
    Object.entries(RESOURCE_TYPES)
      .filter(([, treatment]) => treatment.kind === kind)
      .map(
        ([type, treatment]) => `  ${type.padEnd(45)} ${treatment.kind === "inert" ? treatment.because : treatment.as}`,
      );
  return [
    "Stood up on this machine:",
    ...rows("stood up"),
    "",
    "Inert here, and why:",
    ...rows("inert"),
    "",
    "Refused: every other type. A template with one does not start; the message names the type and the resource.",
    "",
  ].join("\n");
}

/** The list as the two tables of docs/local-mode.md; a test compares. */
export function explainInMarkdown(kind: Treatment["kind"]): string {
  const rows = Object.entries(RESOURCE_TYPES).filter(([, treatment]) => treatment.kind === kind);
  const said = (treatment: Treatment): string => (treatment.kind === "inert" ? treatment.because : treatment.as);
  return [
    `| resource type | ${kind === "inert" ? "because" : "as"} |`,
    "|---|---|",
    ...rows.map(([type, treatment]) => `| \`${type}\` | ${said(treatment)} |`),
    "",
  ].join("\n");
}
