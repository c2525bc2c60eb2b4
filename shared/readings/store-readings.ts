import { eachOf, piecesOf } from "../jobs/concurrency.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { HeadraceError } from "../ports/errors.ts";
import { toHex } from "../ports/octets.ts";
import { seedOf } from "../ports/random.ts";
import type { BlockKey, DayBlocks, StoredBlock } from "./blocks.ts";
import { DAY_MS, type DayBlock, dayOf, emptyBlock, sameLayout } from "./day-block.ts";
import { decodeDayBlock, encodeDayBlock } from "./day-block-codec.ts";
import { type LakeMarks, markDirty } from "./lake-marks.ts";
import { mergeBlock } from "./merge-block.ts";
import { assessed, earlierOf } from "./quality.ts";
import { blocksOf, type StoredReport } from "./report-blocks.ts";

export interface StoreFacts {
  /** Values (a register, or one channel of one interval) that were not there before. */
  added: number;
  corrected: number;
  /** Blocks written, and blocks that said it all already. */
  written: number;
  unchanged: number;
  conflicts: number;
}

export interface BadContent {
  readonly slot: number;
  readonly problem: string;
}

const WRITES_MAX = 24;
const TRIES = 12;
const READ_PIECE = 800;

interface Incoming {
  readonly key: BlockKey;
  readonly blocks: DayBlock[];
}

/** What comes of one slot and channel set, by day. */
interface Series {
  readonly days: Incoming[];
  /** The day of the newest report. */
  reportedOn: number;
}

const textOf = ({ segment, slot, day, set }: BlockKey): string => `${segment}#${day}#${slot}#${set}`;

/**
 * Stores what the reports of one segment bring: get, merge and put under a version, block by block. May be repeated:
 * the same batch again changes nothing; another value for the same interval is a correction, and the older one is kept
 * beside it with its origin. Then the days are marked for the lake. Answers the reports whose content contradicts itself; nothing of those is stored.
 */
export async function storeReadings(
  ports: { readonly blocks: DayBlocks; readonly lake?: Pick<LakeMarks, "read" | "mark"> | undefined },
  segment: number,
  batch: string,
  reports: readonly (StoredReport & Pick<TaskReport, "slot">)[],
): Promise<{ readonly facts: StoreFacts; readonly bad: readonly BadContent[] }> {
  const facts: StoreFacts = { added: 0, corrected: 0, written: 0, unchanged: 0, conflicts: 0 };
  const bad: BadContent[] = [];
  const series = new Map<string, Series>();
  for (const report of reports) {
    try {
      for (const { set, block } of blocksOf(report, batch)) {
        const key = { segment, slot: report.slot, day: block.day, set };
        const name = `${key.slot}#${set}`;
        const one = series.get(name) ?? { days: [], reportedOn: 0 };
        series.set(name, one);
        one.reportedOn = Math.max(one.reportedOn, dayOf(report.at));
        const known = one.days.find(({ key: { day } }) => day === key.day);
        if (known === undefined) one.days.push({ key, blocks: [block] });
        else known.blocks.push(block);
      }
    } catch (error) {
      if (!(error instanceof HeadraceError) || error.retry === "later") throw error;
      bad.push({ slot: report.slot, problem: error.message });
    }
  }
  const all = [...series.values()].map(({ days, reportedOn }) => {
    days.sort((left, right) => left.key.day - right.key.day);
    return { days, ...neighboursOf(days, reportedOn) };
  });
  const touched = new Set<number>();
  for (const piece of piecesOf(all, READ_PIECE)) {
    const keys = piece.flatMap(({ days, before, after }) => [
      ...days.map(({ key }) => key),
      ...[before, after].filter((key) => key !== undefined),
    ]);
    const stored = new Map((await ports.blocks.read(keys)).map((block) => [textOf(block.key), block]));
    await eachOf(piece, WRITES_MAX, async ({ days, before, after }) => {
      const there = before && stored.get(textOf(before));
      let yesterday = there && decodeDayBlock(there.key.day, there.octets);
      let written = facts.written;
      for (const { key, blocks } of days) {
        let found = stored.get(textOf(key));
        for (const block of blocks) {
          written = facts.written;
          const today = await storeBlock(ports.blocks, key, block, found, facts, yesterday);
          if (block === blocks.at(-1)) yesterday = today;
          // A second report about the same block reads it again.
          else [found] = await ports.blocks.read([key]);
        }
      }
      const later = after && stored.get(textOf(after));
      for (const { key } of days) touched.add(key.day);
      if (later !== undefined) touched.add(later.key.day); // a batch that comes again does not say whether it was assessed
      if (later !== undefined && yesterday !== undefined && facts.written > written)
        await assessAgain(ports.blocks, later, yesterday, facts);
    });
  }
  if (ports.lake !== undefined) await markDirty(ports.lake, segment, touched);
  return { facts, bad };
}

