import type { z } from "zod";
import type { FieldError } from "./problem.ts";

type Issue = z.core.$ZodIssue;

/** Fields of these names may hold secrets: what came is never shown. */
const SECRET_FIELD = /key|secret|password/i;
/** Longest echo of what came, characters. */
const ECHO = 80;
/** Most errors of one request that are told. */
const ERRORS_MAX = 100;

const FORMATS: Readonly<Record<string, string>> = {
  datetime: "an instant in ISO 8601, e.g. 2026-01-31T00:00:00Z",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  hostname: "a host name",
};

function expectationOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return "no such field";
    case "invalid_format":
      if (issue.format in FORMATS) return FORMATS[issue.format] as string;
      break;
    case "invalid_union": {
      const { options } = issue as { readonly options?: readonly unknown[] };
      if (options !== undefined) return `one of ${options.map(String).join(", ")}`;
      const alternatives = issue.errors.flatMap((errors) => errors.slice(0, 1).map(expectationOf));
      return [...new Set(alternatives)].join(" or ");
    }
    default:
  }
  return issue.message.replace(/^.*?\bexpected\s+/i, "").replaceAll('"', "");
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step];
  }
  return value;
}

/** What came, shortened; nothing of a field that may hold a secret, nor of a whole object. */
function receivedAt(input: unknown, path: readonly PropertyKey[]): string | undefined {
  if (path.some((step) => SECRET_FIELD.test(String(step)))) return undefined;
  const value = valueAt(input, path);
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  const text = String(value);
  return text.length > ECHO ? `${text.slice(0, ECHO)}…` : text;
}

/** A schema's complaints about `input`, each with field, expectation and what came. */
export function fieldErrorsOf(error: z.core.$ZodError, input: unknown, whole: string): FieldError[] {
  const errors = error.issues.flatMap((issue): FieldError[] => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({
        field: [...issue.path, key].map(String).join("."),
        expected: expectationOf(issue),
      }));
    const received = receivedAt(input, issue.path);
    return [
      {
        field: issue.path.length === 0 ? whole : issue.path.map(String).join("."),
        expected: expectationOf(issue),
        ...(received === undefined ? {} : { received }),
      },
    ];
  });
  return errors.slice(0, ERRORS_MAX);
}
