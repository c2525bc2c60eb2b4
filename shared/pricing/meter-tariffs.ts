import { z } from "zod";
import { MeterId, type Place } from "../metering/meter.ts";
import { ShownTariff } from "../metering/tariff-calendar.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Keeper } from "../readings/ingest-batch.ts";
import { calendarDigest } from "./tariff.ts";

/** The calendar that was last ordered of a meter, once the order was done. */
export const OrderedTariff = z.strictObject({
  digest: z.string(),
  /** Clock ms; absent: at once. */
  activateAt: z.int().optional(),
  jobId: z.string(),
});
/** What a meter holds of tariffs, as it last showed it. */
export const MeterTariff = z.strictObject({
  meterId: MeterId,
  segment: z.int(),
  slot: z.int(),
  shown: ShownTariff,
  seenAt: z.int(),
  ordered: OrderedTariff.optional(),
});
export type OrderedTariff = z.infer<typeof OrderedTariff>;
export type MeterTariff = z.infer<typeof MeterTariff>;

/**
 * `active`: proved, the meter counts by it. `pending`: it waits for its time. `due`: its time is over and nobody has looked
 * since. `differs`: the meter shows something else.
 */
export const STANDINGS = ["active", "pending", "due", "differs"] as const;
export type Standing = (typeof STANDINGS)[number];

/** How a meter stands to the calendar of a digest at `now`. Pure. */
export function standing({ shown, seenAt }: MeterTariff, digest: string, now: number): Standing {
  if (shown.active.digest === digest) return "active";
  const { passive, activatesAt } = shown;
  if (passive?.digest !== digest || activatesAt === undefined) return "differs";
  if (activatesAt > now) return "pending";
  return seenAt < activatesAt ? "due" : "differs";
}

/** As stored, newest fact wins. Keys live in `functions/adapters/dynamo-meter-tariffs.ts`. */
export interface MeterTariffs {
  /** An older fact changes nothing; an order stays until another one is done. */
  note(fact: MeterTariff): Promise<void>;
  of(place: Place): Promise<MeterTariff | undefined>;
  /** Pages through all of them; `cursor`: where the page before ended. */
  page(limit: number, cursor?: string): Promise<{ readonly facts: readonly MeterTariff[]; readonly cursor?: string }>;
}

/** Keeps what meters show of their tariffs. */
export const tariffKeeper = (tariffs: Pick<MeterTariffs, "note">, crypto: Crypto): Keeper => ({
  async keep({ segment, job, reports }) {
    const { operation, jobId } = job ?? {};
    for (const { meterId, slot, at, tariff, outcome } of reports) {
      if (tariff === undefined || outcome.kind !== "done") continue;
      const ordered: OrderedTariff | undefined =
        operation?.kind === "programTariff" && jobId !== undefined
          ? {
              digest: calendarDigest(crypto, operation.calendar),
              jobId,
              ...(operation.activateAt === undefined ? {} : { activateAt: operation.activateAt }),
            }
          : undefined;
      await tariffs.note({ meterId, segment, slot, shown: tariff, seenAt: at, ...(ordered && { ordered }) });
    }
  },
});
