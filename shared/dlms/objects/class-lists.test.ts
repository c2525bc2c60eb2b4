import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { InterfaceClass } from "./interface-class.ts";
import { INTERFACE_CLASSES, interfaceClassOf } from "./interface-classes.ts";
import type { Form } from "./shape.ts";

/** A type's name, the members of a structure, or an array of something. */
type Listed = string | readonly Listed[] | { readonly array: Listed };
interface ListedClass {
  readonly classId: number;
  readonly version: number;
  /** A number: the source tells only how many. */
  readonly attributes: number | readonly Listed[];
  /** Absent: the source tells nothing of them. */
  readonly methods?: number | readonly Listed[];
}
const { lists } = JSON.parse(readFileSync(new URL("../vectors/interface-classes.json", import.meta.url), "utf8")) as {
  readonly lists: readonly { readonly source: string; readonly classes: readonly ListedClass[] }[];
};

/** Octet-strings that hold dates are written either way in these lists. */
const OCTETS = ["octet-string", "date-time", "date", "time"];

function agrees(form: Form, listed: Listed): boolean {
  if (form.kind === "any" || listed === "any") return true;
  if (form.kind === "optional") return agrees(form.of, listed);
  if (typeof listed === "string") {
    if (form.kind === "simple") return form.type === listed;
    return form.kind === "structure" || form.kind === "array" ? form.kind === listed : OCTETS.includes(listed);
  }
  if ("array" in listed) return form.kind === "array" && agrees(form.of, listed.array);
  if (form.kind !== "structure") return false;
  const members = Object.values(form.members);
  return members.length === listed.length && members.every((member, index) => agrees(member, listed[index] as Listed));
}

function differences(ours: InterfaceClass, listed: ListedClass): string[] {
  const found: string[] = [];
  const compare = (what: string, forms: readonly Form[], theirs: number | readonly Listed[]) => {
    const count = typeof theirs === "number" ? theirs : theirs.length;
    if (count !== forms.length) found.push(`${count} ${what}s`);
    if (typeof theirs === "number") return;
    for (const [index, each] of theirs.entries()) {
      const form = forms[index];
      if (form !== undefined && !agrees(form, each))
        found.push(`${what} ${index + (what === "attribute" ? 2 : 1)} ${JSON.stringify(each)}`);
    }
  };
  const [, ...attributes] = Object.values(ours.attributes);
  compare(
    "attribute",
    attributes.map(({ shape }) => shape.form),
    listed.attributes,
  );
  if (listed.methods === undefined) return found;
  compare(
    "method",
    Object.values(ours.methods).map(({ parameter }) => parameter.form),
    listed.methods,
  );
  return found;
}

/** What a source has otherwise, and why the description stays as it is. By class_id and version. */
const DIFFERENCES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  // Says array where its own encoder writes a structure; takes the later repetition_delay for the earlier versions.
  "Gurux.DLMS.Net": {
    "4.0": ['attribute 3 "array"'],
    "5.0": ['attribute 4 "array"'],
    "21.0": ['attribute 3 "array"'],
    "22.0": ['attribute 2 "array"'],
    "28.0": ['attribute 6 "array"'],
    "28.2": ['attribute 6 "array"'],
    // The only one to have connect before version 2.
    "29.1": ["1 methods"],
    "40.0": ['attribute 7 "structure"'],
    "40.1": ['attribute 7 "structure"'],
    "45.0": ['attribute 4 "array"'],
  },
  // Adds a method of its own to registers, and leaves out what it does not use.
  DlmsSPODES: {
    "3.0": ["2 methods"],
    "5.0": ["1 methods"],
    "15.2": ["8 attributes", "4 methods"],
    "42.0": ["0 methods"],
  },
  // Numbers methods 2 and 3 that no other source has.
  jDLMS: { "17.0": ["3 methods"] },
  EnergyICT: {},
  "edition 16": {},
};

describe.each(lists.map(({ source, classes }) => [source, classes] as const))(
  "the class list of %s",
  (source, classes) => {
    test.each(classes.map((each) => [each.classId, each.version, each] as const))(
      "agrees on class %i, version %i, but for what is said of it",
      (classId, version, listed) => {
        const ours = interfaceClassOf(classId, version);
        expect(ours && differences(ours, listed)).toEqual(DIFFERENCES[source]?.[`${classId}.${version}`] ?? []);
      },
    );
  },
);

/** Described by the reference or by one source for another version alone. */
const UNCONFIRMED = ["12.3", "12.4", "24.1", "62.1"];

test("every class is confirmed by a list, but for the few that say so", () => {
  const listed = new Set(lists.flatMap(({ classes }) => classes.map((each) => `${each.classId}.${each.version}`)));
  const missing = INTERFACE_CLASSES.map((each) => `${each.classId}.${each.version}`).filter((key) => !listed.has(key));
  expect(missing).toEqual(UNCONFIRMED);
});