/** Days beside those that come, whose dials go on into them or out of them; none of blocks without intervals. */
function neighboursOf(
  days: readonly Incoming[],
  reportedOn: number,
): { readonly before?: BlockKey; readonly after?: BlockKey } {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined || last.blocks.every(({ period }) => period === 0)) return {};
  const before = { ...first.key, day: first.key.day - DAY_MS };
  // After the day of the newest report nothing is stored yet.
  return last.key.day >= reportedOn ? { before } : { before, after: { ...last.key, day: last.key.day + DAY_MS } };
}

/** A day that was stored before the day before it: what validation says of its first interval may be another now. */
async function assessAgain(blocks: DayBlocks, read: StoredBlock, before: DayBlock, facts: StoreFacts): Promise<void> {
  let stored: StoredBlock | undefined = read;
  for (let tries = 1; tries <= TRIES && stored !== undefined; tries++) {
    const block = decodeDayBlock(stored.key.day, stored.octets);
    const octets = encodeDayBlock(assessed(block, earlierOf(before, block)));
    if (toHex(octets) === toHex(stored.octets)) return;
    if ((await blocks.write(stored.key, octets, stored.version)) === "written") {
      facts.written++;
      return;
    }
    facts.conflicts++;
    [stored] = await blocks.read([stored.key]);
  }
}

/** Answers the block as it is stored now. */
async function storeBlock(
  blocks: DayBlocks,
  key: BlockKey,
  incoming: DayBlock,
  read: StoredBlock | undefined,
  facts: StoreFacts,
  before: DayBlock | undefined,
): Promise<DayBlock> {
  let stored = read;
  for (let tries = 1; tries <= TRIES; tries++) {
    const there =
      stored === undefined
        ? emptyBlock(key.day, incoming.period, incoming.channels)
        : decodeDayBlock(key.day, stored.octets);
    if (incoming.period !== 0 && there.period !== 0 && !sameLayout(there, incoming)) {
      // The meter's channels are others since the block began: they get a block of their own beside it.
      const other = { ...key, set: `${key.set.split("~")[0]}~${layoutDigest(incoming)}` };
      return storeBlock(blocks, other, incoming, (await blocks.read([other]))[0], facts, before);
    }
    const merged = mergeBlock(there, incoming, before);
    // What gives way is kept before it goes.
    for (const { loser, winner, block } of merged.superseded)
      await blocks.keep({ key, loser: loser.batch, winner: winner.batch, octets: encodeDayBlock(block) });
    if (!merged.changed) {
      facts.unchanged++;
      return there;
    }
    if ((await blocks.write(key, encodeDayBlock(merged.block), stored?.version ?? 0)) === "written") {
      facts.written++;
      facts.added += merged.added;
      facts.corrected += merged.corrected;
      return merged.block;
    }
    facts.conflicts++;
    stored = (await blocks.read([key]))[0];
  }
  throw new HeadraceError("readings.contended", `expected to write a day block within ${TRIES} tries`, {
    retry: "later",
    detail: { ...key },
  });
}

const layoutDigest = ({ period, channels }: DayBlock): string =>
  seedOf(JSON.stringify([period, channels.map(({ measurement, scaler }) => [measurement, scaler])]))
    .toString(16)
    .padStart(8, "0");
