import { Duration } from "aws-cdk-lib";
import { Peer, Port, SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { Protocol as ContainerProtocol } from "aws-cdk-lib/aws-ecs";
import {
  IpAddressType,
  NetworkLoadBalancer,
  Protocol,
  SourceNatIpv6Prefix,
} from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { Construct } from "constructs";
import type { Parameters } from "../parameters.ts";
import type { Settings } from "../settings.ts";
import { type BridgeTasks, HEALTH_PORT } from "./bridge-tasks.ts";
import type { Network } from "./network.ts";

/** Registered ports: DLMS/COSEM wrapper (4059, TCP, and UDP for what meters push) and ANSI C12.22 (1153, TCP and UDP). */
const DLMS_PORT = 4059;
const C1222_PORT = 1153;
/** Byte pipes between the tasks: the one that holds a meter's connection, and the one that has work for the meter. */
const PIPE_PORT = 4060;

/** Meters that one task of 2 GB holds of each protocol: some 20 kB each, and the platform allows a task 65,535 open files. */
const MAX_CONNECTIONS = 20_000;

export interface FieldGateProps {
  readonly settings: Settings;
  readonly network: Network;
  readonly parameters: Parameters;
  readonly tasks: BridgeTasks;
}

/** The way in for meters that call: one network load balancer with fixed addresses before all bridge tasks. */
export class FieldGate extends Construct {
  constructor(scope: Construct, id: string, { settings, network, parameters, tasks }: FieldGateProps) {
    super(scope, id);
    const inside = settings.network === "attached"; // the field comes by the existing network's routes, not by the internet
    const group = new SecurityGroup(this, "Group", {
      vpc: network.vpc,
      description: "Meters that call in",
      allowAllOutbound: false,
    });
    const balancer = new NetworkLoadBalancer(this, "Balancer", {
      vpc: network.vpc,
      internetFacing: !inside,
      ipAddressType: IpAddressType.DUAL_STACK,
      enablePrefixForIpv6SourceNat: true, // a dual-stack balancer with UDP needs it
      crossZoneEnabled: true,
      deletionProtection: true,
      securityGroups: [group],
      subnetMappings: (inside ? network.vpc.privateSubnets : network.vpc.publicSubnets).map((subnet, zone) => ({
        subnet,
        sourceNatIpv6Prefix: SourceNatIpv6Prefix.autoAssigned(),
        ...(inside ? {} : { allocationId: parameters.ask(`addresses/ingress/${zone}`) }),
      })),
    });

    // The balancer makes no rules of its own: without these nothing comes in.
    const world = inside ? [Peer.ipv4("10.0.0.0/8"), Peer.ipv6("fc00::/7")] : [Peer.anyIpv4(), Peer.anyIpv6()];
    const ports = [Port.tcp(DLMS_PORT), Port.udp(DLMS_PORT), Port.tcp(C1222_PORT), Port.udp(C1222_PORT)];
    for (const port of ports) {
      for (const peer of world) group.addIngressRule(peer, port, "Meters that call in");
      network.securityGroup.addIngressRule(group, port, "Meters, by the load balancer");
      group.addEgressRule(network.securityGroup, port, "To the bridge");
    }
    network.securityGroup.addIngressRule(group, Port.tcp(HEALTH_PORT), "Health checks");
    group.addEgressRule(network.securityGroup, Port.tcp(HEALTH_PORT), "Health checks");

    // Tasks among themselves; nobody else reaches this port.
    network.securityGroup.addIngressRule(network.securityGroup, Port.tcp(PIPE_PORT), "Byte pipes between the tasks");

    tasks.container.addEnvironment("DLMS_PORT", String(DLMS_PORT));
    tasks.container.addEnvironment("PUSHES_TO", `${settings.pushHost ?? balancer.loadBalancerDnsName}:${DLMS_PORT}`);
    tasks.container.addEnvironment("C1222_PORT", String(C1222_PORT));
    tasks.container.addEnvironment("PIPE_PORT", String(PIPE_PORT));
    tasks.container.addEnvironment("MAX_CONNECTIONS", String(MAX_CONNECTIONS));
    tasks.container.addPortMappings(
      { name: "pipe", containerPort: PIPE_PORT, protocol: ContainerProtocol.TCP },
      { name: "dlms-tcp", containerPort: DLMS_PORT, protocol: ContainerProtocol.TCP },
      { name: "dlms-udp", containerPort: DLMS_PORT, protocol: ContainerProtocol.UDP },
      { name: "c1222-tcp", containerPort: C1222_PORT, protocol: ContainerProtocol.TCP },
      { name: "c1222-udp", containerPort: C1222_PORT, protocol: ContainerProtocol.UDP },
    );
    for (const [name, port, protocol] of [
      ["Dlms", DLMS_PORT, Protocol.TCP_UDP],
      ["C1222", C1222_PORT, Protocol.TCP_UDP],
    ] as const)
      balancer.addListener(name, { port, protocol }).addTargets(`${name}Tasks`, {
        port,
        protocol,
        // The address is for the log only: a meter is known by its title and its keys, never by where it calls from.
        preserveClientIp: true,
        deregistrationDelay: Duration.seconds(60),
        targets: [tasks.service.loadBalancerTarget({ containerName: "bridge", containerPort: port })],
        healthCheck: {
          protocol: Protocol.HTTP,
          port: String(HEALTH_PORT),
          path: "/healthz",
          interval: Duration.seconds(10),
        },
      });
  }
}
