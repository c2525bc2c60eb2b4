import { JobState } from "../jobs/job.ts";
import { LANES } from "../jobs/lane.ts";
import { FAILURE_REASONS } from "../metering/failure.ts";
import { REPLAY_CLASS } from "../metering/operation.ts";
import type { Field, Row } from "./language/field.ts";

const tasks = (words: string) => ({ type: "number", unit: "tasks", min: 0, max: 1_000_000_000, words }) as const;

/** What may be asked of a job. Task counts are as `GET /jobs/{jobId}` has them. */
export const JOB_FIELDS = {
  operation: { type: "choice", values: Object.keys(REPLAY_CLASS), words: "operation" },
  state: { type: "choice", values: JobState.options, words: "state" },
  lane: { type: "choice", values: LANES, words: "lane" },
  target: {
    type: "choice",
    values: [
      "meters",
      "group",
      "feeder",
      "transformer",
      "collector",
      "all",
      "groupRoute",
      "query",
      "missing",
      "tasksOf",
    ],
    words: "kind of target",
  },
  /** Id and name of who asked. */
  caller: { type: "text", many: true, words: "caller" },
  schedule: { type: "text", words: "schedule" },
  created: { type: "age", words: "creation" },
  closed: { type: "age", words: "end" },
  tasks: tasks("number of tasks"),
  open: tasks("number of open tasks"),
  done: tasks("number of done tasks"),
  failed: tasks("number of failed tasks"),
  expired: tasks("number of expired tasks"),
  cancelled: tasks("number of cancelled tasks"),
  /** Why tasks failed or expired. */
  reason: {
    type: "choice",
    many: true,
    values: FAILURE_REASONS.filter((reason) => reason !== "none"),
    words: "reason of a failed task",
  },
} as const satisfies Readonly<Record<string, Field>>;

export type JobField = keyof typeof JOB_FIELDS;
export type JobRow = Row<JobField>;
