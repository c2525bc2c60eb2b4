import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { described, resourcesOf, templatesOf, VARIANTS } from "../description-fixture.ts";

const { bridge } = templatesOf(described());
const { bridge: utility } = templatesOf(described({ profile: "utility" }));

interface Container {
  readonly Name: string;
  readonly Image: string;
  readonly Command: readonly string[];
  readonly ReadonlyRootFilesystem: boolean;
  readonly StopTimeout?: number;
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
}
const containersOf = (template: typeof bridge): readonly Container[] =>
  resourcesOf(template, "AWS::ECS::TaskDefinition").flatMap(
    ([, { Properties }]) => Properties.ContainerDefinitions as Container[],
  );

describe("bridge stack: tasks", () => {
  it("runs a stock image by digest on arm64, writing nowhere", () => {
    bridge.hasResourceProperties("AWS::ECS::TaskDefinition", { RuntimePlatform: { CpuArchitecture: "ARM64" } });
    for (const { Image, ReadonlyRootFilesystem } of containersOf(bridge)) {
      expect(Image).toMatch(/@sha256:[0-9a-f]{64}$/);
      expect(ReadonlyRootFilesystem).toBe(true);
    }
  });

  it("starts the bundle that the first container fetched and checked", () => {
    const [fetch, run] = containersOf(bridge);
    expect(fetch?.Name).toBe("fetch");
    expect(fetch?.Environment.map(({ Name }) => Name)).toEqual([
      "BUNDLE_BUCKET",
      "BUNDLE_KEY",
      "BUNDLE_SHA256",
      "BUNDLE_FILE",
    ]);
    expect(run).toMatchObject({ Name: "bridge", DependsOn: [{ ContainerName: "fetch", Condition: "SUCCESS" }] });
    expect(run?.Command.at(-1)).toBe(fetch?.Environment.find(({ Name }) => Name === "BUNDLE_FILE")?.Value);
  });

  it("gets nearly the two minutes to stop that Fargate allows, not more", () => {
    for (const { Name, StopTimeout } of containersOf(bridge)) if (Name === "bridge") expect(StopTimeout).toBe(115);
  });

  it("is told every lane, the results, its title and its bounds", () =>
    expect(containersOf(bridge)[1]?.Environment.map(({ Name }) => Name)).toEqual(
      expect.arrayContaining([
        ..."COMMANDS INTERACTIVE URGENT BULK IMAGES RESULTS".split(" ").map((queue) => `${queue}_QUEUE_URL`),
        ..."COMMANDS INTERACTIVE URGENT BULK IMAGES".split(" ").map((queue) => `${queue}_PARKED_QUEUE_URL`),
        ..."ACCESS REGISTRY LEDGER READINGS AUTHORITY KEYSTORE".split(" ").map((table) => `${table}_TABLE`),
        ..."DEPLOYMENT CLIENT_SYSTEM_TITLE HEALTH_PORT MAX_SESSIONS KMS_KEY_ARN KEYSTORE_NAME EVIDENCE_BUCKET".split(
          " ",
        ),
      ]),
    ));

  it("rolls back a version that does not come up, and never runs fewer than before", () =>
    bridge.hasResourceProperties("AWS::ECS::Service", {
      DeploymentConfiguration: {
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
      },
    }));

  it("runs one task for a co-op, one a zone for a utility", () => {
    bridge.hasResourceProperties("AWS::ECS::Service", { DesiredCount: 1 });
    utility.hasResourceProperties("AWS::ECS::Service", { DesiredCount: 3, AvailabilityZoneRebalancing: "ENABLED" });
  });
});

describe("bridge stack: network", () => {
  it.each(VARIANTS.filter(({ network }) => network !== "fixed"))("has no NAT gateway: $profile, $network", (context) =>
    templatesOf(described(context)).bridge.resourceCountIs("AWS::EC2::NatGateway", 0),
  );

  it("leaves by addresses that the state stack keeps: fixed", () => {
    const fixed = templatesOf(described({ network: "fixed" })).bridge;
    fixed.hasResourceProperties("AWS::EC2::NatGateway", { AllocationId: { Ref: "Asksaddressesegress0" } });
    fixed.resourceCountIs("AWS::EC2::EIP", 0);
    fixed.hasResourceProperties("AWS::ECS::Service", {
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: "DISABLED" } },
    });
  });

  it("reaches tables and objects by gateway endpoints, which are free", () =>
    bridge.resourceCountIs("AWS::EC2::VPCEndpoint", 2));

  it("lets nothing in where meters are only called", () => {
    for (const [, { Properties }] of resourcesOf(bridge, "AWS::EC2::SecurityGroup"))
      expect(Properties).not.toHaveProperty("SecurityGroupIngress");
    bridge.resourceCountIs("AWS::EC2::SecurityGroupIngress", 0);
  });

  it("calls meters of both address families", () =>
    bridge.hasResourceProperties("AWS::EC2::SecurityGroup", {
      SecurityGroupEgress: Match.arrayWith([
        Match.objectLike({ CidrIp: "0.0.0.0/0", IpProtocol: "-1" }),
        Match.objectLike({ CidrIpv6: "::/0", IpProtocol: "-1" }),
      ]),
    }));
});

