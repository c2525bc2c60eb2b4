import { Duration, Fn, RemovalPolicy } from "aws-cdk-lib";
import { CfnStage, HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginRequestPolicy,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import { HttpOrigin, S3BucketOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { runbookAlarm } from "../runbook.ts";
import type { Settings } from "../settings.ts";
import { SINGLE_PAGE, STRIP_API_PREFIX } from "./edge-functions.ts";

export interface FrontDoorProps {
  readonly settings: Settings;
  /** Origins besides its own that the console may call: the identity provider's. */
  readonly connectTo: readonly string[];
}

/** One origin for the browser: the console's files, and the HTTP API under `/api` (no cross-origin calls, one policy). */
export class FrontDoor extends Construct {
  readonly api: HttpApi;
  readonly bucket: Bucket;
  readonly distribution: Distribution;
  /** `https://…` without a trailing slash. */
  readonly address: string;

  constructor(scope: Construct, id: string, { settings, connectTo }: FrontDoorProps) {
    super(scope, id);
    this.api = new HttpApi(this, "Api", { apiName: settings.deployment, description: "Headrace" });
    this.#limitAndLog();
    this.bucket = new Bucket(this, "Files", {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.DESTROY, // made again from the repository
    });
    const headers = new ResponseHeadersPolicy(this, "Headers", {
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy: contentSecurityPolicy(connectTo), override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: Duration.days(730), includeSubdomains: true, override: true },
      },
    });
    const edge = (name: string, code: string) => [
      {
        eventType: FunctionEventType.VIEWER_REQUEST,
        function: new EdgeFunction(this, name, {
          code: FunctionCode.fromInline(code),
          runtime: FunctionRuntime.JS_2_0,
        }),
      },
    ];
    const shared = { viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS, responseHeadersPolicy: headers };
    this.distribution = new Distribution(this, "Distribution", {
      defaultRootObject: "index.html",
      httpVersion: HttpVersion.HTTP2_AND_3,
      ...(settings.consoleDomain === undefined
        ? {}
        : {
            domainNames: [settings.consoleDomain.name],
            minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
            certificate: Certificate.fromCertificateArn(this, "Certificate", settings.consoleDomain.certificateArn),
          }),
      defaultBehavior: {
        ...shared,
        origin: S3BucketOrigin.withOriginAccessControl(this.bucket as IBucket),
        functionAssociations: edge("SinglePage", SINGLE_PAGE),
      },
      additionalBehaviors: {
        "/api/*": {
          ...shared,
          origin: new HttpOrigin(Fn.select(2, Fn.split("/", this.api.apiEndpoint))),
          allowedMethods: AllowedMethods.ALLOW_ALL,
          cachePolicy: CachePolicy.CACHING_DISABLED,
          originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
          functionAssociations: edge("StripPrefix", STRIP_API_PREFIX),
        },
      },
    });
    this.address = `https://${settings.consoleDomain?.name ?? this.distribution.distributionDomainName}`;
    runbookAlarm(this, "ErrorsAlarm", {
      entry: "api-errors",
      metric: this.api.metricServerError({ period: Duration.minutes(5), statistic: "sum" }),
      threshold: 5,
    });
  }

  #limitAndLog(): void {
    const log = new LogGroup(this, "AccessLog", {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = this.api.defaultStage?.node.defaultChild;
    if (!(stage instanceof CfnStage)) throw new Error("the HTTP API has no default stage");
    stage.defaultRouteSettings = { throttlingRateLimit: 200, throttlingBurstLimit: 400 };
    stage.accessLogSettings = {
      destinationArn: log.logGroupArn,
      format: JSON.stringify({
        requestId: "$context.requestId",
        at: "$context.requestTime",
        route: "$context.routeKey",
        status: "$context.status",
        durationMs: "$context.responseLatency",
        client: "$context.authorizer.claims.client_id",
      }),
    };
  }
}

const contentSecurityPolicy = (connectTo: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "worker-src 'self'",
    `connect-src ${["'self'", ...connectTo].join(" ")}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
