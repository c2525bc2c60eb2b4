import { Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import {
  AttributeType,
  Billing,
  type GlobalSecondaryIndexPropsV2,
  ProjectionType,
  TableV2,
} from "aws-cdk-lib/aws-dynamodb";
import { CfnEIP } from "aws-cdk-lib/aws-ec2";
import { Key } from "aws-cdk-lib/aws-kms";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type IBucket,
  ObjectOwnership,
} from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { Directory } from "../constructs/directory.ts";
import { Parameters } from "../parameters.ts";
import type { TableName } from "../resources.ts";
import type { Settings } from "../settings.ts";

export interface StateStackProps extends StackProps {
  readonly settings: Settings;
}

const keys = (partition: string, sort: string) => ({
  partitionKey: { name: partition, type: AttributeType.STRING },
  sortKey: { name: sort, type: AttributeType.STRING },
});

/** Tables by name: keys, indexes. What lies under which key is each adapter's business. */
const TABLES: Readonly<
  Record<
    TableName,
    ReturnType<typeof keys> & {
      readonly globalSecondaryIndexes?: GlobalSecondaryIndexPropsV2[];
      readonly timeToLiveAttribute?: string;
    }
  >
> = {
  access: keys("pk", "sk"),
  registry: {
    ...keys("pk", "sk"),
    globalSecondaryIndexes: [{ indexName: "directory", ...keys("dirPk", "dirSk"), projectionType: ProjectionType.ALL }],
  },
  ledger: {
    ...keys("pk", "sk"),
    globalSecondaryIndexes: [{ indexName: "due", ...keys("duePk", "sk"), projectionType: ProjectionType.KEYS_ONLY }],
  },
  readings: keys("pk", "sk"),
  timeline: { ...keys("pk", "sk"), timeToLiveAttribute: "expires" },
  keystore: keys("branch-key-id", "type"), // the Encryption SDK's key-store schema
  authority: keys("pk", "sk"),
  audit: keys("pk", "sk"),
};

/** What must outlive every deployment: tables, buckets, the key, the people. Nothing here is removed with the stack. */
export class StateStack extends Stack {
  constructor(scope: Construct, id: string, props: StateStackProps) {
    super(scope, id, { ...props, terminationProtection: true });
    const { settings } = props;
    const parameters = new Parameters(this, settings.deployment);

    for (const [name, description] of Object.entries(TABLES)) {
      const table = new TableV2(this, `Table-${name}`, {
        ...description,
        billing: Billing.onDemand(),
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        deletionProtection: true,
        removalPolicy: RemovalPolicy.RETAIN,
      });
      parameters.tell(`tables/${name}`, table.tableName);
    }

    // Multi-Region, so that a replica Region can open a replicated table.
    const key = new Key(this, "MeterKeys", {
      description: `Branch keys of ${settings.deployment}`,
      multiRegion: true,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    parameters.tell("key/arn", key.keyArn);

    const guarded: BucketProps = {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    const logs = new Bucket(this, "Logs", { ...guarded, lifecycleRules: [{ expiration: Duration.days(90) }] });
    const evidence = new Bucket(this, "Evidence", {
      ...guarded,
      versioned: true,
      serverAccessLogsBucket: logs as IBucket,
      serverAccessLogsPrefix: "evidence/",
    });
    const imports = new Bucket(this, "Imports", {
      ...guarded,
      serverAccessLogsBucket: logs as IBucket,
      serverAccessLogsPrefix: "imports/",
      lifecycleRules: [{ expiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    parameters.tell("buckets/evidence", evidence.bucketName);
    parameters.tell("buckets/imports", imports.bucketName);

    const directory = new Directory(this, "Directory", { deployment: settings.deployment });
    parameters.tell("users/pool", directory.pool.userPoolId);
    parameters.tell("users/domain", directory.domain.domainName);
    for (const [role, client] of directory.clients) parameters.tell(`users/clients/${role}`, client.userPoolClientId);

    // Firewalls of field networks list these addresses: they outlive the network that uses them.
    const addresses = (purpose: string, count: number): void => {
      for (let zone = 0; zone < count; zone++) {
        const address = new CfnEIP(this, `${purpose}Address${zone}`, { domain: "vpc" });
        address.applyRemovalPolicy(RemovalPolicy.RETAIN);
        parameters.tell(`addresses/${purpose.toLowerCase()}/${zone}`, address.attrAllocationId);
      }
    };
    if (settings.network === "fixed") addresses("Egress", zonesOf(settings));
    if (settings.profile === "utility" && settings.network !== "attached") addresses("Ingress", zonesOf(settings));
  }
}

/** Zones of compute. */
export const zonesOf = (settings: Settings): number => (settings.profile === "coop" ? 1 : 3);
