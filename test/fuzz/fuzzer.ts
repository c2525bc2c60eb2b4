import type { Random } from "../../shared/ports/random.ts";

/** How deep a mutant gets: past the framing, to an APDU in clear, to application data in it. */
export const DEPTHS = ["framing", "apdu", "data"] as const;

/**
 * What the fuzz command needs of one protocol. To add a protocol: such an object in a file of its own, and a row in
 * `fuzzers.ts`.
 */
export interface Fuzzer {
  /** As on the command line. */
  readonly protocol: string;
  /** A mutated frame as it comes from the line, drawn from `random` alone. */
  readonly mutant: (random: Random) => Uint8Array;
  /**
   * Runs a frame through every decoder; answers how many of `DEPTHS` it passed. A typed error of the decoders is an
   * answer; whatever else it throws is a failure.
   */
  readonly decode: (frame: Uint8Array) => number;
  /**
   * A whole conversation, client and meter, with frames mutated on the way; answers how many. It must end with a result
   * or a typed error. `round` counts from 0: different rounds may take different ways.
   */
  readonly conversation: (random: Random, round: number) => Promise<number>;
}

/** Shares of the mutants that must at least get so far, or the run says nothing. */
export const DEPTH_MIN: Readonly<Record<(typeof DEPTHS)[number], number>> = { framing: 0.3, apdu: 0.1, data: 0.05 };
