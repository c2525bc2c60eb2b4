import { Stack } from "aws-cdk-lib";
import { Effect, Policy, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnPolicy, CfnTopicRule } from "aws-cdk-lib/aws-iot";
import { Construct } from "constructs";
import type { Settings } from "../settings.ts";
import type { Lane } from "./lane.ts";

/** Where an endpoint that sleeps finds what is asked of it. */
export const mailboxTopic = (deployment: string, thing: string): string => `${deployment}/${thing}/mailbox`;
/** Where it says something; it publishes to the rule itself, under this name (Basic Ingest: no charge of the broker's). */
const uplinkTopic = (deployment: string, thing: string): string => `${deployment}/${thing}/uplink`;
/** Names of rules have no hyphens. */
export const uplinkRule = (deployment: string): string => `${deployment.replaceAll("-", "_")}_uplink`;
// biome-ignore lint/suspicious/noTemplateCurlyInString: IoT's own variable
const OWN = "${iot:Connection.Thing.ThingName}";

/** The statement by which every message of an endpoint becomes one of the queue: its octets, and who the broker knows sent them. */
const sqlOf = (deployment: string): string =>
  `SELECT encode(*, 'base64') AS payload, clientid() AS thing, timestamp() AS at FROM '${uplinkTopic(deployment, "+")}'`;

export interface SleeperTopicsProps {
  readonly settings: Settings;
  readonly uplink: Lane;
}

/**
 * MQTT for endpoints that sleep: a rule that hands what they say to the queue `uplink`, and the policy that is attached to
 * the certificate of each: it connects under its own name and touches its own two topics, nothing else.
 */
export class SleeperTopics extends Construct {
  constructor(scope: Construct, id: string, { settings, uplink }: SleeperTopicsProps) {
    super(scope, id);
    const { deployment } = settings;
    const arnOf = (resource: string, resourceName: string): string =>
      Stack.of(this).formatArn({ service: "iot", resource, resourceName });

    const role = new Role(this, "RuleRole", { assumedBy: new ServicePrincipal("iot.amazonaws.com") });
    const grants = new Policy(this, "RuleGrants", {
      statements: [
        new PolicyStatement({
          effect: Effect.ALLOW,
          actions: ["sqs:SendMessage"],
          resources: [uplink.queue.queueArn, uplink.parked.queueArn],
        }),
      ],
    });
    grants.attachToRole(role);
    const into = (queueUrl: string) => ({ sqs: { queueUrl, roleArn: role.roleArn, useBase64: false } });
    const rule = new CfnTopicRule(this, "UplinkRule", {
      ruleName: uplinkRule(deployment),
      topicRulePayload: {
        description: `What endpoints of ${deployment} that sleep say`,
        awsIotSqlVersion: "2016-03-23",
        sql: sqlOf(deployment),
        actions: [into(uplink.queue.queueUrl)],
        errorAction: into(uplink.parked.queueUrl),
      },
    });
    rule.node.addDependency(grants);

    const may = (action: string, resource: string, name: string) => ({
      Effect: "Allow",
      Action: `iot:${action}`,
      Resource: arnOf(resource, name),
    });
    new CfnPolicy(this, "EndpointPolicy", {
      policyName: `${deployment}-endpoint`,
      policyDocument: {
        Version: "2012-10-17",
        Statement: [
          { ...may("Connect", "client", OWN), Condition: { Bool: { "iot:Connection.Thing.IsAttached": "true" } } },
          may("Publish", "topic", `$aws/rules/${uplinkRule(deployment)}/${uplinkTopic(deployment, OWN)}`),
          may("Subscribe", "topicfilter", mailboxTopic(deployment, OWN)),
          may("Receive", "topic", mailboxTopic(deployment, OWN)),
        ],
      },
    });
  }
}
