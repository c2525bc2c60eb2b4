import type { Answer, CallInput } from "../api/client.ts";

export type QueryField = Answer<"listQueryFields">["meters"][number];
export type QueryAsked = CallInput<"previewQuery">["request"];
type Sharing = Answer<"readQuery">["sharing"];

export type TestName =
  | "in"
  | "startsWith"
  | "from"
  | "to"
  | "olderThanMinutes"
  | "withinMinutes"
  | "within"
  | "known"
  | "unknown";

/** One line of the form: text as it was typed. */
export interface ConditionChoice {
  readonly id: number;
  readonly field: string;
  readonly test: TestName;
  readonly not: boolean;
  readonly value: string;
}

export interface QueryChoice {
  readonly over: "meters" | "jobs";
  readonly join: "all" | "any";
  readonly conditions: readonly ConditionChoice[];
}

export const TESTS: Readonly<Record<QueryField["type"], readonly (readonly [TestName, string])[]>> = {
  choice: [
    ["in", "is one of"],
    ["known", "is known"],
    ["unknown", "is not known"],
  ],
  name: [
    ["in", "is one of"],
    ["startsWith", "begins with"],
    ["known", "is known"],
    ["unknown", "is not known"],
  ],
  text: [
    ["in", "is one of"],
    ["startsWith", "begins with"],
    ["known", "is known"],
    ["unknown", "is not known"],
  ],
  number: [
    ["from", "is at least"],
    ["to", "is at most"],
    ["known", "is known"],
    ["unknown", "is not known"],
  ],
  age: [
    ["olderThanMinutes", "minutes ago or longer, or never:"],
    ["withinMinutes", "less than minutes ago:"],
    ["known", "was ever"],
    ["unknown", "never was"],
  ],
  place: [
    ["within", "lies within south, west, north, east:"],
    ["known", "is known"],
    ["unknown", "is not known"],
  ],
};

export const testsFor = ({ type, many }: QueryField): readonly (readonly [TestName, string])[] =>
  many === true ? TESTS[type].filter(([test]) => test !== "startsWith") : TESTS[type];

export const takesValue = (test: TestName): boolean => test !== "known" && test !== "unknown";

/** A line for a field, with its first test. */
export const conditionFor = (id: number, field: QueryField): ConditionChoice => ({
  id,
  field: field.name,
  test: testsFor(field)[0]?.[0] ?? "known",
  not: false,
  value: "",
});

const words = (value: string): readonly string[] =>
  value
    .split(/[,\s]+/)
    .map((one) => one.trim())
    .filter((one) => one !== "");

/** What is expected of a line's value; undefined: it is as expected. */
export function valueRefusal({ test, value }: ConditionChoice, field: QueryField): string | undefined {
  const isWhole = (text: string) => /^\d{1,12}$/.test(text.trim());
  switch (test) {
    case "known":
    case "unknown":
      return undefined;
    case "in":
    case "startsWith":
      return words(value).length === 0 ? `Say which ${field.words}.` : undefined;
    case "within": {
      const degrees = words(value).map(Number);
      return degrees.length === 4 && degrees.every(Number.isFinite)
        ? undefined
        : "Four numbers of degrees are expected: south, west, north, east.";
    }
    case "olderThanMinutes":
    case "withinMinutes":
      return isWhole(value) && Number(value) > 0 ? undefined : "A whole number of minutes is expected.";
    case "from":
    case "to":
      return isWhole(value) ? undefined : `A whole number${field.unit ? ` of ${field.unit}` : ""} is expected.`;
  }
}

function testOf({ test, value }: ConditionChoice): object {
  switch (test) {
    case "known":
    case "unknown":
      return { known: test === "known" };
    case "in":
      return { in: words(value) };
    case "startsWith":
      return { startsWith: value.trim() };
    case "within": {
      const [south, west, north, east] = words(value).map(Number);
      return { within: { south, west, north, east } };
    }
    default:
      return { [test]: Number(value) };
  }
}

/** What the form asks; it has been looked through before. */
export function askedOf({ over, join, conditions }: QueryChoice): QueryAsked {
  const of = conditions.map((condition) => {
    const leaf = { kind: condition.field, ...testOf(condition) };
    return condition.not ? { kind: "not", of: leaf } : leaf;
  });
  return { over, filter: of.length === 1 ? of[0] : { kind: join, of } } as QueryAsked;
}

/** The first line that is not as expected. */
export function choiceRefusal(
  { conditions }: QueryChoice,
  fields: readonly QueryField[],
): { readonly id: number; readonly expected: string } | undefined {
  for (const condition of conditions) {
    const field = fields.find(({ name }) => name === condition.field);
    const expected = field === undefined ? "Choose a fact." : valueRefusal(condition, field);
    if (expected !== undefined) return { id: condition.id, expected };
  }
  return undefined;
}

export function sharingText(sharing: Sharing): string {
  switch (sharing.kind) {
    case "private":
      return "private";
    case "everyone":
      return "everyone";
    case "roles":
      return sharing.roles.join(", ");
  }
}
