import { type Condition, isLogic, type Leaf, partsOf } from "./condition.ts";
import type { Field, Vocabulary } from "./field.ts";

const MINUTE_MS = 60_000;

/** A condition as a WHERE clause of DuckDB; values are parameters `$p1`, `$p2`, …, and nothing of the caller's is text of it. */
export interface SqlCondition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/**
 * The clause that holds where `evaluate` says true. Columns are called as the fields are: text for words and names, a
 * list of text for several, BIGINT of the unit or of clock ms; a place is the columns `latitude` and `longitude`.
 * `prefix`: of the names of the parameters.
 */
export function sqlOf<F extends string>(
  condition: Condition<F>,
  vocabulary: Vocabulary<F>,
  nowMs: number,
  prefix = "p",
): SqlCondition {
  const parameters: Record<string, string | number> = {};
  let bound = 0;
  const bind = (value: string | number): string => {
    const name = `${prefix}${++bound}`;
    parameters[name] = value;
    return `$${name}`;
  };
  const render = (part: Condition<F>): string => {
    if (!isLogic(part)) return leafSql(part, vocabulary[part.kind], nowMs, bind);
    const parts = partsOf(part).map(render);
    return part.kind === "not" ? `(NOT ${parts.join()})` : `(${parts.join(part.kind === "all" ? " AND " : " OR ")})`;
  };
  return { sql: render(condition), parameters };
}

/** Never NULL: where there is no value, the test fails (or holds, where it says so). */
function leafSql(test: Leaf<string>, field: Field, nowMs: number, bind: (value: string | number) => string): string {
  const many = "many" in field && field.many === true;
  const column = field.type === "place" ? "latitude" : `"${test.kind}"`;
  if (test.known !== undefined) {
    const present = many ? `coalesce(len(${column}) > 0, false)` : `(${column} IS NOT NULL)`;
    return test.known ? present : `(NOT ${present})`;
  }
  const orFalse = (sql: string): string => `coalesce(${sql}, false)`;
  if (test.in !== undefined) {
    const values = test.in.map(bind).join(", ");
    return orFalse(many ? `list_has_any(${column}, [${values}])` : `${column} IN (${values})`);
  }
  if (test.startsWith !== undefined) return orFalse(`starts_with(${column}, ${bind(test.startsWith)})`);
  if (test.within !== undefined) {
    const { south, west, north, east } = test.within;
    const longitude = `longitude >= ${bind(west)} ${west <= east ? "AND" : "OR"} longitude <= ${bind(east)}`;
    return orFalse(`(latitude >= ${bind(south)} AND latitude <= ${bind(north)} AND (${longitude}))`);
  }
  const ago = (minutes: number): string => bind(nowMs - minutes * MINUTE_MS);
  if (test.olderThanMinutes !== undefined) return `coalesce(${column} <= ${ago(test.olderThanMinutes)}, true)`;
  if (test.withinMinutes !== undefined) return orFalse(`${column} > ${ago(test.withinMinutes)}`);
  const bounds = [
    ...(test.from === undefined ? [] : [`${column} >= ${bind(test.from)}`]),
    ...(test.to === undefined ? [] : [`${column} <= ${bind(test.to)}`]),
  ];
  return orFalse(`(${bounds.join(" AND ")})`);
}
