import { HeadraceError } from "../ports/errors.ts";
import { below, type Random } from "../ports/random.ts";

/** Shares of a town's meters by name, each 0 to 1. */
export type Shares<Name extends string> = Readonly<Partial<Record<Name, number>>>;

/** Reads `NAME=SHARE[,NAME=SHARE…]`; throws `town.<what>s` for anything else. An empty text is no share. */
export function parseShares<Name extends string>(what: string, names: readonly Name[], text: string): Shares<Name> {
  const refuse = (message: string): HeadraceError => new HeadraceError(`town.${what}s`, message, { retry: "never" });
  const shares: Partial<Record<Name, number>> = {};
  for (const part of text.split(",").filter((each) => each.trim() !== "")) {
    const [given, share, ...rest] = part.split("=").map((each) => each.trim());
    const name = names.find((each) => each === given);
    if (name === undefined) throw refuse(`expected a ${what} of ${names.join(", ")}, got ${JSON.stringify(given)}`);
    const value = Number(share);
    if (rest.length > 0 || share === undefined || share === "" || !(value >= 0 && value <= 1))
      throw refuse(`expected ${name}=SHARE with a share of 0 to 1, got ${JSON.stringify(part)}`);
    if (shares[name] !== undefined) throw refuse(`expected ${name} once, got it twice`);
    shares[name] = value;
  }
  return shares;
}

/** 0, 1, … `count` − 1 in an order of chance. */
export function shuffled(random: Random, count: number): readonly number[] {
  const indices = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = below(random, last + 1);
    [indices[last], indices[other]] = [indices[other]!, indices[last]!];
  }
  return indices;
}