describe("bridge stack: the gate of a utility", () => {
  it("listens by TCP and UDP on 1153 and on 4059", () => {
    utility.resourceCountIs("AWS::ElasticLoadBalancingV2::Listener", 2);
    utility.hasResourceProperties("AWS::ElasticLoadBalancingV2::Listener", { Port: 1153, Protocol: "TCP_UDP" });
    utility.hasResourceProperties("AWS::ElasticLoadBalancingV2::Listener", { Port: 4059, Protocol: "TCP_UDP" });
  });

  it.each([
    ["tcp", 4059],
    ["udp", 4059],
    ["tcp", 1153],
    ["udp", 1153],
  ])("lets %s %i in by both address families, and on to the tasks", (IpProtocol, port) => {
    const rule = { IpProtocol, FromPort: port, ToPort: port };
    utility.hasResourceProperties("AWS::EC2::SecurityGroup", {
      SecurityGroupIngress: Match.arrayWith([Match.objectLike({ ...rule, CidrIp: "0.0.0.0/0" })]),
    });
    utility.hasResourceProperties("AWS::EC2::SecurityGroup", {
      SecurityGroupIngress: Match.arrayWith([Match.objectLike({ ...rule, CidrIpv6: "::/0" })]),
    });
    utility.hasResourceProperties("AWS::EC2::SecurityGroupIngress", {
      ...rule,
      SourceSecurityGroupId: Match.anyValue(),
    });
    utility.hasResourceProperties("AWS::EC2::SecurityGroupEgress", {
      ...rule,
      DestinationSecurityGroupId: Match.anyValue(),
    });
  });

  it("tells the tasks where meters and other tasks call", () => {
    const environment = new Map(
      containersOf(utility)[1]?.Environment.map(({ Name, Value }) => [Name, Value] as const) ?? [],
    );
    const ports = ["DLMS_PORT", "C1222_PORT", "PIPE_PORT"].map((name) => environment.get(name));
    expect(ports).toEqual(["4059", "1153", "4060"]);
    expect(2 * Number(environment.get("MAX_CONNECTIONS")), "of both protocols").toBeLessThan(65_535);
    const coop = containersOf(bridge)[1]?.Environment.map(({ Name }) => Name) ?? [];
    expect(coop).not.toContain("DLMS_PORT");
    expect(coop).not.toContain("C1222_PORT");
  });

  it("opens the port of byte pipes to the tasks themselves and to nobody else", () => {
    const rules = resourcesOf(utility, "AWS::EC2::SecurityGroupIngress")
      .map(([, { Properties }]) => Properties)
      .filter(({ FromPort }) => FromPort === 4060);
    expect(rules).toHaveLength(1);
    expect(rules[0]).toMatchObject({ IpProtocol: "tcp", ToPort: 4060 });
    expect(rules[0]?.SourceSecurityGroupId).toEqual(rules[0]?.GroupId);
    for (const [, { Properties }] of resourcesOf(utility, "AWS::EC2::SecurityGroup"))
      expect(JSON.stringify(Properties.SecurityGroupIngress ?? [])).not.toContain("4060");
    for (const [, { Properties }] of resourcesOf(utility, "AWS::ElasticLoadBalancingV2::Listener"))
      expect(Properties.Port).not.toBe(4060);
  });

  it("keeps its addresses and asks the tasks how they are", () => {
    utility.hasResourceProperties("AWS::ElasticLoadBalancingV2::LoadBalancer", {
      SubnetMappings: Match.arrayWith([Match.objectLike({ AllocationId: { Ref: "Asksaddressesingress0" } })]),
      EnablePrefixForIpv6SourceNat: "on",
    });
    utility.allResourcesProperties("AWS::ElasticLoadBalancingV2::TargetGroup", {
      HealthCheckProtocol: "HTTP",
      HealthCheckPort: "8080",
      HealthCheckPath: "/healthz",
    });
  });
});
