/** Slices of a job are spread over so many partitions of the ledger, by segment. */
export const SLICE_PARTITIONS = 64;

/** Which partitions the slices of these segments lie in: bit p of 16 hex digits. */
export function partitionsOf(segments: Iterable<number>): string {
  let partitions = 0n;
  for (const segment of segments) partitions |= 1n << BigInt(segment % SLICE_PARTITIONS);
  return partitions.toString(16).padStart(16, "0");
}

/** The partitions themselves, ascending. Absent: any may hold slices. */
export function partitionsIn(partitions: string | undefined): number[] {
  const bits = partitions === undefined ? (1n << BigInt(SLICE_PARTITIONS)) - 1n : BigInt(`0x${partitions}`);
  return Array.from({ length: SLICE_PARTITIONS }, (_, partition) => partition).filter(
    (partition) => ((bits >> BigInt(partition)) & 1n) === 1n,
  );
}

/** In which partition slices of the segment lie. */
export const partitionOf = (segment: number): number => segment % SLICE_PARTITIONS;
