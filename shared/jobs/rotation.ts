import type { Job } from "./job.ts";
import type { JobProgress, PartitionTally } from "./ledger.ts";
import { partitionsIn } from "./partitions.ts";
import { progressOf } from "./progress.ts";

/** Of a large job about so many slices are read at a sweep: ten million meters are gone round in five minutes. */
export const ROTATION_SLICES = 2048;

/**
 * Which partitions of a large job to count next, ascending: all that never were, then those whose counts are oldest.
 * Where every slice is closed the counts are final.
 */
export function nextToCount(job: Pick<Job, "partitions">, known: readonly PartitionTally[]): readonly number[] {
  const counted = new Set(known.map(({ partition }) => partition));
  const turn = partitionsIn(job.partitions).filter((partition) => !counted.has(partition));
  let slices = 0;
  const moving = known.filter(({ closed }) => !closed).sort((left, right) => left.asOf - right.asOf);
  for (const tally of moving) {
    if (slices + tally.slices > ROTATION_SLICES && slices > 0) break;
    slices += tally.slices;
    turn.push(tally.partition);
  }
  return turn.sort((left, right) => left - right);
}

/** The progress after the partitions of a turn were counted. One of them without slices is final. */
export function afterTurn(
  known: readonly PartitionTally[],
  turn: readonly number[],
  counted: readonly PartitionTally[],
  asOf: number,
): JobProgress & { readonly partitions: readonly PartitionTally[] } {
  const tallies = new Map(known.map((tally) => [tally.partition, tally]));
  for (const partition of turn) tallies.set(partition, { ...progressOf([], asOf), partition, slices: 0, closed: true });
  for (const tally of counted) tallies.set(tally.partition, tally);
  const partitions = [...tallies.values()].sort((left, right) => left.partition - right.partition);
  return { ...progressOf(partitions, asOf), partitions };
}
