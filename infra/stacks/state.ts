import { Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import {
  AttributeType,
  Billing,
  type GlobalSecondaryIndexPropsV2,
  ProjectionType,
  TableV2,
} from "aws-cdk-lib/aws-dynamodb";
import { CfnEIP } from "aws-cdk-lib/aws-ec2";
import { Key, KeySpec, KeyUsage } from "aws-cdk-lib/aws-kms";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
  StorageClass,
  type Transition,
} from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { Directory } from "../constructs/directory.ts";
import { Parameters } from "../parameters.ts";
import type { BucketName, TableName } from "../resources.ts";
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
  readings: { ...keys("pk", "sk"), timeToLiveAttribute: "expires" },
  timeline: { ...keys("pk", "sk"), timeToLiveAttribute: "expires" },
  keystore: keys("branch-key-id", "type"), // the Encryption SDK's key-store schema
  authority: keys("pk", "sk"),
  audit: keys("pk", "sk"),
  outages: { ...keys("pk", "sk"), timeToLiveAttribute: "expires" },
  accounts: keys("pk", "sk"),
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
    const sealKey = new Key(this, "SealKey", {
      description: `Signs the audit of ${settings.deployment}`,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    parameters.tell("seal-key/arn", sealKey.keyArn);

    const guarded: BucketProps = {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    const logs = new Bucket(this, "Logs", { ...guarded, lifecycleRules: [{ expiration: Duration.days(90) }] });
    const bucket = (name: BucketName, props: BucketProps): void => {
      const id = name.replace(/^./, (letter) => letter.toUpperCase());
      const made = new Bucket(this, id, {
        ...guarded,
        serverAccessLogsBucket: logs as IBucket,
        serverAccessLogsPrefix: `${name}/`,
        ...props,
      });
      parameters.tell(`buckets/${name}`, made.bucketName);
    };
    const abandoned = { abortIncompleteMultipartUploadAfter: Duration.days(1) };
    const expiring = (days: number) => (days === 0 ? {} : { expiration: Duration.days(days) });
    // Read in the first weeks, and then when somebody doubts a reading.
    const cooled = [
      { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(60) },
      { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(180) },
    ];
    bucket("evidence", {
      versioned: true,
      lifecycleRules: [
        {
          ...abandoned,
          ...expiring(settings.evidenceDays),
          ...cooling(cooled, settings.evidenceDays),
          noncurrentVersionExpiration: Duration.days(30),
        },
      ],
    });
    bucket("imports", { lifecycleRules: [{ expiration: Duration.days(30), ...abandoned }] });
    bucket("lake", {
      lifecycleRules: [
        abandoned,
        // Fleet files beside them are no history: they are removed when they are replaced.
        { prefix: "lake/", ...expiring(settings.lakeDays), ...cooling(cooled.slice(0, 1), settings.lakeDays) },
      ],
    });
    bucket("exports", { lifecycleRules: [{ ...abandoned, ...expiring(settings.exportDays) }] });

    // Nobody, not even the account's root, removes a seal before its time.
    bucket("seals", {
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(settings.sealDays)),
      lifecycleRules: [{ ...abandoned, noncurrentVersionExpiration: Duration.days(settings.sealDays) }],
    });

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

/** Transitions that come before the end; S3 takes no rule with none. */
function cooling(transitions: readonly Transition[], days: number): { readonly transitions?: Transition[] } {
  const before = transitions.filter(({ transitionAfter }) => days === 0 || (transitionAfter?.toDays() ?? 0) < days);
  return before.length === 0 ? {} : { transitions: before };
}

/** Zones of compute. */
export const zonesOf = (settings: Settings): number => (settings.profile === "coop" ? 1 : 3);
