import { z } from "zod";

/** RFC 9457 problem details, with what was expected of which field. */
export const Problem = z.strictObject({
  /** `urn:headrace:problem:<kind>`: stable. */
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z
    .array(
      z.strictObject({
        /** Dotted path in the body, or a query or path parameter's name. */
        field: z.string(),
        expected: z.string(),
        /** What came, shortened; never of a field that may hold a secret. */
        received: z.string().optional(),
      }),
    )
    .optional(),
  correlationId: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;
export type FieldError = NonNullable<Problem["errors"]>[number];

/** Kinds of problems, each with its status and title. */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request is not as expected" },
  unauthenticated: { status: 401, title: "A valid access token is needed" },
  forbidden: { status: 403, title: "This needs another role" },
  "not-found": { status: 404, title: "There is no such thing" },
  conflict: { status: 409, title: "This conflicts with what is there" },
  "too-large": { status: 413, title: "The request is too large" },
  unprocessable: { status: 422, title: "The request cannot be carried out" },
  unavailable: { status: 503, title: "Try again later" },
  internal: { status: 500, title: "A fault of the headend" },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;
export type ProblemKind = keyof typeof PROBLEMS;

export const problemOf = (kind: ProblemKind, detail: string, errors?: readonly FieldError[]): Problem => ({
  type: `urn:headrace:problem:${kind}`,
  title: PROBLEMS[kind].title,
  status: PROBLEMS[kind].status,
  detail,
  ...(errors === undefined || errors.length === 0 ? {} : { errors: [...errors] }),
});
