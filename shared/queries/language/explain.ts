import { type Condition, isLogic, type Leaf, partsOf } from "./condition.ts";
import type { Field, Vocabulary } from "./field.ts";

/** A condition as an English sentence. `rows`: "Meters", "Jobs". */
export const explain = <F extends string>(condition: Condition<F>, vocabulary: Vocabulary<F>, rows: string): string =>
  `${rows} of which ${phrase(condition, vocabulary, false)}.`;

function phrase<F extends string>(condition: Condition<F>, vocabulary: Vocabulary<F>, inner: boolean): string {
  if (!isLogic(condition)) return leafPhrase(condition, vocabulary[condition.kind]);
  const parts = partsOf(condition);
  const [only] = parts;
  if (only !== undefined && condition.kind === "not") return `not (${phrase(only, vocabulary, false)})`;
  if (only !== undefined && parts.length === 1) return phrase(only, vocabulary, inner);
  const joined = parts.map((part) => phrase(part, vocabulary, true)).join(condition.kind === "all" ? " and " : " or ");
  return inner ? `(${joined})` : joined;
}

function leafPhrase(test: Leaf<string>, field: Field): string {
  const { words } = field;
  if (test.known !== undefined) {
    if (field.type === "age") return test.known ? `there was a ${words}` : `there never was a ${words}`;
    return test.known ? `the ${words} is known` : `the ${words} is not known`;
  }
  const many = "many" in field && field.many === true;
  if (test.in !== undefined) return `${many ? "one" : "the"} ${words} is ${listed(test.in)}`;
  if (test.startsWith !== undefined) return `the ${words} begins with ${test.startsWith}`;
  if (test.within !== undefined) {
    const { south, west, north, east } = test.within;
    return `the ${words} lies between ${south}° and ${north}° north and from ${west}° to ${east}° east`;
  }
  if (test.olderThanMinutes !== undefined)
    return `the ${words} was ${duration(test.olderThanMinutes)} ago or longer, or never`;
  if (test.withinMinutes !== undefined) return `the ${words} was less than ${duration(test.withinMinutes)} ago`;
  const unit = field.type === "number" && field.unit !== "" ? ` ${field.unit}` : "";
  if (test.from !== undefined && test.from === test.to) return `the ${words} is ${test.from}${unit}`;
  if (test.from !== undefined && test.to !== undefined) return `the ${words} is from ${test.from} to ${test.to}${unit}`;
  return test.from === undefined
    ? `the ${words} is at most ${test.to}${unit}`
    : `the ${words} is at least ${test.from}${unit}`;
}

function listed(values: readonly string[]): string {
  const [last, ...others] = values.toReversed();
  return others.length === 0 ? `${last}` : `${others.reverse().join(", ")} or ${last}`;
}

/** The largest unit that says it whole. */
function duration(minutes: number): string {
  const [size, unit] = minutes % 1440 === 0 ? [1440, "day"] : minutes % 60 === 0 ? [60, "hour"] : [1, "minute"];
  const amount = minutes / size;
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}
