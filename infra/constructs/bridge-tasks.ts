import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { ComparisonOperator, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import {
  AvailabilityZoneRebalancing,
  Cluster,
  type ContainerDefinition,
  ContainerDependencyCondition,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
} from "aws-cdk-lib/aws-ecs";
import { Policy, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";
import { transformSync } from "esbuild";
import type { Bundle } from "../bundles.ts";
import { LANES, parkedVariable, type QueueReferences, queueVariable, type StateReferences } from "../resources.ts";
import { runbookAlarm } from "../runbook.ts";
import type { Settings } from "../settings.ts";
import { statementsOf } from "./grants.ts";
import type { Network } from "./network.ts";
import { mailboxTopic } from "./sleeper-topics.ts";

export const HEALTH_PORT = 8080;
const BUNDLE_FOLDER = "/bundle";
const BUNDLE_FILE = `${BUNDLE_FOLDER}/bridge.mjs`;

/** Tasks kept running, and the size of each. */
const SIZES = {
  coop: { tasks: 1, cpu: 256, memoryLimitMiB: 512 },
  utility: { tasks: 3, cpu: 1024, memoryLimitMiB: 2048 }, // a zone each, at most two thirds loaded: n+1
} as const;

export interface BridgeTasksProps {
  readonly settings: Settings;
  readonly network: Network;
  readonly bundle: Bundle;
  readonly state: StateReferences;
  readonly queues: QueueReferences;
}

/**
 * The bridge as a Fargate service. No image is built: a stock Node image by digest runs the bundle, which a first container
 * fetches from the deployment's assets and checks. The runtime container has no start-up code of its own and writes nowhere.
 */
export class BridgeTasks extends Construct {
  readonly service: FargateService;
  readonly container: ContainerDefinition;

  constructor(scope: Construct, id: string, { settings, network, bundle, state, queues }: BridgeTasksProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const size = SIZES[settings.profile];
    const cluster = new Cluster(this, "Cluster", { vpc: network.vpc, containerInsightsV2: ContainerInsights.DISABLED });
    const task = new FargateTaskDefinition(this, "Task", {
      cpu: size.cpu,
      memoryLimitMiB: size.memoryLimitMiB,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      volumes: [{ name: "bundle" }],
    });
    const log = new LogGroup(this, "Log", {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const image = ContainerImage.fromRegistry(settings.bridgeImage);
    const asset = new Asset(this, "Bundle", { path: bundle.file });

    const fetcher = task.addContainer("fetch", {
      image,
      essential: false,
      readonlyRootFilesystem: true,
      command: ["node", "--input-type=module", "--eval", fetchScript()],
      environment: {
        BUNDLE_BUCKET: asset.s3BucketName,
        BUNDLE_KEY: asset.s3ObjectKey,
        BUNDLE_SHA256: bundle.sha256,
        BUNDLE_FILE,
      },
      logging: LogDrivers.awsLogs({ logGroup: log, streamPrefix: "fetch" }),
    });
    fetcher.addMountPoints({ sourceVolume: "bundle", containerPath: BUNDLE_FOLDER, readOnly: false });

    this.container = task.addContainer("bridge", {
      image,
      user: "node",
      readonlyRootFilesystem: true,
      command: ["node", `--max-old-space-size=${Math.floor(size.memoryLimitMiB * 0.75)}`, BUNDLE_FILE],
      environment: environmentOf(settings, state, queues),
      portMappings: [{ name: "health", containerPort: HEALTH_PORT }],
      stopTimeout: Duration.seconds(115), // Fargate allows 120: sessions end, slices go back, then it exits
      healthCheck: {
        command: [
          "CMD",
          "node",
          "--eval",
          `fetch("http://127.0.0.1:${HEALTH_PORT}/healthz").then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))`,
        ],
        interval: Duration.seconds(15),
        timeout: Duration.seconds(5),
        startPeriod: Duration.seconds(30),
        retries: 3,
      },
      logging: LogDrivers.awsLogs({ logGroup: log, streamPrefix: "bridge" }),
    });
    this.container.addMountPoints({ sourceVolume: "bundle", containerPath: BUNDLE_FOLDER, readOnly: true });
    this.container.addContainerDependencies({ container: fetcher, condition: ContainerDependencyCondition.SUCCESS });

    const grants = new Policy(this, "Grants", {
      statements: [
        new PolicyStatement({
          actions: ["s3:GetObject"],
          resources: [
            stack.formatArn({
              service: "s3",
              region: "",
              account: "",
              resource: asset.s3BucketName,
              resourceName: asset.s3ObjectKey,
            }),
          ],
        }),
        ...statementsOf(stack, state, {
          tables: {
            access: "write",
            registry: "read",
            ledger: "write",
            readings: "read",
            authority: "read",
            audit: "write",
          },
          buckets: { evidence: "write" },
          receives: [...LANES, "uplink" as const].map((name) => queues(name).queue),
          sends: [queues("results").queue, ...[...LANES, "uplink" as const].map((name) => queues(name).parked)],
          measures: [queues("results").queue],
          keys: "open",
        }),
        new PolicyStatement({
          actions: ["iot:Publish"],
          resources: [
            stack.formatArn({
              service: "iot",
              resource: "topic",
              resourceName: mailboxTopic(settings.deployment, "*"),
            }),
          ],
        }),
      ],
    });
    grants.attachToRole(task.taskRole);

    this.service = new FargateService(this, "Service", {
      cluster: cluster as ICluster,
      taskDefinition: task,
      desiredCount: size.tasks,
      assignPublicIp: network.assignPublicIp,
      vpcSubnets: network.taskSubnets,
      securityGroups: [network.securityGroup],
      circuitBreaker: { rollback: true },
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      ...(settings.profile === "utility" ? { availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED } : {}),
    });
    this.service.node.addDependency(grants);
    runbookAlarm(this, "MissingAlarm", {
      entry: "bridge-missing",
      metric: new Metric({
        namespace: "AWS/ECS",
        metricName: "CPUUtilization",
        dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: this.service.serviceName },
        statistic: "SampleCount",
        period: Duration.minutes(1),
      }),
      threshold: 1,
      evaluationPeriods: 5,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      missing: TreatMissingData.BREACHING,
    });
  }
}

function environmentOf(settings: Settings, state: StateReferences, queues: QueueReferences): Record<string, string> {
  return {
    DEPLOYMENT: settings.deployment,
    ACCESS_TABLE: state.table("access"),
    REGISTRY_TABLE: state.table("registry"),
    LEDGER_TABLE: state.table("ledger"),
    READINGS_TABLE: state.table("readings"),
    AUTHORITY_TABLE: state.table("authority"),
    AUDIT_TABLE: state.table("audit"),
    EVIDENCE_BUCKET: state.bucket("evidence"),
    KEYSTORE_TABLE: state.table("keystore"),
    KEYSTORE_NAME: state.keyStoreName,
    KMS_KEY_ARN: state.keyArn(),
    ...Object.fromEntries(
      [...LANES, "results" as const, "uplink" as const].map((queue) => [queueVariable(queue), queues(queue).queue.url]),
    ),
    ...Object.fromEntries(
      [...LANES, "uplink" as const].map((queue) => [parkedVariable(queue), queues(queue).parked.url]),
    ),
    MAILBOX_TOPIC: mailboxTopic(settings.deployment, "{thing}"),
    CLIENT_SYSTEM_TITLE: settings.clientSystemTitle,
    HEALTH_PORT: String(HEALTH_PORT),
    MAX_SESSIONS: String(settings.maxSessions),
  };
}

/** Read as a file, tested as a file, sent as one argument. */
const fetchScript = (): string =>
  transformSync(readFileSync(join(import.meta.dirname, "fetch-bundle.mjs"), "utf8"), {
    loader: "js",
    format: "esm",
    minify: true,
    supported: { "template-literal": false }, // `${…}` in a template reads as CloudFormation's own
    legalComments: "none",
  }).code.trim();
