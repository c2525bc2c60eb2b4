import {
  GatewayVpcEndpointAwsService,
  IpProtocol,
  type ISecurityGroup,
  type IVpc,
  NatProvider,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { Parameters } from "../parameters.ts";
import type { Settings } from "../settings.ts";
import { zonesOf } from "../stacks/state.ts";

export interface Network {
  readonly vpc: IVpc;
  /** Where the tasks are. */
  readonly taskSubnets: SubnetSelection;
  /** Tasks reach meters from addresses of their own. */
  readonly assignPublicIp: boolean;
  /** The bridge's: no way in unless a load balancer is given one. */
  readonly securityGroup: ISecurityGroup;
}

/**
 * - `public`: a network of our own, both IP families, tasks with addresses of their own; no NAT gateway, which would cost more
 *   than the task.
 * - `fixed`: tasks in private subnets; IPv4 leaves by NAT gateways whose addresses the state stack keeps.
 * - `attached`: an existing network whose routes lead to the field.
 */
export function networkOf(scope: Construct, settings: Settings, parameters: Parameters): Network {
  const vpc = vpcOf(scope, settings, parameters);
  const securityGroup = new SecurityGroup(scope, "BridgeGroup", {
    vpc,
    description: "Bridge tasks: they call out to meters and AWS",
    allowAllOutbound: true,
    allowAllIpv6Outbound: true,
  });
  if (settings.network !== "attached") {
    vpc.addGatewayEndpoint("S3", { service: GatewayVpcEndpointAwsService.S3 });
    vpc.addGatewayEndpoint("Tables", { service: GatewayVpcEndpointAwsService.DYNAMODB });
  }
  const taskSubnets: SubnetSelection =
    settings.network === "public"
      ? { subnetType: SubnetType.PUBLIC }
      : settings.network === "fixed"
        ? { subnetType: SubnetType.PRIVATE_WITH_EGRESS }
        : { subnets: vpc.privateSubnets };
  return { vpc, taskSubnets, assignPublicIp: settings.network === "public", securityGroup };
}

function vpcOf(scope: Construct, settings: Settings, parameters: Parameters): IVpc {
  if (settings.attached !== undefined)
    return Vpc.fromVpcAttributes(scope, "Network", {
      vpcId: settings.attached.vpcId,
      availabilityZones: [...settings.attached.availabilityZones],
      privateSubnetIds: [...settings.attached.subnetIds],
    });
  const zones = zonesOf(settings);
  const fixed = settings.network === "fixed";
  return new Vpc(scope, "Network", {
    availabilityZones: settings.availabilityZones.slice(0, zones),
    ipProtocol: IpProtocol.DUAL_STACK,
    restrictDefaultSecurityGroup: false, // would bring a custom resource; nothing uses that group
    natGateways: fixed ? zones : 0,
    ...(fixed
      ? {
          natGatewayProvider: NatProvider.gateway({
            eipAllocationIds: Array.from({ length: zones }, (_, zone) => parameters.ask(`addresses/egress/${zone}`)),
          }),
        }
      : {}),
    subnetConfiguration: [
      { name: "Public", subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
      ...(fixed ? [{ name: "Tasks", subnetType: SubnetType.PRIVATE_WITH_EGRESS }] : []),
    ],
  }) as IVpc;
}
