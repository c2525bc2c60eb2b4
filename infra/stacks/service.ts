import { Annotations, Duration, Stack, type StackProps } from "aws-cdk-lib";
import { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Architecture, Code, type IFunction, LayerVersion, Runtime } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { ContextAttribute, Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import type { Construct } from "constructs";
import { routes } from "../../shared/api/routes.ts";
import { ApiRoutes } from "../constructs/api-routes.ts";
import { Lane } from "../constructs/lane.ts";
import { NodeFunction } from "../constructs/node-function.ts";
import { SleeperTopics } from "../constructs/sleeper-topics.ts";
import { FUNCTIONS } from "../functions.ts";
import type { LayerFolder } from "../layer-folders.ts";
import { Parameters } from "../parameters.ts";
import {
  askForState,
  LAYERS,
  type LayerName,
  QUEUES,
  type QueueName,
  type QueueReferences,
  ROLES,
} from "../resources.ts";
import { runbookAlarm } from "../runbook.ts";
import type { Settings } from "../settings.ts";

export interface ServiceStackProps extends StackProps {
  readonly settings: Settings;
  /** Code of each function of the table by name. */
  readonly code: ReadonlyMap<string, Code>;
  readonly layers: ReadonlyMap<LayerName, LayerFolder>;
}

/** The queues, the functions, the routes and the one schedule: all can be removed and made again. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, props);
    const { settings, code } = props;
    const parameters = new Parameters(this, settings.deployment);
    const state = askForState(parameters, settings.deployment);

    const lanes = new Map(QUEUES.map((name) => [name, new Lane(this, `Lane-${name}`, laneProps(name, settings))]));
    for (const [name, { queue, parked }] of lanes) {
      parameters.tell(`queues/${name}/url`, queue.queueUrl);
      parameters.tell(`queues/${name}/arn`, queue.queueArn);
      parameters.tell(`queues/${name}-parked/url`, parked.queueUrl);
      parameters.tell(`queues/${name}-parked/arn`, parked.queueArn);
    }
    const laneOf = (name: QueueName): Lane => {
      const lane = lanes.get(name);
      if (lane === undefined) throw new Error(`no queue ${name}`);
      return lane;
    };
    const queues: QueueReferences = (name) => {
      const { queue, parked } = laneOf(name);
      return {
        queue: { url: queue.queueUrl, arn: queue.queueArn },
        parked: { url: parked.queueUrl, arn: parked.queueArn },
      };
    };

    const layers = new Map([...props.layers].map(([name, folder]) => [name, this.#layer(name, folder)]));
    new SleeperTopics(this, "Sleepers", { settings, uplink: laneOf("uplink") });

    const functions = new Map<string, IFunction>();
    for (const [name, description] of Object.entries(FUNCTIONS)) {
      const bundled = code.get(name);
      if (bundled === undefined) throw new Error(`function ${name}: no code`);
      const { function: fn } = new NodeFunction(this, name, {
        name,
        description,
        settings,
        code: bundled,
        state,
        queues,
        layers,
      });
      functions.set(name, fn);
      if (description.trigger.kind === "tick") this.#tick(fn);
      if (description.trigger.kind === "queue") {
        const { queue, batch, concurrency } = description.trigger;
        fn.addEventSource(
          new SqsEventSource(laneOf(queue).queue, {
            batchSize: batch,
            reportBatchItemFailures: true,
            maxConcurrency: concurrency,
          }),
        );
      }
    }

    new ApiRoutes(this, "Routes", {
      api: HttpApi.fromHttpApiAttributes(this, "Api", { httpApiId: parameters.ask("api/id") }),
      routes: Object.values(routes),
      functions,
      issuer: `https://cognito-idp.${settings.region}.amazonaws.com/${parameters.ask("users/pool")}`,
      audience: ["console", ...ROLES].map((client) => parameters.ask(`users/clients/${client}`)),
    });
  }

  #layer(name: LayerName, { folder, absent }: LayerFolder): LayerVersion {
    const layer = new LayerVersion(this, `Layer-${name}`, {
      description: LAYERS[name].package,
      code: Code.fromAsset(folder),
      compatibleArchitectures: [Architecture.ARM_64],
      compatibleRuntimes: [Runtime.NODEJS_24_X],
    });
    // Written for whoever looks at the assembly; the CDK does not deploy a stack with an error.
    if (absent !== undefined)
      Annotations.of(layer).addError(`Layer ${name} is empty: npm could not bring it (${absent})`);
    return layer;
  }

  /** Everything periodic hangs on this one schedule; runs are told apart by their scheduled time, so a repeat is harmless. */
  #tick(fn: IFunction): void {
    new Schedule(this, "Tick", {
      description: "Sweep, schedules and bootstrap, each minute",
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      target: new LambdaInvoke(fn, {
        input: ScheduleTargetInput.fromObject({ scheduledTime: ContextAttribute.scheduledTime }),
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    });
    runbookAlarm(this, "TickMissing", {
      entry: "tick-missing",
      metric: fn.metricInvocations({ period: Duration.minutes(5) }),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      missing: TreatMissingData.BREACHING,
    });
  }
}

/** How long a lane may lag before somebody should look. */
const BEHIND: Readonly<Record<QueueName, Duration>> = {
  commands: Duration.minutes(1),
  interactive: Duration.minutes(2),
  urgent: Duration.minutes(30),
  bulk: Duration.hours(6),
  images: Duration.days(2),
  results: Duration.minutes(10),
  uplink: Duration.minutes(1), // an endpoint listens for seconds after it spoke
};

function laneProps(name: QueueName, settings: Settings) {
  const consumer = Object.values(FUNCTIONS).find(({ trigger }) => trigger.kind === "queue" && trigger.queue === name);
  return {
    queueName: `${settings.deployment}-${name}`,
    behindAfter: BEHIND[name],
    // Lambda's poller needs six times the function's time-out, or it sees messages again that are still being worked on.
    ...(consumer === undefined ? {} : { lease: Duration.seconds(6 * consumer.timeoutSeconds) }),
  };
}
