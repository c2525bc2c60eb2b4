import fc from "fast-check";
import type { Condition, Leaf } from "./condition.ts";
import type { Fact, Field, Row, Vocabulary } from "./field.ts";

/** Few values, so that tests and rows meet; some that only look alike. */
const NAMES = ["A", "a", "A1", "A1.b", "B_2", "C-3"];
const TEXTS = ["v1", "v1.2", "V1", "1.0 β", "x%", "x_"];
const NUMBERS = [0, 1, 2, 7, 1000];
const MINUTES = [1, 2, 60, 1440];
const MINUTE_MS = 60_000;
const DEGREES = [-180, -90, -10, 0, 10.5, 90, 180];

const pick = <T>(values: readonly T[]) => fc.constantFrom(...values);
const some = (values: readonly string[]) => fc.uniqueArray(pick(values), { minLength: 1, maxLength: 3 });
const latitude = pick(DEGREES.filter((degree) => Math.abs(degree) <= 90));

const valuesOf = (field: Field): readonly string[] =>
  field.type === "choice" ? field.values.slice(0, 4) : field.type === "text" ? TEXTS : NAMES;

function testOf(field: Field): fc.Arbitrary<object> {
  const known = fc.record({ known: fc.boolean() });
  switch (field.type) {
    case "choice":
      return fc.oneof(fc.record({ in: some(valuesOf(field)) }), known);
    case "name":
    case "text": {
      const values = valuesOf(field);
      const isIn = fc.record({ in: some(values) });
      return field.many ? fc.oneof(isIn, known) : fc.oneof(isIn, known, fc.record({ startsWith: pick(values) }));
    }
    case "number":
      return fc.oneof(
        fc.record({ from: pick(NUMBERS) }),
        fc.record({ to: pick(NUMBERS) }),
        fc
          .tuple(pick(NUMBERS), pick(NUMBERS))
          .map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) })),
        known,
      );
    case "age":
      return fc.oneof(
        fc.record({ olderThanMinutes: pick(MINUTES) }),
        fc.record({ withinMinutes: pick(MINUTES) }),
        known,
      );
    case "place":
      return fc.oneof(
        known,
        fc.tuple(latitude, latitude, pick(DEGREES), pick(DEGREES)).map(([one, other, west, east]) => ({
          within: { south: Math.min(one, other), north: Math.max(one, other), west, east },
        })),
      );
  }
}

/** Conditions of up to `levels` levels over the vocabulary. */
export function conditions<F extends string>(vocabulary: Vocabulary<F>, levels: number): fc.Arbitrary<Condition<F>> {
  const leaf = pick(Object.entries<Field>(vocabulary)).chain(([kind, field]) =>
    testOf(field).map((test) => ({ kind, ...test }) as Leaf<F>),
  );
  if (levels === 1) return leaf;
  const inner = conditions(vocabulary, levels - 1);
  const of = fc.array(inner, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    leaf,
    fc.record({ kind: pick(["all", "any"] as const), of }),
    fc.record({ kind: fc.constant("not" as const), of: inner }),
  );
}

function factOf(field: Field, nowMs: number): fc.Arbitrary<Fact> {
  switch (field.type) {
    case "choice":
    case "name":
    case "text": {
      const value = pick(valuesOf(field));
      return "many" in field && field.many ? fc.uniqueArray(value, { maxLength: 3 }) : value;
    }
    case "number":
      return pick(NUMBERS);
    case "age":
      return fc
        .tuple(pick([0, ...MINUTES]), pick([-1, 0, 1]))
        .map(([minutes, edge]) => nowMs - minutes * MINUTE_MS + edge);
    case "place":
      return fc.record({ latitude, longitude: pick(DEGREES) });
  }
}

/** Whole rows: each field has a fact, often null. */
export const rows = <F extends string>(vocabulary: Vocabulary<F>, nowMs: number): fc.Arbitrary<Required<Row<F>>> =>
  fc.record(
    Object.fromEntries(
      Object.entries<Field>(vocabulary).map(([name, field]) => [
        name,
        fc.oneof({ arbitrary: fc.constant(null), weight: 1 }, { arbitrary: factOf(field, nowMs), weight: 2 }),
      ]),
    ),
  ) as unknown as fc.Arbitrary<Required<Row<F>>>;
