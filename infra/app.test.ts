import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, it } from "vitest";
import { LANES as LANES_OF_JOBS } from "../shared/jobs/lane.ts";
import { ROLES as ROLES_OF_API } from "../shared/security/roles.ts";
import { described, resourcesOf, templatesOf, VARIANTS } from "./description-fixture.ts";
import { LANES, ROLES } from "./resources.ts";

describe.each(VARIANTS)("the app, $profile profile on a $network network", (context) => {
  const description = described(context);
  const templates = templatesOf(description);

  it("has no finding of the rule pack that is not acknowledged with a reason", () =>
    expect(new AwsSolutionsChecks(description.app).validateScope(description.app)).toMatchObject({
      success: true,
      violations: [],
    }));

  it("stays below the number of resources that a stack may have", () => {
    for (const template of Object.values(templates)) expect(resourcesOf(template).length).toBeLessThan(450);
  });

  it("brings no custom resource but the deployment of the console's files", () => {
    const custom = Object.values(templates)
      .flatMap((template) => resourcesOf(template).map(([, { Type }]) => Type))
      .filter((type) => !type.startsWith("AWS::") || type === "AWS::CloudFormation::CustomResource");
    expect(custom).toEqual(["Custom::CDKBucketDeployment"]);
  });

  it("exports nothing: what one stack tells another are parameters, told before they are asked for", () => {
    const told = new Set<unknown>();
    for (const stack of ["state", "console", "service", "api", "bridge"] as const) {
      const { Parameters = {}, Outputs = {} } = templates[stack].toJSON() as {
        Parameters?: Record<string, { Type: string; Default: string }>;
        Outputs?: Record<string, { Export?: unknown }>;
      };
      for (const output of Object.values(Outputs)) expect(output.Export).toBeUndefined();
      for (const { Type, Default } of Object.values(Parameters))
        if (Type === "AWS::SSM::Parameter::Value<String>" && Default.startsWith("/headrace/"))
          expect(told).toContain(Default);
      for (const [, { Properties }] of resourcesOf(templates[stack], "AWS::SSM::Parameter")) told.add(Properties.Name);
    }
  });

  it("writes no log without an end", () => {
    for (const template of Object.values(templates))
      for (const [, { Properties }] of resourcesOf(template, "AWS::Logs::LogGroup"))
        expect(Properties.RetentionInDays).toBeGreaterThan(0);
  });
});

describe("the app", () => {
  it("bundles whatever stacks the CDK's command line selects", () => {
    const { service, api, bridge } = templatesOf(described({ "aws:cdk:bundling-stacks": ["**"], layers: "here" }));
    for (const [name, { Properties }] of [service, api].flatMap((one) => resourcesOf(one, "AWS::Lambda::Function")))
      expect([name, Properties.Code]).toEqual([
        name,
        { S3Bucket: expect.anything(), S3Key: expect.stringMatching(/\.zip$/) },
      ]);
    const [, task] = resourcesOf(bridge, "AWS::ECS::TaskDefinition")[0] ?? [];
    expect(JSON.stringify(task?.Properties)).toMatch(/"BUNDLE_KEY","Value":"[0-9a-f]{64}\.mjs"/);
    expect(JSON.stringify(task?.Properties)).not.toContain("0".repeat(64));
  }, 180_000);

  it("names lanes and roles as the product does", () => {
    expect(LANES).toEqual(LANES_OF_JOBS);
    expect(ROLES).toEqual(ROLES_OF_API);
  });
});
