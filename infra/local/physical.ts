import { createHash } from "node:crypto";
import type { Json } from "./assembly.ts";
import type { LoadedResource, Physical, Pseudo } from "./template.ts";

/** A host that never resolves (RFC 6761 section 6.4): queue URLs are names here, the endpoint comes from the environment. */
const QUEUE_HOST = "http://sqs.invalid";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

type Bare = Omit<LoadedResource, "physical">;
type Naming = (resource: Bare, name: (property: string) => string, pseudo: Pseudo) => Physical;

const arn = ({ partition, region, account }: Pseudo, service: string, rest: string): string =>
  `arn:${partition}:${service}:${region}:${account}:${rest}`;

const table: Naming = (_, name, pseudo) => {
  const ref = name("TableName");
  return { ref, attributes: { Arn: arn(pseudo, "dynamodb", `table/${ref}`) } };
};

/** Names as AWS would give them, but the same in every run: a data folder is found again. */
const NAMINGS: Readonly<Record<string, Naming>> = {
  "AWS::DynamoDB::GlobalTable": table,
  "AWS::DynamoDB::Table": table,
  "AWS::SQS::Queue": (_, name, pseudo) => {
    const queue = name("QueueName");
    const ref = `${QUEUE_HOST}/${pseudo.account}/${queue}`;
    return { ref, attributes: { Arn: arn(pseudo, "sqs", queue), QueueName: queue, QueueUrl: ref } };
  },
  "AWS::S3::Bucket": (_, name, { partition, region }) => {
    const ref = name("BucketName").toLowerCase().slice(0, 63);
    const domain = `${ref}.s3.${region}.amazonaws.com`;
    return {
      ref,
      attributes: { Arn: `arn:${partition}:s3:::${ref}`, DomainName: domain, RegionalDomainName: domain },
    };
  },
  "AWS::KMS::Key": ({ stack, logicalId, property }, _, pseudo) => {
    const hash = digest(`key ${stack} ${logicalId}`);
    const uuid = [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)];
    const ref = property("MultiRegion") === true ? `mrk-${hash.slice(0, 32)}` : uuid.join("-");
    return { ref, attributes: { Arn: arn(pseudo, "kms", `key/${ref}`), KeyId: ref } };
  },
  "AWS::IoT::TopicRule": (_, name, pseudo) => {
    const ref = name("RuleName");
    return { ref, attributes: { Arn: arn(pseudo, "iot", `rule/${ref}`) } };
  },
  "AWS::IoT::Policy": (_, name, pseudo) => {
    const ref = name("PolicyName");
    return { ref, attributes: { Arn: arn(pseudo, "iot", `policy/${ref}`), Id: ref } };
  },
  "AWS::SSM::Parameter": (_, name) => ({ ref: name("Name"), attributes: {} }),
  "AWS::Lambda::Function": (_, name, pseudo) => {
    const ref = name("FunctionName");
    return { ref, attributes: { Arn: arn(pseudo, "lambda", `function:${ref}`) } };
  },
  "AWS::IAM::Role": (_, name, { partition, account }) => {
    const ref = name("RoleName");
    return { ref, attributes: { Arn: `arn:${partition}:iam::${account}:role/${ref}`, RoleId: ref } };
  },
  "AWS::IAM::ManagedPolicy": (_, name, { partition, account }) => {
    const ref = `arn:${partition}:iam::${account}:policy/${name("ManagedPolicyName")}`;
    return { ref, attributes: { PolicyArn: ref } };
  },
  "AWS::Cognito::UserPool": ({ stack, logicalId }, _, pseudo) => {
    const ref = `${pseudo.region}_${digest(`pool ${stack} ${logicalId}`).slice(0, 9)}`;
    const provider = `cognito-idp.${pseudo.region}.amazonaws.com/${ref}`;
    const ProviderURL = `https://${provider}`;
    return {
      ref,
      attributes: { Arn: arn(pseudo, "cognito-idp", `userpool/${ref}`), ProviderName: provider, ProviderURL },
    };
  },
  "AWS::Cognito::UserPoolClient": (_, name) => {
    const ref = name("ClientName");
    return { ref, attributes: { ClientId: ref } };
  },
  "AWS::Cognito::UserPoolResourceServer": (_, name) => ({ ref: name("Identifier"), attributes: {} }),
  "AWS::Cognito::UserPoolDomain": (_, name) => ({ ref: name("Domain"), attributes: {} }),
  "AWS::ApiGatewayV2::Api": ({ stack, logicalId }, _, { region }) => {
    const ref = digest(`api ${stack} ${logicalId}`).slice(0, 10);
    return { ref, attributes: { ApiId: ref, ApiEndpoint: `https://${ref}.execute-api.${region}.amazonaws.com` } };
  },
  "AWS::Scheduler::Schedule": (_, name, pseudo) => {
    const ref = name("Name");
    return { ref, attributes: { Arn: arn(pseudo, "scheduler", `schedule/default/${ref}`) } };
  },
  "AWS::CloudFront::Distribution": ({ stack, logicalId }) => {
    const hash = digest(`distribution ${stack} ${logicalId}`);
    return {
      ref: `E${hash.slice(0, 13).toUpperCase()}`,
      attributes: { DomainName: `d${hash.slice(0, 13)}.cloudfront.net` },
    };
  },
  "AWS::CloudFront::Function": (_, name, { partition, account }) => {
    const ref = `arn:${partition}:cloudfront::${account}:function/${name("Name")}`;
    return { ref, attributes: { FunctionARN: ref } };
  },
  "AWS::EC2::EIP": ({ stack, logicalId }) => {
    const ref = `eipalloc-${digest(`${stack} ${logicalId}`).slice(0, 17)}`;
    return { ref: "127.0.0.1", attributes: { AllocationId: ref, PublicIp: "127.0.0.1" } };
  },
  "AWS::ECS::TaskDefinition": (_, name, pseudo) => {
    const ref = arn(pseudo, "ecs", `task-definition/${name("Family")}:1`);
    return { ref, attributes: { TaskDefinitionArn: ref } };
  },
};

/** Ref and attributes of any resource; of one that is inert here only its name and ARN. */
export function physicalOf(resource: Bare, pseudo: Pseudo): Physical {
  const { stack, logicalId, type, property } = resource;
  const given = (name: string): string => {
    const value: Json | undefined = property(name);
    return typeof value === "string" && value !== "" ? value : `${stack}-${logicalId}`;
  };
  const naming = NAMINGS[type];
  if (naming !== undefined) return naming(resource, given, pseudo);
  const [, service = "", kind = ""] = type.toLowerCase().split("::");
  const ref = `${stack}-${logicalId}`;
  return {
    ref,
    attributes: { Arn: arn(pseudo, service, `${kind}/${ref}`), Id: ref, GroupId: ref, DNSName: "127.0.0.1" },
  };
}
