import type { AccessStore } from "../jobs/access.ts";
import type { Clock } from "../ports/clock.ts";
import type { AccessLook, CounterDesk } from "./counter-desk.ts";

/** A look older than this is not dialled on, ms. */
export const LOOK_MS = 3_000;
const READ_MIN = 4;
/** One batch of DynamoDB. */
const READ_MAX = 100;

/** Access items of one slice, read in batches just ahead of the dials. */
export interface AccessWindow {
  /** Undefined: none that is fresh. `absent`: the slot has no access item. */
  fresh(slot: number): AccessLook | "absent" | undefined;
  /**
   * Reads the first of these slots, and as many after it as lately were dialled before they went stale. Answers the
   * first.
   */
  read(slots: readonly [number, ...number[]]): Promise<AccessLook | "absent">;
  /** The look has been used up. */
  forget(slot: number): void;
}

export function accessWindow(
  access: Pick<AccessStore, "readMany">,
  desk: Pick<CounterDesk, "lease">,
  clock: Clock,
  segment: number,
): AccessWindow {
  const looks = new Map<number, { readonly look: AccessLook | "absent"; readonly at: number }>();
  let ahead = 16;
  return {
    fresh(slot) {
      const entry = looks.get(slot);
      return entry === undefined || clock.now() - entry.at >= LOOK_MS ? undefined : entry.look;
    },
    async read(slots) {
      const unused = looks.size;
      ahead = unused === 0 ? Math.min(READ_MAX, ahead * 2) : Math.max(READ_MIN, ahead - unused);
      looks.clear();
      const asked = slots.slice(0, ahead);
      const lease = await desk.lease(); // before the look: see counter-desk.ts
      const at = clock.now();
      const items = await access.readMany(segment, asked);
      for (const slot of asked) looks.set(slot, { look: "absent", at });
      for (const item of items) looks.set(item.slot, { look: { item, lease }, at });
      return looks.get(slots[0])?.look ?? "absent";
    },
    forget: (slot) => void looks.delete(slot),
  };
}
