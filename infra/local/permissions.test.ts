import { describe, expect, it } from "vitest";
import type { Json } from "./assembly.ts";
import { Permissions } from "./permissions.ts";

const ROLE = "arn:aws:iam::000000000000:role/reader";
const TABLE = "arn:aws:dynamodb:eu-central-1:000000000000:table/ledger";
const allowing = (...statements: Json[]): Permissions => {
  const permissions = new Permissions();
  permissions.grant(ROLE, { Statement: statements });
  return permissions;
};
const allow = (Action: Json, Resource: Json, Condition: Json = {}): Json => ({
  Effect: "Allow",
  Action,
  Resource,
  Condition,
});

const rows: readonly { name: string; statement: Json; action: string; resource: string; allowed: boolean }[] = [
  {
    name: "the very action",
    statement: allow("dynamodb:GetItem", TABLE),
    action: "dynamodb:GetItem",
    resource: TABLE,
    allowed: true,
  },
  {
    name: "another action",
    statement: allow("dynamodb:GetItem", TABLE),
    action: "dynamodb:PutItem",
    resource: TABLE,
    allowed: false,
  },
  {
    name: "an action in other case",
    statement: allow("DynamoDB:getitem", TABLE),
    action: "dynamodb:GetItem",
    resource: TABLE,
    allowed: true,
  },
  {
    name: "a wildcard of actions",
    statement: allow("dynamodb:*", TABLE),
    action: "dynamodb:Query",
    resource: TABLE,
    allowed: true,
  },
  {
    name: "a wildcard within an action",
    statement: allow("kms:ReEncrypt*", "*"),
    action: "kms:ReEncryptTo",
    resource: "key",
    allowed: true,
  },
  {
    name: "an index of the table",
    statement: allow("dynamodb:Query", TABLE),
    action: "dynamodb:Query",
    resource: `${TABLE}/index/due`,
    allowed: false,
  },
  {
    name: "any index",
    statement: allow("dynamodb:Query", `${TABLE}/index/*`),
    action: "dynamodb:Query",
    resource: `${TABLE}/index/due`,
    allowed: true,
  },
  {
    name: "a table whose name begins so",
    statement: allow("dynamodb:Query", TABLE),
    action: "dynamodb:Query",
    resource: `${TABLE}2`,
    allowed: false,
  },
  { name: "one of several", statement: allow(["a:b", "c:d"], ["x", "y"]), action: "c:d", resource: "y", allowed: true },
  {
    name: "a dot, which is no wildcard",
    statement: allow("a:b", "x.y"),
    action: "a:b",
    resource: "xzy",
    allowed: false,
  },
];

describe("permissions", () => {
  it.each(rows)("judge $name: $allowed", ({ statement, action, resource, allowed }) => {
    expect(allowing(statement).allows(ROLE, action, resource)).toBe(allowed);
  });

  it("take only Allow statements, of the role's own policies", () => {
    const denied = allowing({ Effect: "Deny", Action: "*", Resource: "*" }, allow("a:b", "*"));
    expect(denied.allows(ROLE, "a:b", "x")).toBe(true);
    expect(denied.allows("another role", "a:b", "x")).toBe(false);
  });

  it("hold a condition only when the request has its key and a value that is asked for", () => {
    const like = allowing(allow("a:b", "*", { StringLike: { "kms:EncryptionContext:branch-key-id": "headrace-*" } }));
    const context = (value: string) => ({ "kms:encryptioncontext:branch-key-id": [value] });
    expect(like.allows(ROLE, "a:b", "x", context("headrace-3"))).toBe(true);
    expect(like.allows(ROLE, "a:b", "x", context("elsewhere-3"))).toBe(false);
    expect(like.allows(ROLE, "a:b", "x")).toBe(false);
    const all = allowing(allow("a:b", "*", { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["1", "2"] } }));
    expect(all.allows(ROLE, "a:b", "x", { "dynamodb:leadingkeys": ["1", "2"] })).toBe(true);
    expect(all.allows(ROLE, "a:b", "x", { "dynamodb:leadingkeys": ["1", "3"] })).toBe(false);
  });

  it("never hold a condition with an operator that they do not know", () => {
    const dated = allowing(allow("a:b", "*", { DateLessThan: { "aws:CurrentTime": "2100-01-01" } }));
    expect(dated.allows(ROLE, "a:b", "x", { "aws:currenttime": ["2026-01-01"] })).toBe(false);
  });

  it("know who signs by the access key id, and nobody by another", () => {
    const permissions = allowing(allow("a:b", "x"));
    const { id } = permissions.accessKey("submit-job", ROLE);
    const principal = permissions.principal(`AWS4-HMAC-SHA256 Credential=${id}/20260101/eu-central-1/sqs/aws4_request`);
    expect(principal).toMatchObject({ name: "submit-job", roleArn: ROLE });
    expect(permissions.principal("AWS4-HMAC-SHA256 Credential=AKIAELSEWHERE/20260101")).toBeUndefined();
    expect(principal && permissions.refusal(principal, "a:c", "x")).toBe(
      `submit-job (${ROLE}) is not authorized to perform: a:c on resource: x because no identity-based policy allows the action`,
    );
  });
});
