import { Duration } from "aws-cdk-lib";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { runbookAlarm } from "../runbook.ts";

export interface LaneProps {
  /** Physical name; the dead-letter queue's is this and `-parked`. */
  readonly queueName: string;
  /** How long a received message stays invisible. @default 60 s: a bridge renews it with the slice's lease */
  readonly lease?: Duration;
  /** @default 10 */
  readonly maxReceiveCount?: number;
  /** Age of the oldest message that means that the lane is not keeping up. @default no such alarm */
  readonly behindAfter?: Duration;
}

/**
 * A lane: its queue, its parked messages and the alarms that say so. Encrypted by SQS's own key: messages hold no secrets,
 * and so no sender needs a grant on the key that guards the meters' keys.
 */
export class Lane extends Construct {
  readonly queue: Queue;
  readonly parked: Queue;

  constructor(scope: Construct, id: string, props: LaneProps) {
    super(scope, id);
    const { queueName, lease = Duration.seconds(60), maxReceiveCount = 10 } = props;
    const shared = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };
    this.parked = new Queue(this, "Parked", { ...shared, queueName: `${queueName}-parked` });
    this.queue = new Queue(this, "Queue", {
      ...shared,
      queueName,
      visibilityTimeout: lease,
      deadLetterQueue: { queue: this.parked, maxReceiveCount },
    });
    runbookAlarm(this, "ParkedAlarm", {
      entry: "parked-messages",
      metric: this.parked.metricApproximateNumberOfMessagesVisible(),
      threshold: 1,
    });
    if (props.behindAfter !== undefined)
      runbookAlarm(this, "BehindAlarm", {
        entry: "lane-behind",
        metric: this.queue.metricApproximateAgeOfOldestMessage(),
        threshold: props.behindAfter.toSeconds(),
        evaluationPeriods: 3,
      });
  }
}
