import { type Condition, isLogic, type Leaf, partsOf } from "./condition.ts";
import type { Box, Fact, Place, Row } from "./field.ts";

const MINUTE_MS = 60_000;

/**
 * Whether a row matches; undefined: the row leaves out what would decide it. `nowMs`: what ages count from. Pure: the
 * same rule for previews, for planning and for the last look before a meter is asked; `sqlOf` says it to a database.
 */
export function evaluate<F extends string>(condition: Condition<F>, row: Row<F>, nowMs: number): boolean | undefined {
  if (!isLogic(condition)) {
    const fact = row[condition.kind];
    return fact === undefined ? undefined : holds(condition, fact, nowMs);
  }
  const decides = condition.kind === "any";
  let result: boolean | undefined = !decides;
  for (const part of partsOf(condition)) {
    const one = evaluate(part, row, nowMs);
    if (condition.kind === "not") return one === undefined ? undefined : !one;
    if (one === decides) return decides;
    if (one === undefined) result = undefined;
  }
  return result;
}

function holds(test: Leaf<string>, fact: Fact, nowMs: number): boolean {
  if (test.known !== undefined) return test.known === (fact !== null && !(Array.isArray(fact) && fact.length === 0));
  if (fact === null) return test.olderThanMinutes !== undefined;
  if (test.in !== undefined) {
    const { in: values } = test;
    return Array.isArray(fact) ? fact.some((one) => values.includes(one)) : values.includes(fact as string);
  }
  if (test.startsWith !== undefined) return (fact as string).startsWith(test.startsWith);
  if (test.within !== undefined) return isWithin(test.within, fact as Place);
  const value = fact as number;
  if (test.olderThanMinutes !== undefined) return value <= nowMs - test.olderThanMinutes * MINUTE_MS;
  if (test.withinMinutes !== undefined) return value > nowMs - test.withinMinutes * MINUTE_MS;
  return value >= (test.from ?? -Infinity) && value <= (test.to ?? Infinity);
}

const isWithin = ({ south, west, north, east }: Box, { latitude, longitude }: Place): boolean =>
  latitude >= south &&
  latitude <= north &&
  (west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east);
