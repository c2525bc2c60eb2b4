import type { Problem } from "../../shared/api/problem.ts";

/** What went wrong with a call, in the API's own form (RFC 9457), also where the API was never reached. */
export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem, options?: ErrorOptions) {
    super(`${problem.status} ${problem.title}: ${problem.detail}`, options);
    this.name = "ApiError";
    this.problem = problem;
  }
}

export const unreachable = (url: string): Problem => ({
  type: "urn:headrace:console:unreachable",
  title: "The headend does not answer",
  status: 0,
  detail: `No answer to ${url}.`,
});

/** The problem in a response that is no success; one is made where a proxy answered in its own form. */
export async function problemIn(response: Response): Promise<Problem> {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    const body: unknown = await response.json().catch(() => undefined);
    if (isProblem(body)) return body;
  }
  return {
    type: "urn:headrace:console:unexpected-answer",
    title: "The headend answered in an unexpected form",
    status: response.status,
    detail: `Expected problem details, got ${response.status} ${type === "" ? "without a content type" : type}.`,
  };
}

const isProblem = (body: unknown): body is Problem =>
  typeof body === "object" &&
  body !== null &&
  "title" in body &&
  typeof body.title === "string" &&
  "status" in body &&
  typeof body.status === "number" &&
  "detail" in body &&
  typeof body.detail === "string";

/** What the reader can do about a problem. */
export function adviceOn(problem: Problem): string {
  switch (problem.status) {
    case 0:
      return "Check the network of this computer. The console tries again by itself.";
    case 400:
    case 422:
      return "Correct what is named below and send again.";
    case 401:
      return "Sign in again; what is on this page stays.";
    case 403:
      return "Ask an administrator for the role, or a colleague who has it.";
    case 404:
      return "Check the name. It may have been removed, or never enrolled.";
    case 409:
      return "Load the page again to see how it stands now, then decide.";
    case 413:
      return "Ask for less at once.";
    case 429:
    case 503:
      return "Wait a moment and try again.";
    default:
      return problem.correlationId === undefined
        ? "Try again. If it stays, tell the people who run the headend the time and this page."
        : `Try again. If it stays, give ${problem.correlationId} to the people who run the headend.`;
  }
}

export const problemOfError = (error: unknown): Problem =>
  error instanceof ApiError
    ? error.problem
    : {
        type: "urn:headrace:console:fault",
        title: "A fault of the console",
        status: 500,
        detail: error instanceof Error ? error.message : String(error),
      };
