import { count } from "../figures/scaled-decimal.ts";
import type { ApiJob } from "./job-text.ts";

export type Progress = NonNullable<ApiJob["progress"]>;

/** Outcomes in the order in which they are drawn. */
export const OUTCOMES = ["done", "failed", "expired", "cancelled"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface OutcomeShares {
  readonly total: number;
  readonly ended: number;
  /** Percent of the total, each; together at most 100. */
  readonly share: Readonly<Record<Outcome, number>>;
}

export function outcomeShares(progress: Progress): OutcomeShares {
  const ended = OUTCOMES.reduce((sum, outcome) => sum + progress[outcome], 0);
  const total = ended + progress.open;
  const percent = (tasks: number) => (total === 0 ? 0 : (tasks / total) * 100);
  return {
    total,
    ended,
    share: {
      done: percent(progress.done),
      failed: percent(progress.failed),
      expired: percent(progress.expired),
      cancelled: percent(progress.cancelled),
    },
  };
}

/** E.g. "312 of 1 000 ended: 300 done, 12 failed". */
export function outcomeText(progress: Progress): string {
  const { ended, total } = outcomeShares(progress);
  const parts = OUTCOMES.filter((outcome) => progress[outcome] > 0).map(
    (outcome) => `${count(progress[outcome])} ${outcome}`,
  );
  return `${count(ended)} of ${count(total)} ended${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

export interface ReasonCount {
  readonly reason: string;
  /** The task is still open and is tried again. */
  readonly open: boolean;
  readonly tasks: number;
}

/** Reasons, the most frequent first; those of open tasks (`open:<reason>`) told apart. */
export const reasonCounts = (progress: Progress): readonly ReasonCount[] =>
  Object.entries(progress.reasons)
    .filter(([, tasks]) => tasks > 0)
    .map(([key, tasks]) => {
      const open = key.startsWith("open:");
      return { reason: open ? key.slice("open:".length) : key, open, tasks };
    })
    .sort((a, b) => b.tasks - a.tasks || a.reason.localeCompare(b.reason));
