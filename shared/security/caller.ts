import type { Caller } from "../jobs/job.ts";
import { isRole, type Role } from "./roles.ts";

/** Claims of an access token as an authorizer hands them on: strings mostly, lists as lists or as `[a b]`. */
export type Claims = Readonly<Record<string, unknown>>;

export type CallerOutcome =
  | { readonly kind: "caller"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly field: string; readonly expected: string; readonly received?: string };

const SCOPE_PREFIX = "headrace/";
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** API Gateway flattens a list claim to `[a b]`; issuers and tests hand over a list. */
function list(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((entry) => typeof entry === "string");
  return (text(value) ?? "")
    .replace(/^\[(.*)\]$/, "$1")
    .split(/[\s,]+/)
    .filter((entry) => entry !== "");
}

/**
 * Who calls, by the claims of a verified Cognito access token. People have their roles by group, machine clients by
 * scope (`headrace/<role>`): a person's token never gains a role by a scope of the client it came through.
 */
export function callerOf(claims: Claims): CallerOutcome {
  const use = text(claims.token_use);
  if (use !== "access")
    return {
      kind: "refused",
      field: "authorization",
      expected: "an access token (token_use: access)",
      ...(use === undefined ? {} : { received: use }),
    };
  const subject = text(claims.sub);
  const client = text(claims.client_id);
  const person = subject !== undefined && subject !== client;
  const id = person ? subject : client;
  if (id === undefined) return { kind: "refused", field: "authorization", expected: "a token with sub or client_id" };
  const names = person
    ? list(claims["cognito:groups"])
    : list(claims.scope).flatMap((scope) => (scope.startsWith(SCOPE_PREFIX) ? [scope.slice(SCOPE_PREFIX.length)] : []));
  const roles: Role[] = [...new Set(names.filter(isRole))];
  const name = person ? text(claims.username) : undefined;
  return { kind: "caller", caller: { id: id.slice(0, 256), ...(name === undefined ? {} : { name }), roles } };
}
