import { Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Bundle } from "../bundles.ts";
import { BridgeTasks } from "../constructs/bridge-tasks.ts";
import { FieldGate } from "../constructs/field-gate.ts";
import { networkOf } from "../constructs/network.ts";
import { Parameters } from "../parameters.ts";
import { askForQueues, askForState } from "../resources.ts";
import type { Settings } from "../settings.ts";

export interface BridgeStackProps extends StackProps {
  readonly settings: Settings;
  readonly bundle: Bundle;
}

/** The bridge and its network: the only part that talks to meters. */
export class BridgeStack extends Stack {
  constructor(scope: Construct, id: string, props: BridgeStackProps) {
    super(scope, id, props);
    const { settings, bundle } = props;
    const parameters = new Parameters(this, settings.deployment);
    const network = networkOf(this, settings, parameters);
    const tasks = new BridgeTasks(this, "Tasks", {
      settings,
      network,
      bundle,
      state: askForState(parameters, settings.deployment),
      queues: askForQueues(parameters),
    });
    // A load balancer is for meters that call in; a co-op whose meters are all called needs none.
    if (settings.profile === "utility") new FieldGate(this, "Gate", { settings, network, parameters, tasks });
  }
}
