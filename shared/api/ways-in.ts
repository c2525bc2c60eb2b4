import { z } from "zod";
import { Instant } from "./instant.ts";

/** A way in that meters share: their collector, radio cell or relay. */
const WayInName = z
  .string()
  .regex(
    /^(?:(?:collector|cell):[A-Za-z0-9][A-Za-z0-9._-]{0,63}|relay:\.?\d+(?:\.\d+){0,31})$/,
    "expected collector:NAME, cell:NAME or relay:APTITLE, names as meters have them",
  );
export const WayInPath = z.strictObject({ wayIn: WayInName });

export const WayInLimitBody = z.strictObject({
  /** Sessions at once, over all bridges; 0: none; null: back to the default of its kind. */
  limit: z.int().min(0).max(10_000).nullable(),
});

export const WayInInApi = z.strictObject({
  wayIn: WayInName,
  /** In force. */
  limit: z.int(),
  isDefault: z.boolean(),
  /** Permits that slices hold now. */
  leased: z.int(),
  leases: z.array(z.strictObject({ lane: z.string(), permits: z.int(), wants: z.int(), until: Instant })),
});
