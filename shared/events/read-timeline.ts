import type { MeterId, Place } from "../metering/meter.ts";
import type { DayBlocks } from "../readings/blocks.ts";
import { DAY_MS } from "../readings/day-block.ts";
import { decodeDayBlock } from "../readings/day-block-codec.ts";
import type { Timeline, TimelineEntry, TimelineKind } from "./timeline.ts";

/** A successful read, derived from what is stored of it. */
export interface ReadEntry {
  readonly kind: "read";
  /** When the meter answered, clock ms. */
  readonly at: number;
  readonly batch: string;
  /** Values of it that are still stored. */
  readonly values: number;
}

/** A read of older intervals lies in the blocks of their days: so far back they are looked for. */
const BACKFILL_MS = 2 * DAY_MS;

async function readsOf(
  blocks: Pick<DayBlocks, "ofMeter">,
  place: Place,
  from: number,
  to: number,
): Promise<ReadEntry[]> {
  const reads = new Map<string, { at: number; batch: string; values: number }>();
  const count = ({ at, batch }: { readonly at: number; readonly batch: string }, values: number): void => {
    if (at <= from || at > to || values === 0) return;
    const read = reads.get(`${at}#${batch}`) ?? { at, batch, values: 0 };
    read.values += values;
    reads.set(`${at}#${batch}`, read);
  };
  for (const { key, octets } of await blocks.ofMeter(place, from - BACKFILL_MS, to)) {
    const { entries, side, registers } = decodeDayBlock(key.day, octets);
    for (const entry of [...entries.values(), ...side])
      count(entry.origin, entry.values.filter((value) => value !== undefined).length);
    for (const { origin } of registers) count(origin, 1);
  }
  return [...reads.values()].map((read) => ({ kind: "read", ...read }));
}

export interface TimelinePorts {
  readonly timeline: Pick<Timeline, "of">;
  readonly blocks: Pick<DayBlocks, "ofMeter">;
}

/**
 * What happened at a meter with from < at <= to (clock ms), newest first: reads from the day blocks, the rest as kept.
 * `next`: where the rest begins; nothing of its instant is missing here.
 */
export async function readTimeline(
  ports: TimelinePorts,
  meter: { readonly meterId: MeterId; readonly place: Place },
  range: { readonly from: number; readonly to: number },
  kinds: ReadonlySet<TimelineKind | "read">,
  limit: number,
): Promise<{ readonly entries: readonly (TimelineEntry | ReadEntry)[]; readonly next?: number }> {
  const { from, to } = range;
  const kept = [...kinds].some((kind) => kind !== "read");
  const [reads, items] = await Promise.all([
    kinds.has("read") ? readsOf(ports.blocks, meter.place, from, to) : [],
    kept ? ports.timeline.of(meter.meterId, from, to, limit) : [],
  ]);
  // Items were cut where there were as many as asked for; reads before that instant belong to the next page.
  const cut = items.length >= limit ? items.at(-1)?.at : undefined;
  const all = [...reads, ...items.filter(({ kind }) => kinds.has(kind))]
    .filter(({ at }) => cut === undefined || at >= cut)
    .sort((left, right) => right.at - left.at);
  const last = all[limit - 1]?.at;
  const entries = last === undefined ? all : all.filter(({ at }) => at >= last);
  const more = entries.length < all.length || cut !== undefined;
  const next = (entries.at(-1)?.at ?? cut ?? from) - 1;
  return { entries, ...(more && next > from ? { next } : {}) };
}
