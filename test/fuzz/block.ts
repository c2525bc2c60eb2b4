import { toHex } from "../../shared/ports/octets.ts";
import { seeded } from "../../shared/ports/random.ts";
import { DEPTHS } from "./fuzzer.ts";
import { FUZZERS } from "./fuzzers.ts";

/** A part of a run that depends on nothing but these words. */
export interface Block {
  readonly protocol: string;
  readonly seed: number;
  readonly block: number;
  /** Frames decoded by themselves, and as many more that travel in conversations. */
  readonly alone: number;
  readonly travelling: number;
}
export interface BlockOutcome {
  readonly failures: readonly string[];
  /** Mutants that passed each of `DEPTHS`. */
  readonly passed: readonly number[];
  readonly alone: number;
  readonly travelled: number;
}

const FAILURES_MAX = 10;
const text = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

export async function fuzzBlock({ protocol, seed, block, alone, travelling }: Block): Promise<BlockOutcome> {
  const fuzzer = FUZZERS.find((one) => one.protocol === protocol);
  if (fuzzer === undefined) throw new TypeError(`no protocol ${protocol}`);
  const random = seeded(`${protocol}:${seed}:${block}`);
  const failures: string[] = [];
  const passed = DEPTHS.map(() => 0);
  let done = 0;
  for (; done < alone && failures.length < FAILURES_MAX; done++) {
    const frame = fuzzer.mutant(random);
    try {
      const depth = fuzzer.decode(frame);
      for (let at = 0; at < depth; at++) passed[at] = (passed[at] as number) + 1;
    } catch (error) {
      failures.push(`${text(error)}: ${toHex(frame)}`);
    }
  }
  let travelled = 0;
  for (let round = 0; travelled < travelling && failures.length < FAILURES_MAX; round++)
    try {
      travelled += await fuzzer.conversation(random, block + round);
    } catch (error) {
      travelled++;
      failures.push(`conversation ${round}: ${text(error)}`);
    }
  return { failures: failures.map((one) => `block ${block}: ${one}`), passed, alone: done, travelled };
}
