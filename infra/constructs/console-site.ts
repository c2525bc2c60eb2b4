import { RemovalPolicy } from "aws-cdk-lib";
import type { IDistribution } from "aws-cdk-lib/aws-cloudfront";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { BucketDeployment, Source } from "aws-cdk-lib/aws-s3-deployment";
import { Construct } from "constructs";

export interface ConsoleSiteProps {
  readonly bucket: IBucket;
  readonly distribution: IDistribution;
  /** The built console. @default only the settings are deployed */
  readonly folder?: string;
  /** `/config.json`: what the console must know of its deployment. */
  readonly config: Readonly<Record<string, string>>;
}

/** The console's files and its settings in its bucket. The one custom resource of the system. */
export class ConsoleSite extends Construct {
  constructor(scope: Construct, id: string, { bucket, distribution, folder, config }: ConsoleSiteProps) {
    super(scope, id);
    new BucketDeployment(this, "Files", {
      destinationBucket: bucket,
      distribution,
      distributionPaths: ["/*"],
      sources: [...(folder === undefined ? [] : [Source.asset(folder)]), Source.jsonData("config.json", config)],
      logGroup: new LogGroup(this, "Log", { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY }),
    });
  }
}
