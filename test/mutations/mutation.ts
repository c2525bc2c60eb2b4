/** A fault put into the product on purpose: tests that do not notice it test nothing. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Occurs exactly once in the file; a mutation that no longer fits is an error, not a pass. */
  readonly original: string;
  readonly mutated: string;
  /** Test files that must go red. */
  readonly tests: readonly string[];
}
