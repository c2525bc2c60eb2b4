import { assert } from "../ports/errors.ts";
import {
  type BlockEntry,
  type BlockRegister,
  type DayBlock,
  emptyBlock,
  type Origin,
  type SideEntry,
  sameLayout,
} from "./day-block.ts";
import { assessed, earlierOf, QUALITY } from "./quality.ts";

/** Values that gave way: what one batch said and another says otherwise. Kept beside the block, with their origin. */
export interface Superseded {
  readonly loser: Origin;
  readonly winner: Origin;
  readonly block: DayBlock;
}

export interface MergedBlock {
  readonly block: DayBlock;
  readonly changed: boolean;
  readonly superseded: readonly Superseded[];
  /** Values (a register, or one channel of one interval) that were not there before. */
  readonly added: number;
  readonly corrected: number;
}

/** The newer reading wins; of readings at one instant always the same one, whichever came first. */
const newer = (left: Origin, right: Origin): boolean =>
  left.at > right.at || (left.at === right.at && left.batch > right.batch);

const valuesIn = (entry: BlockEntry): number => entry.values.filter((value) => value !== undefined).length;

type Verdict<T> = { readonly kept: T; readonly lost?: T; readonly added: number };

/** The same again changes nothing; something else is a correction by the newer one. */
function judge<T extends BlockEntry>(there: T | undefined, incoming: T): Verdict<T> {
  if (there === undefined) return { kept: incoming, added: valuesIn(incoming) };
  const says = incoming.values.some((value, channel) => value !== undefined && value !== there.values[channel]);
  const silent = valuesIn(incoming) === 0 && valuesIn(there) > 0;
  if (silent || (!says && incoming.status === there.status)) return { kept: there, added: 0 };
  const [winner, loser] = newer(incoming.origin, there.origin) ? [incoming, there] : [there, incoming];
  // Where the winner has no value the loser's stays: a gap never wipes out a reading.
  const values = winner.values.map((value, channel) => value ?? loser.values[channel]);
  const replaces = winner.values.some((value, channel) => {
    const other = loser.values[channel];
    return value !== undefined && other !== undefined && value !== other;
  });
  const quality = (winner.quality ?? 0) | (replaces ? QUALITY.corrected.bit : 0);
  const kept = { ...winner, values, ...(quality === 0 ? {} : { quality }) };
  return { kept, lost: loser, added: Math.max(0, valuesIn(kept) - valuesIn(there)) };
}

/**
 * Puts what one report brings into what is stored. Pure; doing it again changes nothing. `before`: the block of the day
 * before, where there is one: dials are compared over midnight too.
 */
export function mergeBlock(stored: DayBlock, incoming: DayBlock, before?: DayBlock): MergedBlock {
  assert(stored.day === incoming.day, "a block takes entries of its own day");
  const adopts = stored.period === 0 && incoming.period !== 0;
  assert(adopts || incoming.period === 0 || sameLayout(stored, incoming), "a block takes entries of its own layout");
  const { period, channels } = adopts ? incoming : stored;
  const lost = new Map<string, { loser: Origin; winner: Origin; block: DayBlock }>();
  const beside = (
    loser: Origin,
    winner: Origin,
  ): { entries: Map<number, BlockEntry>; side: SideEntry[]; registers: BlockRegister[] } => {
    const key = `${loser.batch}#${winner.batch}`;
    const known = lost.get(key) ?? { loser, winner, block: emptyBlock(stored.day, period, channels) };
    lost.set(key, known);
    return known.block as never; // filled here, read-only for everybody else
  };
  let [added, corrected, changed] = [0, 0, false];
  const take = <T extends BlockEntry>(
    there: T | undefined,
    entry: T,
    keep: (kept: T) => void,
    lose: (lost: T, winner: Origin) => void,
  ): void => {
    const verdict = judge(there, entry);
    added += verdict.added;
    if (verdict.lost !== undefined) {
      lose(verdict.lost, verdict.lost === entry ? (there?.origin ?? entry.origin) : entry.origin);
      if (verdict.lost === there) corrected++;
    }
    if (verdict.kept === there || (there !== undefined && sameEntry(verdict.kept, there))) return;
    changed = true;
    keep(verdict.kept);
  };

  const entries = new Map(stored.entries);
  for (const [number, entry] of incoming.entries)
    take(
      entries.get(number),
      entry,
      (kept) => void entries.set(number, kept),
      (loser, winner) => void beside(loser.origin, winner).entries.set(number, loser),
    );
  const side = new Map(stored.side.map((entry) => [`${entry.start}-${entry.end}`, entry]));
  for (const entry of incoming.side) {
    const key = `${entry.start}-${entry.end}`;
    take(
      side.get(key),
      entry,
      (kept) => void side.set(key, kept),
      (loser, winner) => void beside(loser.origin, winner).side.push(loser),
    );
  }
  const registers = new Map(stored.registers.map((register) => [registerKey(register), register]));
  for (const register of incoming.registers) {
    const key = registerKey(register);
    const there = registers.get(key);
    if (there !== undefined && there.value === register.value && there.scaler === register.scaler) continue;
    const wins = there === undefined || newer(register.origin, there.origin);
    if (there === undefined) added++;
    else if (wins) {
      corrected++;
      beside(there.origin, register.origin).registers.push(there);
    } else beside(register.origin, there.origin).registers.push(register);
    if (!wins) continue;
    changed = true;
    registers.set(key, register);
  }
  const block: DayBlock = {
    day: stored.day,
    period,
    channels,
    entries,
    side: [...side.values()].sort((left, right) => left.end - right.end || left.start - right.start),
    registers: [...registers.values()].sort((left, right) => (registerKey(left) < registerKey(right) ? -1 : 1)),
  };
  return {
    block: changed ? assessed(block, earlierOf(before, block)) : block,
    changed,
    superseded: [...lost.values()],
    added,
    corrected,
  };
}

const sameEntry = (left: BlockEntry, right: BlockEntry): boolean =>
  left.status === right.status &&
  (left.quality ?? 0) === (right.quality ?? 0) &&
  left.origin.batch === right.origin.batch &&
  left.origin.at === right.origin.at &&
  left.values.every((value, channel) => value === right.values[channel]);

/** A register is the same reading when it was captured at the same instant. */
const registerKey = ({ measurement, at, origin }: BlockRegister): string =>
  `${measurement}#${String(at ?? origin.at).padStart(16, "0")}`;
