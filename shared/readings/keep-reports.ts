import type { IngestPorts, Keeper } from "./ingest-batch.ts";
import { type BadContent, type StoreFacts, storeReadings } from "./store-readings.ts";

/**
 * What reports bring, whoever asked for it or nobody: readings, then what the keepers keep. May be repeated. Answers the
 * reports whose content contradicts itself; nothing of those is kept.
 */
export async function keepReports(
  { blocks, lake, keepers = [] }: Pick<IngestPorts, "blocks" | "lake" | "keepers">,
  batch: Parameters<Keeper["keep"]>[0],
): Promise<{ readonly facts: StoreFacts; readonly bad: readonly BadContent[] }> {
  const stored = await storeReadings({ blocks, lake }, batch.segment, batch.reference, batch.reports);
  const badSlots = new Set(stored.bad.map(({ slot }) => slot));
  const reports = batch.reports.filter(({ slot }) => !badSlots.has(slot));
  for (const keeper of keepers) await keeper.keep({ ...batch, reports });
  return stored;
}
