import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";

/** The headings of docs/runbook.md that alarms point to (test/tidy.test.ts checks that each exists). */
export type RunbookEntry =
  | "parked-messages"
  | "lane-behind"
  | "tick-missing"
  | "function-errors"
  | "api-errors"
  | "bridge-missing"
  | "unverified-tasks"
  | "unaccounted-intervals"
  | "audit-broken"
  | "webhook-suspended";

export interface RunbookAlarmProps {
  readonly metric: IMetric;
  readonly entry: RunbookEntry;
  readonly threshold: number;
  /** @default 1 */
  readonly evaluationPeriods?: number;
  /** @default greater than or equal to the threshold */
  readonly comparison?: ComparisonOperator;
  /** @default no data is fine */
  readonly missing?: TreatMissingData;
}

/** An alarm never comes without what to do about it: its description is a link into the runbook. */
export const runbookAlarm = (scope: Construct, id: string, props: RunbookAlarmProps): Alarm =>
  new Alarm(scope, id, {
    metric: props.metric,
    threshold: props.threshold,
    evaluationPeriods: props.evaluationPeriods ?? 1,
    comparisonOperator: props.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: props.missing ?? TreatMissingData.NOT_BREACHING,
    alarmDescription: `docs/runbook.md#${props.entry}`,
  });
