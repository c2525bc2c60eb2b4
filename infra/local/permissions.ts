import { randomBytes } from "node:crypto";
import type { Json } from "./assembly.ts";

/** An Allow statement of a role, its intrinsics resolved. */
interface Statement {
  readonly actions: readonly RegExp[];
  readonly resources: readonly RegExp[];
  readonly conditions: readonly Condition[];
}
interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

export interface Role {
  readonly arn: string;
  readonly name: string;
}

/** Who signs a request: one access key for each function and each task definition. */
export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

export interface Principal {
  /** As it stands in messages: the function's or task's name. */
  readonly name: string;
  readonly roleArn: string;
}

/** What a request tells that a statement's conditions may ask for, by condition key in lower case. */
export type RequestContext = Readonly<Record<string, readonly string[]>>;

const list = (value: Json | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)];

/** IAM's wildcards: `*` any run of characters, `?` any one. */
const pattern = (text: string, flags = ""): RegExp =>
  new RegExp(
    `^${text
      .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", "[\\s\\S]*")
      .replaceAll("?", "[\\s\\S]")}$`,
    flags,
  );

const OPERATORS = new Set(["bool", "stringequals", "stringlike", "arnequals", "arnlike", "stringequalsignorecase"]);

/** A condition that local mode cannot evaluate, or whose key the request does not have, never holds. */
function holds(condition: Condition, context: RequestContext): boolean {
  const [, quantifier, operator] =
    /^(?:(forallvalues|foranyvalue):)?(.*?)(?:ifexists)?$/.exec(condition.operator) ?? [];
  if (operator === undefined || !OPERATORS.has(operator)) return false;
  const given = context[condition.key];
  if (given === undefined) return condition.operator.endsWith("ifexists") || quantifier === "forallvalues";
  const wild = operator === "stringlike" || operator.startsWith("arn");
  const matches = (value: string) =>
    condition.values.some((allowed) => (wild ? pattern(allowed).test(value) : allowed === value));
  return quantifier === "forallvalues" ? given.every(matches) : given.some(matches);
}

function statementOf(value: Json): Statement | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const statement = value as Readonly<Record<string, Json>>;
  if (statement.Effect !== "Allow") return undefined;
  const conditions: Condition[] = [];
  for (const [operator, tests] of Object.entries((statement.Condition ?? {}) as Readonly<Record<string, Json>>))
    for (const [key, values] of Object.entries(tests as Readonly<Record<string, Json>>))
      conditions.push({ operator: operator.toLowerCase(), key: key.toLowerCase(), values: list(values) });
  return {
    actions: list(statement.Action).map((action) => pattern(action, "i")),
    resources: list(statement.Resource).map((resource) => pattern(resource)),
    conditions,
  };
}

/**
 * The roles of the template and what they allow. Only Allow statements of identity policies are evaluated: a missing
 * grant fails here as it does on AWS; explicit denials, resource policies and boundaries are not looked at.
 */
export class Permissions {
  readonly #statements = new Map<string, Statement[]>();
  readonly #keys = new Map<string, Principal & { readonly secret: string }>();

  /** Adds a policy document's statements to a role. */
  grant(roleArn: string, document: Json | undefined): void {
    const statements = (document as { readonly Statement?: Json } | undefined)?.Statement;
    const added = (Array.isArray(statements) ? statements : statements === undefined ? [] : [statements])
      .map(statementOf)
      .filter((statement) => statement !== undefined);
    this.#statements.set(roleArn, [...(this.#statements.get(roleArn) ?? []), ...added]);
  }

  /** A new access key whose requests are made in the role. */
  accessKey(name: string, roleArn: string): AccessKey {
    const key = {
      id: `AKLOCAL${randomBytes(7).toString("hex").toUpperCase()}`,
      secret: randomBytes(20).toString("hex"),
    };
    this.#keys.set(key.id, { name, roleArn, secret: key.secret });
    return key;
  }

  /** A new access key to all tables, queues and objects, which nobody in the template has; keys stay sealed to it. */
  administratorKey(name: string): AccessKey {
    const roleArn = `local:administrator:${name}`;
    this.grant(roleArn, {
      Statement: [{ Effect: "Allow", Action: ["dynamodb:*", "s3:*", "sqs:*"], Resource: "*" }],
    });
    return this.accessKey(name, roleArn);
  }

  /** By the access key id of an `Authorization` header or of a presigned URL's credential; the signature is not verified. */
  principal(credential: string | undefined): Principal | undefined {
    const id = /(?:Credential=)?(AKLOCAL[0-9A-F]{14})\//.exec(credential ?? "")?.[1];
    return id === undefined ? undefined : this.#keys.get(id);
  }

  /** For presigned URLs, the only signatures that are verified. */
  secretOf(accessKeyId: string): string | undefined {
    return this.#keys.get(accessKeyId)?.secret;
  }

  allows(roleArn: string, action: string, resource: string, context: RequestContext = {}): boolean {
    return (this.#statements.get(roleArn) ?? []).some(
      (statement) =>
        statement.actions.some((allowed) => allowed.test(action)) &&
        statement.resources.some((allowed) => allowed.test(resource)) &&
        statement.conditions.every((condition) => holds(condition, context)),
    );
  }

  /** Undefined when allowed; else the message that AWS gives. */
  refusal(principal: Principal, action: string, resource: string, context: RequestContext = {}): string | undefined {
    if (this.allows(principal.roleArn, action, resource, context)) return undefined;
    return (
      `${principal.name} (${principal.roleArn}) is not authorized to perform: ${action} on resource: ${resource} ` +
      "because no identity-based policy allows the action"
    );
  }
}
