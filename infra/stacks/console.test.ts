import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { described, resourcesOf, templatesOf } from "../description-fixture.ts";

const { console: template } = templatesOf(described());

describe("console stack", () => {
  it("serves files by origin access control from a bucket that nobody else reads", () => {
    template.resourceCountIs("AWS::CloudFront::OriginAccessControl", 1);
    template.allResourcesProperties("AWS::S3::Bucket", {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  it("passes /api/* to the HTTP API uncached, with every method", () =>
    template.hasResourceProperties("AWS::CloudFront::Distribution", {
      DistributionConfig: {
        CacheBehaviors: [
          Match.objectLike({
            PathPattern: "/api/*",
            AllowedMethods: Match.arrayWith(["GET", "PUT", "POST", "DELETE"]),
            ViewerProtocolPolicy: "redirect-to-https",
          }),
        ],
      },
    }));

  it("has a content security policy without inline code, whose only other origins are the identity provider's", () => {
    const [, policy] = resourcesOf(template, "AWS::CloudFront::ResponseHeadersPolicy")[0] ?? [];
    const text = JSON.stringify(policy?.Properties);
    expect(text).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(text).not.toMatch(/unsafe|\*/);
    expect(text.match(/https:\/\/[a-z-]+/g)).toEqual(["https://cognito-idp"]);
    expect(text).toContain(".auth.eu-central-1.amazoncognito.com");
  });

  it("signs people in by code with PKCE: a client without a secret that comes back to the console", () =>
    template.hasResourceProperties("AWS::Cognito::UserPoolClient", {
      ClientName: "console",
      GenerateSecret: false,
      AllowedOAuthFlows: ["code"],
      CallbackURLs: [{ "Fn::Join": ["", ["https://", Match.anyValue(), "/callback"]] }],
    }));

  it("tells the console where it is", () => {
    const files = resourcesOf(template, "Custom::CDKBucketDeployment");
    expect(files).toHaveLength(1);
    expect(files[0]?.[1].Properties.SourceMarkers).toEqual([
      Object.fromEntries([0, 1].map((n) => [`<<marker:0xbaba:${n}>>`, expect.anything()])),
    ]);
  });

  it("limits and logs the API", () =>
    template.hasResourceProperties("AWS::ApiGatewayV2::Stage", {
      DefaultRouteSettings: { ThrottlingRateLimit: 200, ThrottlingBurstLimit: 400 },
      AccessLogSettings: { Format: Match.stringLikeRegexp("routeKey") },
    }));

  it("takes a name and certificate of its own", () => {
    const { console: named } = templatesOf(
      described({
        consoleDomain: "ami.example.coop",
        consoleCertificate: "arn:aws:acm:us-east-1:111122223333:certificate/11112222-3333-4444-5555-666677778888",
      }),
    );
    named.hasResourceProperties("AWS::CloudFront::Distribution", {
      DistributionConfig: {
        Aliases: ["ami.example.coop"],
        ViewerCertificate: { MinimumProtocolVersion: "TLSv1.2_2021" },
      },
    });
    named.hasResourceProperties("AWS::Cognito::UserPoolClient", {
      CallbackURLs: ["https://ami.example.coop/callback"],
    });
  });
});
