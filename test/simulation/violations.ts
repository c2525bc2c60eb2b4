/** What the invariants found; the first one ends the seed. */
export interface Violations {
  first: string | undefined;
}

export const violate = (violations: Violations, what: string): void => {
  violations.first ??= what;
};
