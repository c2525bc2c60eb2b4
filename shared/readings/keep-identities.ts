import type { MeterIdentities } from "../jobs/access.ts";
import type { Keeper } from "./ingest-batch.ts";

/**
 * Keeps what meters say of themselves in their access items, and then has their segment indexed anew. May be repeated: the
 * newest answer stays.
 */
export const identityKeeper = (identities: MeterIdentities, indexAnew: (segment: number) => Promise<void>): Keeper => ({
  async keep({ segment, reports }) {
    let told = false;
    for (const { slot, meterId, at, identity } of reports) {
      if (identity === undefined) continue;
      await identities.identify({ segment, slot }, meterId, { ...identity, at });
      told = true;
    }
    if (told) await indexAnew(segment);
  },
});
