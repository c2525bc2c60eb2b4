import type { Json } from "./assembly.ts";
import type { DynamoTable } from "./dynamodb.ts";
import type { LoadedTemplate } from "./load.ts";
import { createQueue } from "./sqs.ts";
import type { StandIns } from "./stand-ins.ts";
import { StartupError } from "./startup-error.ts";
import type { LoadedResource } from "./template.ts";

type Fields = Readonly<Record<string, Json>>;
export const fields = (value: Json | undefined): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
export const items = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** Tables, queues, buckets, keys and what roles may do. */
export async function deployState(template: LoadedTemplate, { db, queues, kms, permissions }: StandIns): Promise<void> {
  for (const role of template.ofType("AWS::IAM::Role")) grantOwn(role, permissions.grant.bind(permissions));
  const roleArn = new Map(
    template.ofType("AWS::IAM::Role").map(({ physical }) => [physical.ref, String(physical.attributes.Arn)]),
  );
  for (const policy of template.ofType("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"))
    for (const role of items(policy.property("Roles"))) {
      const arn = roleArn.get(String(role));
      if (arn === undefined)
        throw new StartupError(`${policy.stack}.${policy.logicalId}: ${String(role)} is no role of the template`);
      permissions.grant(arn, policy.property("PolicyDocument"));
    }

  for (const key of template.ofType("AWS::KMS::Key")) {
    const spec = String(key.property("KeySpec") ?? "SYMMETRIC_DEFAULT");
    kms.keys.ensure(String(key.physical.attributes.Arn), spec, String(key.property("KeyUsage") ?? "ENCRYPT_DECRYPT"));
  }
  for (const table of template.ofType("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"))
    await db.createTable(tableOf(table));
  // Dead letters first would be AWS' order; here a redrive policy names its target by ARN and finds it when it is used.
  for (const queue of template.ofType("AWS::SQS::Queue"))
    createQueue(queues.sqs, {
      name: String(queue.physical.attributes.QueueName),
      url: queue.physical.ref,
      arn: String(queue.physical.attributes.Arn),
      attributes: queueAttributes(queue),
    });
  for (const { physical } of template.ofType("AWS::S3::Bucket"))
    if (!queues.s3.hasBucket(physical.ref)) queues.s3.createBucket(physical.ref);
}

/** Managed policies of AWS that allow nothing which local mode serves. */
const LOGS_ONLY = /:policy\/service-role\/(?:AWSLambdaBasicExecutionRole|AmazonECSTaskExecutionRolePolicy)$/;

function grantOwn(role: LoadedResource, grant: (roleArn: string, document: Json | undefined) => void): void {
  const arn = String(role.physical.attributes.Arn);
  for (const policy of items(role.property("Policies"))) grant(arn, fields(policy).PolicyDocument);
  for (const managed of items(role.property("ManagedPolicyArns")))
    if (String(managed).includes(":iam::aws:") && !LOGS_ONLY.test(String(managed)))
      throw new StartupError(
        `${role.stack}.${role.logicalId}: what ${String(managed)} allows is not known to local mode; grant the actions themselves`,
      );
}

function tableOf(resource: LoadedResource): DynamoTable {
  const indexes = items(resource.property("GlobalSecondaryIndexes")).map((index) => {
    const { IndexName, KeySchema, Projection } = fields(index);
    return { IndexName, KeySchema, Projection };
  });
  const ttl = fields(resource.property("TimeToLiveSpecification"));
  return {
    name: resource.physical.ref,
    keySchema: items(resource.property("KeySchema")),
    attributeDefinitions: items(resource.property("AttributeDefinitions")),
    ...(indexes.length === 0 ? {} : { globalSecondaryIndexes: indexes }),
    ...(ttl.Enabled === true ? { ttlAttribute: String(ttl.AttributeName) } : {}),
  };
}

const QUEUE_ATTRIBUTES = [
  "VisibilityTimeout",
  "DelaySeconds",
  "MaximumMessageSize",
  "MessageRetentionPeriod",
  "ReceiveMessageWaitTimeSeconds",
] as const;

function queueAttributes(queue: LoadedResource): Record<string, string> {
  if (queue.property("FifoQueue") === true)
    throw new StartupError(`${queue.stack}.${queue.logicalId} is a FIFO queue: no lane of the product is one`);
  const attributes: Record<string, string> = {};
  for (const name of QUEUE_ATTRIBUTES) {
    const value = queue.property(name);
    if (value !== undefined) attributes[name] = String(value);
  }
  const redrive = queue.property("RedrivePolicy");
  if (redrive !== undefined) attributes.RedrivePolicy = JSON.stringify(redrive);
  return attributes;
}
