import { eachOf, piecesOf } from "../jobs/concurrency.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { HeadraceError } from "../ports/errors.ts";
import { seedOf } from "../ports/random.ts";
import type { BlockKey, DayBlocks, StoredBlock } from "./blocks.ts";
import { type DayBlock, emptyBlock, sameLayout } from "./day-block.ts";
import { decodeDayBlock, encodeDayBlock } from "./day-block-codec.ts";
import { mergeBlock } from "./merge-block.ts";
import { blocksOf } from "./report-blocks.ts";

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

const textOf = ({ segment, slot, day, set }: BlockKey): string => `${segment}#${day}#${slot}#${set}`;

/**
 * Stores what the reports of one segment bring: get, merge and put under a version, block by block. May be repeated:
 * the same batch again changes nothing; another value for the same interval is a correction, and the older one is kept
 * beside it with its origin. Answers the reports whose content contradicts itself; nothing of those is stored.
 */
export async function storeReadings(
  ports: { readonly blocks: DayBlocks },
  segment: number,
  batch: string,
  reports: readonly Pick<TaskReport, "slot" | "at" | "intervals" | "registers" | "snapshots" | "clockOffsetMs">[],
): Promise<{ readonly facts: StoreFacts; readonly bad: readonly BadContent[] }> {
  const facts: StoreFacts = { added: 0, corrected: 0, written: 0, unchanged: 0, conflicts: 0 };
  const bad: BadContent[] = [];
  const wanted = new Map<string, Incoming>();
  for (const report of reports) {
    try {
      for (const { set, block } of blocksOf(report, batch)) {
        const key = { segment, slot: report.slot, day: block.day, set };
        const known = wanted.get(textOf(key));
        if (known === undefined) wanted.set(textOf(key), { key, blocks: [block] });
        else known.blocks.push(block);
      }
    } catch (error) {
      if (!(error instanceof HeadraceError) || error.retry === "later") throw error;
      bad.push({ slot: report.slot, problem: error.message });
    }
  }
  for (const piece of piecesOf([...wanted.values()], READ_PIECE)) {
    const stored = new Map(
      (await ports.blocks.read(piece.map(({ key }) => key))).map((block) => [textOf(block.key), block]),
    );
    await eachOf(piece, WRITES_MAX, async ({ key, blocks }) => {
      for (const block of blocks) {
        await storeBlock(ports.blocks, key, block, stored.get(textOf(key)), facts);
        stored.delete(textOf(key)); // a second report about the same block reads it again
        if (blocks.length > 1) for (const again of await ports.blocks.read([key])) stored.set(textOf(key), again);
      }
    });
  }
  return { facts, bad };
}

async function storeBlock(
  blocks: DayBlocks,
  key: BlockKey,
  incoming: DayBlock,
  read: StoredBlock | undefined,
  facts: StoreFacts,
): Promise<void> {
  let stored = read;
  for (let tries = 1; tries <= TRIES; tries++) {
    const there =
      stored === undefined
        ? emptyBlock(key.day, incoming.period, incoming.channels)
        : decodeDayBlock(key.day, stored.octets);
    if (incoming.period !== 0 && there.period !== 0 && !sameLayout(there, incoming)) {
      // The meter's channels are others since the block began: they get a block of their own beside it.
      const other = { ...key, set: `${key.set.split("~")[0]}~${layoutDigest(incoming)}` };
      return storeBlock(blocks, other, incoming, (await blocks.read([other]))[0], facts);
    }
    const merged = mergeBlock(there, incoming);
    // What gives way is kept before it goes.
    for (const { loser, winner, block } of merged.superseded)
      await blocks.keep({ key, loser: loser.batch, winner: winner.batch, octets: encodeDayBlock(block) });
    if (!merged.changed) {
      facts.unchanged++;
      return;
    }
    if ((await blocks.write(key, encodeDayBlock(merged.block), stored?.version ?? 0)) === "written") {
      facts.written++;
      facts.added += merged.added;
      facts.corrected += merged.corrected;
      return;
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
