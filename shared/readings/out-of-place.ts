import type { Place } from "../metering/meter.ts";
import { HeadraceError } from "../ports/errors.ts";
import type { DayBlocks, StoredBlock } from "./blocks.ts";
import { type BlockEntry, type DayBlock, intervalEnd } from "./day-block.ts";
import { decodeDayBlock, encodeDayBlock } from "./day-block-codec.ts";
import { type LakeMarks, markDirty } from "./lake-marks.ts";
import { QUALITY } from "./quality.ts";

const TRIES = 12;

/**
 * A meter that was taken away at `at`, and is known to be only now: what is stored of it for the time since then says so.
 * Intervals that end in (at, until], clock ms. May be repeated.
 */
export async function markOutOfPlace(
  ports: { readonly blocks: DayBlocks; readonly lake?: Pick<LakeMarks, "read" | "mark"> | undefined },
  place: Place,
  at: number,
  until: number,
): Promise<void> {
  const days = new Set<number>();
  for (const found of await ports.blocks.ofMeter(place, at, until)) {
    let stored: StoredBlock | undefined = found;
    for (let tries = 0; stored !== undefined; tries++) {
      if (tries === TRIES)
        throw new HeadraceError("readings.contended", `expected to write a day block within ${TRIES} tries`, {
          retry: "later",
          detail: { ...found.key },
        });
      const marked = after(decodeDayBlock(stored.key.day, stored.octets), at);
      if (marked === undefined) break;
      days.add(stored.key.day);
      if ((await ports.blocks.write(stored.key, encodeDayBlock(marked), stored.version)) === "written") break;
      [stored] = await ports.blocks.read([stored.key]);
    }
  }
  if (ports.lake !== undefined && days.size > 0) await markDirty(ports.lake, place.segment, days);
}

/** The block with what ends after `at` marked; undefined: there is nothing to mark. */
function after(block: DayBlock, at: number): DayBlock | undefined {
  let changed = false;
  const mark = <E extends BlockEntry>(entry: E, end: number): E => {
    const quality = entry.quality ?? 0;
    if (end <= at || (quality & QUALITY.meterExchange.bit) !== 0) return entry;
    changed = true;
    return { ...entry, quality: quality | QUALITY.meterExchange.bit };
  };
  const entries = new Map(
    [...block.entries].map(([number, entry]) => [number, mark(entry, intervalEnd(block.day, block.period, number))]),
  );
  const side = block.side.map((entry) => mark(entry, entry.end));
  return changed ? { ...block, entries, side } : undefined;
}
