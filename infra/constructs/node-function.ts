import { ArnFormat, Duration, RemovalPolicy, Size, Stack } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { Policy, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, type Code, type ILayerVersion, Runtime } from "aws-cdk-lib/aws-lambda";
import { NodejsFunction } from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { FunctionDescription } from "../function-description.ts";
import {
  BUCKET_VARIABLES,
  type BucketName,
  functionVariable,
  type LayerName,
  parkedVariable,
  type QueueReferences,
  queueVariable,
  type StateReferences,
  TABLE_VARIABLES,
  type TableName,
} from "../resources.ts";
import { type RunbookEntry, runbookAlarm } from "../runbook.ts";
import type { Settings } from "../settings.ts";
import { statementsOf } from "./grants.ts";

export interface NodeFunctionProps {
  readonly name: string;
  readonly description: FunctionDescription;
  readonly settings: Settings;
  readonly code: Code;
  readonly state: StateReferences;
  readonly queues: QueueReferences;
  readonly layers: ReadonlyMap<LayerName, ILayerVersion>;
}

/** Names are known before the functions are: two may invoke each other, and one itself, without a circle in the template. */
export const functionNameOf = (deployment: string, name: string): string => `${deployment}-${name}`;

/**
 * One function of `infra/functions.ts`: code, log group, role with nothing but its description's grants, and the environment
 * that tells it the names of what it may touch.
 */
export class NodeFunction extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const { name, description, settings } = props;
    const { deployment } = settings;
    const stack = Stack.of(this);
    const logGroup = new LogGroup(this, "Log", {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.function = new NodejsFunction(this, "Function", {
      functionName: functionNameOf(deployment, name),
      code: props.code,
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(description.timeoutSeconds),
      memorySize: description.memoryMb,
      role,
      logGroup,
      environment: environmentOf(props),
      awsSdkConnectionReuse: false, // the SDK's third version keeps connections by itself
      layers: (description.layers ?? []).map((layer) => {
        const found = props.layers.get(layer);
        if (found === undefined) throw new Error(`function ${name}: no layer ${layer}`);
        return found;
      }),
      ...(description.storageMb === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(description.storageMb) }),
      ...(description.reserved !== undefined && settings.reservedConcurrency
        ? { reservedConcurrentExecutions: description.reserved }
        : {}),
      // Asynchronous calls: the next tick repeats what was lost, so an event is never kept for hours.
      ...(description.trigger.kind === "invoked" || description.trigger.kind === "tick"
        ? { maxEventAge: Duration.minutes(5), retryAttempts: 1 }
        : {}),
    });
    const policy = new Policy(this, "Grants", {
      statements: statementsOf(stack, props.state, {
        ...description,
        sends: [
          ...(description.sends ?? []).map((queue) => props.queues(queue).queue),
          ...(description.parked?.access === "send"
            ? description.parked.queues.map((queue) => props.queues(queue).parked)
            : []),
        ],
        measures: (description.measures ?? []).map((queue) => props.queues(queue).queue),
        receives: [
          ...(description.trigger.kind === "queue" ? [props.queues(description.trigger.queue).queue] : []),
          ...(description.parked?.access === "drain"
            ? description.parked.queues.map((queue) => props.queues(queue).parked)
            : []),
        ],
        invokes: (description.invokes ?? []).map((other) =>
          stack.formatArn({
            service: "lambda",
            resource: "function",
            resourceName: functionNameOf(deployment, other),
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        ),
      }),
    });
    logGroup.grantWrite(policy);
    policy.attachToRole(role);
    runbookAlarm(this, "ErrorsAlarm", {
      entry: "function-errors",
      metric: this.function.metricErrors({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 3,
    });
    /** Each such thing that the function counts is an alarm. */
    const alarmOn = (id: string, entry: RunbookEntry, metricName: string) =>
      runbookAlarm(this, id, {
        entry,
        metric: new Metric({
          namespace: "Headrace",
          metricName,
          dimensionsMap: { service: functionNameOf(deployment, name) },
          statistic: "Sum",
          period: Duration.minutes(1),
        }),
        threshold: 1,
      });
    if (description.countsUnverified === true) alarmOn("UnverifiedAlarm", "unverified-tasks", "unverifiedTasks");
    if (description.countsUnaccounted === true)
      alarmOn("UnaccountedAlarm", "unaccounted-intervals", "unaccountedIntervals");
    if (description.countsSuspended === true) alarmOn("SuspendedAlarm", "webhook-suspended", "suspendedSubscriptions");
    if (description.countsBrokenAudit === true) alarmOn("BrokenAuditAlarm", "audit-broken", "brokenAuditChains");
  }
}

/** The contract with the handlers: only the names that each may use. */
function environmentOf({ description, settings, state, queues }: NodeFunctionProps): Record<string, string> {
  const environment: Record<string, string> = {
    DEPLOYMENT: settings.deployment,
  };
  for (const table of Object.keys(description.tables ?? {}) as TableName[])
    environment[TABLE_VARIABLES[table]] = state.table(table);
  for (const bucket of Object.keys(description.buckets ?? {}) as BucketName[])
    environment[BUCKET_VARIABLES[bucket]] = state.bucket(bucket);
  for (const queue of [...(description.sends ?? []), ...(description.measures ?? [])])
    environment[queueVariable(queue)] = queues(queue).queue.url;
  for (const queue of description.parked?.queues ?? []) environment[parkedVariable(queue)] = queues(queue).parked.url;
  for (const other of description.invokes ?? [])
    environment[functionVariable(other)] = functionNameOf(settings.deployment, other);
  for (const [variable, setting] of Object.entries(description.settings ?? {}))
    environment[variable] = settings[setting];
  if (description.keys !== undefined) {
    environment.KEYSTORE_TABLE = state.table("keystore");
    environment.KEYSTORE_NAME = state.keyStoreName;
    environment.KMS_KEY_ARN = state.keyArn();
  }
  if (description.people === true) environment.USER_POOL_ID = state.userPool();
  if (description.seals !== undefined) environment.SEAL_KEY_ARN = state.sealKeyArn();
  return environment;
}
