import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { ContextAttribute, Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import type { Construct } from "constructs";
import { describedFunctions, type FunctionCode } from "../constructs/described-functions.ts";
import { Lane } from "../constructs/lane.ts";
import { SleeperTopics } from "../constructs/sleeper-topics.ts";
import type { FunctionDescription } from "../function-description.ts";
import { FUNCTIONS } from "../functions.ts";
import { Parameters } from "../parameters.ts";
import { askForState, QUEUES, type QueueName, type QueueReferences } from "../resources.ts";
import { runbookAlarm } from "../runbook.ts";
import type { Settings } from "../settings.ts";

export interface ServiceStackProps extends StackProps, FunctionCode {
  readonly settings: Settings;
}

/** The queues, the functions that no route calls, and the one schedule: all can be removed and made again. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, props);
    const { settings, code, layers } = props;
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

    new SleeperTopics(this, "Sleepers", { settings, uplink: laneOf("uplink") });
    const which = ({ trigger }: FunctionDescription): boolean => trigger.kind !== "http";
    const functions = describedFunctions(this, { settings, code, layers, state, queues, which });
    for (const [name, { function: fn }] of functions) {
      const trigger = FUNCTIONS[name]?.trigger;
      if (trigger?.kind === "tick") this.#tick(fn);
      if (trigger?.kind === "queue")
        fn.addEventSource(
          new SqsEventSource(laneOf(trigger.queue).queue, {
            batchSize: trigger.batch,
            reportBatchItemFailures: true,
            maxConcurrency: trigger.concurrency,
          }),
        );
    }
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
  notices: Duration.minutes(2),
  webhooks: Duration.minutes(20), // a message that rests is no older than its last rest
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
