import { z } from "zod";
import type { Box, Field, Vocabulary } from "./field.ts";

/** What is asked of one fact: exactly one of these, but `from` and `to` may come together. */
export interface Test {
  /** Any of these values. */
  readonly in?: readonly string[] | undefined;
  readonly startsWith?: string | undefined;
  /** In the field's unit, included. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** The instant lies so long ago or longer, or there never was one. */
  readonly olderThanMinutes?: number | undefined;
  /** The instant lies less long ago. */
  readonly withinMinutes?: number | undefined;
  readonly within?: Box | undefined;
  /** Whether there is a value at all. */
  readonly known?: boolean | undefined;
}

export type Logic<F extends string> =
  | { readonly kind: "all" | "any"; readonly of: readonly Condition<F>[] }
  | { readonly kind: "not"; readonly of: Condition<F> };
export type Leaf<F extends string> = { readonly kind: F } & Test;

/**
 * What is asked of a row: tests of fields under `all`, `any` and `not`. Two-valued: where there is no value every test
 * but `known: false` and `olderThanMinutes` fails, and its `not` holds.
 */
export type Condition<F extends string = string> = Logic<F> | Leaf<F>;

const LOGIC: readonly string[] = ["all", "any", "not"];
/** No field may be called as a word of logic is. */
export const isLogic = <F extends string>(condition: Condition<F>): condition is Logic<F> =>
  LOGIC.includes(condition.kind);

/** What a word of logic is about. */
export const partsOf = <F extends string>({ of }: Logic<F>): readonly Condition<F>[] =>
  Array.isArray(of) ? of : [of as Condition<F>];

/** Every test of a condition. */
export const testsIn = <F extends string>(condition: Condition<F>): readonly Leaf<F>[] =>
  isLogic(condition) ? partsOf(condition).flatMap(testsIn) : [condition];

/** A single test is one level, `all` of tests are two. */
export const LEVELS_MAX = 5;
export const NODES_MAX = 64;
/** Values under all `in` of a condition together. */
export const VALUES_MAX = 500;
const BRANCHES_MAX = 20;
const IN_MAX = 100;
const YEAR_MINUTES = 527_040;

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");
const Text = z.string().regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$/u, "expected 1 to 64 printable characters");
const Minutes = z.int().min(1).max(YEAR_MINUTES);
const degrees = (most: number) => z.number().min(-most).max(most);
const BoxSchema = z
  .strictObject({ south: degrees(90), west: degrees(180), north: degrees(90), east: degrees(180) })
  .refine(({ south, north }) => south <= north, { path: ["north"], message: "expected south <= north" });

function testsOf(field: Field): Readonly<Record<string, z.ZodType>> {
  const known = z.boolean();
  const anyOf = <S extends z.ZodType>(value: S) => z.array(value).min(1).max(IN_MAX);
  switch (field.type) {
    case "choice":
      return { in: anyOf(z.enum(field.values as [string, ...string[]])), known };
    case "name":
    case "text": {
      const value = field.type === "name" ? Name : Text;
      return field.many ? { in: anyOf(value), known } : { in: anyOf(value), startsWith: value, known };
    }
    case "number": {
      const bound = z.int().min(field.min).max(field.max);
      return { from: bound, to: bound, known };
    }
    case "age":
      return { olderThanMinutes: Minutes, withinMinutes: Minutes, known };
    case "place":
      return { within: BoxSchema, known };
  }
}

function leafSchema(kind: string, field: Field) {
  const tests = testsOf(field);
  const optional = Object.fromEntries(Object.entries(tests).map(([name, schema]) => [name, schema.optional()]));
  const given = (leaf: object): string =>
    Object.entries(leaf)
      .filter(([name, value]) => name !== "kind" && value !== undefined)
      .map(([name]) => name)
      .sort()
      .join();
  const names = Object.keys(tests);
  const allowed = new Set([...names, ...(field.type === "number" ? ["from,to"] : [])]);
  return z
    .strictObject({ kind: z.literal(kind), ...optional })
    .refine((leaf) => allowed.has(given(leaf)), { message: `expected exactly one of ${names.join(", ")}` })
    .refine(
      (leaf) => !("from" in leaf && "to" in leaf) || Number(leaf.from ?? -Infinity) <= Number(leaf.to ?? Infinity),
      {
        path: ["to"],
        message: "expected from <= to",
      },
    );
}

type Option = z.ZodObject<{ kind: z.ZodLiteral<string> }>;

/** Nodes and values of a condition. */
function sizeOf(condition: Condition): { readonly nodes: number; readonly values: number } {
  if (!isLogic(condition)) return { nodes: 1, values: condition.in?.length ?? 0 };
  const parts = partsOf(condition).map(sizeOf);
  return parts.reduce((sum, part) => ({ nodes: sum.nodes + part.nodes, values: sum.values + part.values }), {
    nodes: 1,
    values: 0,
  });
}

/** For the outermost schema of a filter. */
export const isBounded = (condition: Condition): boolean => {
  const { nodes, values } = sizeOf(condition);
  return nodes <= NODES_MAX && values <= VALUES_MAX;
};
export const BOUNDS = `expected at most ${NODES_MAX} conditions with ${VALUES_MAX} values together`;

/**
 * The kinds of node that a condition over this vocabulary may begin with: options of a union by `kind`. Levels are
 * written out, so that depth is bounded by the schema itself. `title`: what the API's description calls it.
 */
export function conditionOptions(vocabulary: Vocabulary, title: string): readonly [Option, ...Option[]] {
  const leaves = Object.entries(vocabulary).map(([kind, field]) =>
    leafSchema(kind, field).meta({ id: `${title}.${kind}` }),
  ) as unknown as [Option, ...Option[]];
  let options = leaves;
  for (let level = 2; level <= LEVELS_MAX; level++) {
    const inner = z.discriminatedUnion("kind", options).meta({ id: `${title}.${level - 1}` });
    const of = z.array(inner).min(1).max(BRANCHES_MAX);
    options = [
      z.strictObject({ kind: z.literal("all"), of }),
      z.strictObject({ kind: z.literal("any"), of }),
      z.strictObject({ kind: z.literal("not"), of: inner }),
      ...leaves,
    ] as unknown as [Option, ...Option[]];
  }
  return options;
}
