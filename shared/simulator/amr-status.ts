import type { MeterState } from "./meter-state.ts";
import { isSummer } from "./zone.ts";

/** AMR profile status, one octet, of the entry that ends at `end`. */
export const AMR_STATUS = { daylightSaving: 0x08, clockAdjusted: 0x20 } as const;

export const amrStatus = (state: MeterState, end: number): number =>
  (isSummer(state.zone, end) ? AMR_STATUS.daylightSaving : 0) |
  (state.load.clockAdjustedBefore(end) ? AMR_STATUS.clockAdjusted : 0);
