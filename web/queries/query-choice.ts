import type { Answer, CallInput } from "../api/client.ts";

export type QueryField = Answer<"listQueryFields">["meters"][number];
export type QueryAsked = CallInput<"previewQuery">["request"];
type Sharing = Answer<"readQuery">["sharing"];

export type TestName =
  | "in"
  | "startsWith"
  | "from"
  | "to"
  | "between"
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

/** Lines and groups that are joined. */
export interface GroupChoice {
  readonly id: number;
  readonly join: "all" | "any";
  readonly not: boolean;
  readonly of: readonly NodeChoice[];
}
export type NodeChoice = ConditionChoice | GroupChoice;
export const isGroup = (node: NodeChoice): node is GroupChoice => "of" in node;

export interface QueryChoice {
  readonly over: "meters" | "jobs";
  readonly root: GroupChoice;
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
    ["between", "is from … to …:"],
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

/** Words by commas or blanks; what has one of them in it stands in double quotes, a quote in it doubled. */
const words = (value: string): readonly string[] =>
  [...value.matchAll(/"((?:[^"]|"")*)"|([^,\s"]+)/g)].map(([, quoted, bare = ""]) =>
    quoted === undefined ? bare : quoted.replaceAll('""', '"'),
  );
const wordsText = (values: readonly string[]): string =>
  values.map((value) => (/^[^,\s"]+$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`)).join(", ");

/** What is expected of a line's value; undefined: it is as expected. */
export function valueRefusal({ test, value }: ConditionChoice, field: QueryField): string | undefined {
  const isWhole = (text: string) => /^\d{1,12}$/.test(text.trim());
  switch (test) {
    case "known":
    case "unknown":
      return undefined;
    case "in":
      return words(value).length === 0 ? `Say which ${field.words}.` : undefined;
    case "startsWith":
      return words(value).length === 1 ? undefined : `Say how ${field.words} begins; with blanks, in double quotes.`;
    case "within": {
      const degrees = words(value).map(Number);
      return degrees.length === 4 && degrees.every(Number.isFinite)
        ? undefined
        : "Four numbers of degrees are expected: south, west, north, east.";
    }
    case "olderThanMinutes":
    case "withinMinutes":
      return isWhole(value) && Number(value) > 0 ? undefined : "A whole number of minutes is expected.";
    case "between": {
      const [from, to, ...others] = words(value);
      const isRange =
        from !== undefined && to !== undefined && isWhole(from) && isWhole(to) && Number(from) <= Number(to);
      return isRange && others.length === 0 ? undefined : "Two whole numbers are expected, the lower one first.";
    }
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
      return { startsWith: words(value)[0] };
    case "between": {
      const [from, to] = words(value).map(Number);
      return { from, to };
    }
    case "within": {
      const [south, west, north, east] = words(value).map(Number);
      return { within: { south, west, north, east } };
    }
    default:
      return { [test]: Number(value) };
  }
}

type Filter = { readonly kind: string } & Readonly<Record<string, unknown>>;

const negated = (filter: Filter, not: boolean): Filter => (not ? { kind: "not", of: filter } : filter);

/** The filter that a node is. A group of one is that one. */
function filterOf(node: NodeChoice, not = node.not): Filter {
  if (!isGroup(node)) return negated({ kind: node.field, ...testOf(node) }, not);
  const [only, ...others] = node.of;
  if (only !== undefined && others.length === 0) return filterOf(only, only.not !== not);
  return negated({ kind: node.join, of: node.of.map((one) => filterOf(one)) }, not);
}

/** What the form asks; it has been looked through before. */
export const askedOf = ({ over, root }: QueryChoice): QueryAsked => ({ over, filter: filterOf(root) }) as QueryAsked;

/** Levels of a node's filter, and its nodes. */
export function sizeOf(node: NodeChoice): { readonly levels: number; readonly nodes: number } {
  const own = node.not ? 1 : 0;
  if (!isGroup(node)) return { levels: 1 + own, nodes: 1 + own };
  const parts = node.of.map(sizeOf);
  return {
    levels: 1 + own + Math.max(0, ...parts.map(({ levels }) => levels)),
    nodes: 1 + own + parts.reduce((sum, { nodes }) => sum + nodes, 0),
  };
}

/** How deep a node lies: the levels that the groups above it take. Undefined: it is not there. */
export function depthOf(root: NodeChoice, id: number): number | undefined {
  if (root.id === id) return 0;
  if (!isGroup(root)) return undefined;
  const own = root.not ? 2 : 1;
  for (const one of root.of) {
    const depth = depthOf(one, id);
    if (depth !== undefined) return own + depth;
  }
  return undefined;
}

export const nextId = (node: NodeChoice): number =>
  1 + Math.max(node.id, ...(isGroup(node) ? node.of.map((one) => nextId(one) - 1) : []));

/** The tree with one node as `change` makes it; undefined: without it. */
export function changed(
  group: GroupChoice,
  id: number,
  change: (node: NodeChoice) => NodeChoice | undefined,
): GroupChoice {
  return {
    ...group,
    of: group.of.flatMap((one) =>
      one.id === id ? (change(one) ?? []) : isGroup(one) ? changed(one, id, change) : one,
    ),
  };
}

/** Facts of the short form of a filter, under the names that a condition has for them. */
const SHORT = ["commodity", "profile", "group", "feeder", "transformer", "collector"] as const;

/** The form of any valid filter; `asks` the same again. */
export function choiceOf(over: QueryChoice["over"], filter: object): QueryChoice {
  let id = 0;
  const leaf = ({ kind, ...test }: Filter): ConditionChoice => {
    const line = (name: TestName, value = ""): ConditionChoice => ({
      id: ++id,
      field: kind,
      test: name,
      not: false,
      value,
    });
    if (test.known !== undefined) return line(test.known === true ? "known" : "unknown");
    if (Array.isArray(test.in)) return line("in", wordsText(test.in as string[]));
    if (typeof test.startsWith === "string") return line("startsWith", wordsText([test.startsWith]));
    if (test.within !== undefined) {
      const { south, west, north, east } = test.within as Readonly<Record<string, number>>;
      return line("within", [south, west, north, east].join(", "));
    }
    if (test.from !== undefined && test.to !== undefined) return line("between", `${test.from}, ${test.to}`);
    const [name = "known", value] = Object.entries(test).find(([, one]) => one !== undefined) ?? [];
    return line(name as TestName, String(value));
  };
  const node = (given: Filter): NodeChoice => {
    if (given.kind === "not") {
      const inner = node(given.of as Filter);
      return { ...inner, not: !inner.not };
    }
    if (given.kind !== "all" && given.kind !== "any") return leaf(given);
    return { id: ++id, join: given.kind, not: false, of: (given.of as Filter[]).map(node) };
  };
  const root = node(longForm(filter));
  return { over, root: isGroup(root) ? root : { id: ++id, join: "all", not: false, of: [root] } };
}

function longForm(filter: object): Filter {
  const { kind, ...rest } = filter as Partial<Filter>;
  if (kind !== undefined && kind !== "members") return filter as Filter;
  const { idPrefix } = rest as { readonly idPrefix?: string };
  const of: Filter[] = SHORT.flatMap((name) => (rest[name] === undefined ? [] : [{ kind: name, in: rest[name] }]));
  return { kind: "all", of: [...of, ...(idPrefix === undefined ? [] : [{ kind: "meterId", startsWith: idPrefix }])] };
}

/** The first line that is not as expected. */
export function choiceRefusal(
  node: NodeChoice,
  fields: readonly QueryField[],
): { readonly id: number; readonly expected: string } | undefined {
  if (isGroup(node)) {
    for (const one of node.of) {
      const refusal = choiceRefusal(one, fields);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }
  const field = fields.find(({ name }) => name === node.field);
  const expected = field === undefined ? "Choose a fact." : valueRefusal(node, field);
  return expected === undefined ? undefined : { id: node.id, expected };
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
