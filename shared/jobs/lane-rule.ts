import type { OperationKind } from "../metering/operation.ts";
import type { JobTarget } from "./job.ts";
import type { Lane } from "./lane.ts";

/** What the lane `commands` carries, and nothing else. */
const COMMANDS: readonly OperationKind[] = ["operateSwitch", "setPowerLimit", "addCredit", "deliverToken"];
export const isCommand = (kind: OperationKind): boolean => COMMANDS.includes(kind);

/** A named deadline at most so far ahead makes a job of some meters urgent. */
export const URGENT_MS = 4 * 3_600_000;

/**
 * The lane of a job that names none. Commands have one of their own. One meter: somebody waits for it. Tasks that failed before, and some meters by an
 * early deadline: urgent. The whole fleet is never urgent by itself; neither is a schedule.
 */
export function laneFor(
  kind: OperationKind,
  target: JobTarget,
  about: { readonly single: boolean; readonly scheduled: boolean; readonly deadlineInMs: number | undefined },
): Lane {
  if (isCommand(kind)) return "commands";
  if (about.single) return "interactive";
  if (target.kind === "tasksOf") return "urgent";
  if (target.kind === "all" || about.scheduled) return "bulk";
  return about.deadlineInMs !== undefined && about.deadlineInMs <= URGENT_MS ? "urgent" : "bulk";
}
