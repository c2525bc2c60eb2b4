import type { Keeper } from "../readings/ingest-batch.ts";
import type { OutageStore } from "./outage-store.ts";

const isOfSupply = (event: string): boolean => event === "power.last-gasp" || event === "power.restored-notice";

/** Notes which meters said something of their supply by themselves. Stands behind the keeper of fleet columns, which hold what. */
export const powerNewsKeeper = (outages: Pick<OutageStore, "noteNews">): Keeper => ({
  async keep({ segment, job, reports }) {
    if (job !== undefined) return;
    const slots = reports.filter(({ events = [] }) => events.some(({ e }) => isOfSupply(e))).map(({ slot }) => slot);
    if (slots.length > 0) await outages.noteNews(segment, slots);
  },
});
