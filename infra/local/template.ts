import type { Json, Stack, TemplateResource } from "./assembly.ts";
import { StartupError } from "./startup-error.ts";

/** What other resources see of a resource: the value of Ref and of each Fn::GetAtt. */
export interface Physical {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

/** Values of the account that a template may ask for. */
export interface Pseudo {
  readonly region: string;
  readonly account: string;
  readonly partition: string;
}

/** A resource of a stack with its intrinsics resolved; each property is resolved when it is asked for. */
export interface LoadedResource {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly physical: Physical;
  property(name: string): Json | undefined;
  /** Throws when the property is absent or no string. */
  text(name: string): string;
}

export interface ResolverContext {
  readonly pseudo: Pseudo;
  /** Names and attributes of a resource; asked for once a resource, and only when somebody refers to it. */
  physicalOf(resource: Omit<LoadedResource, "physical">): Physical;
  /** A parameter that an earlier stack (or this one) has written. */
  parameter(name: string): string | undefined;
  /** Applied to every text after its intrinsics are resolved: AWS addresses become local ones. */
  rewrite(text: string): string;
}

type Intrinsic = (argument: Json, at: string) => Json | undefined;
type Mapping = Readonly<Record<string, Json>>;

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Resolves one stack's template. Whatever it cannot resolve is a StartupError that says where it stands. */
export class StackResolver {
  readonly stack: Stack;
  readonly #context: ResolverContext;
  readonly #physical = new Map<string, Physical>();
  readonly #resolving: string[] = [];
  readonly #conditions = new Map<string, boolean>();

  constructor(stack: Stack, context: ResolverContext) {
    this.stack = stack;
    this.#context = context;
  }

  /** The resources whose condition holds. */
  resources(): readonly LoadedResource[] {
    return Object.entries(this.stack.template.Resources)
      .filter(([, resource]) => this.#exists(resource))
      .map(([logicalId]) => this.resource(logicalId));
  }

  resource(logicalId: string): LoadedResource {
    const bare = this.#bare(logicalId);
    const physicalOf = () => this.#physicalOf(logicalId);
    return {
      ...bare,
      get physical() {
        return physicalOf();
      },
    };
  }

  /** Resolves intrinsics; `at` says where the value stands, for the error. */
  resolve(value: Json, at: string): Json | undefined {
    if (typeof value === "string") return this.#dynamic(value, at);
    if (isList(value))
      return value.map((item, index) => this.resolve(item, `${at}[${index}]`)).filter((item) => item !== undefined);
    if (!isObject(value)) return value;
    const [name, ...others] = Object.keys(value);
    if (name !== undefined && others.length === 0 && (name === "Ref" || name.startsWith("Fn::"))) {
      const intrinsic = this.#intrinsics[name];
      if (intrinsic === undefined)
        return this.#fail(at, `${name} is not known to local mode (infra/local/template.ts)`);
      return intrinsic(value[name] as Json, at);
    }
    const resolved = Object.entries(value)
      .map(([key, item]) => [key, this.resolve(item, `${at}.${key}`)] as const)
      .filter((entry): entry is readonly [string, Json] => entry[1] !== undefined);
    return Object.fromEntries(resolved);
  }

  readonly #intrinsics: Readonly<Record<string, Intrinsic>> = {
    Ref: (argument, at) => this.#ref(String(argument), at),
    "Fn::GetAtt": (argument, at) => {
      const [logicalId, ...path] = isList(argument) ? argument.map(String) : String(argument).split(".");
      const attribute = path.join(".");
      if (logicalId === undefined || this.stack.template.Resources[logicalId] === undefined)
        return this.#fail(at, `Fn::GetAtt names ${logicalId}, which is no resource of the stack`);
      const found = this.#physicalOf(logicalId).attributes[attribute];
      if (found === undefined) {
        const { Type } = this.stack.template.Resources[logicalId];
        return this.#fail(at, `attribute ${attribute} of ${logicalId} (${Type}) is not known to local mode`);
      }
      return found;
    },
    "Fn::Join": (argument, at) => {
      if (!isList(argument)) return this.#fail(at, "Fn::Join expects [delimiter, list]");
      const list = this.resolve(argument[1] ?? [], at);
      if (!isList(list)) return this.#fail(at, "Fn::Join expects a list");
      return list.map(String).join(String(argument[0]));
    },
    "Fn::Sub": (argument, at) => {
      const [text, variables] = isList(argument) ? argument : [argument, {}];
      return String(text).replaceAll(/\$\{([^!}][^}]*)\}|\$\{!([^}]*)\}/g, (_, name: string | undefined, literal) => {
        if (name === undefined) return `\${${literal}}`;
        const own = isObject(variables) ? variables[name] : undefined;
        if (own !== undefined) return String(this.resolve(own, at));
        return String(name.includes(".") ? this.#intrinsics["Fn::GetAtt"]?.(name, at) : this.#ref(name, at));
      });
    },
    "Fn::Select": (argument, at) => {
      const [index, list] = isList(argument) ? argument : [];
      const items = this.resolve(list ?? null, at);
      const found = isList(items) ? items[Number(index)] : undefined;
      return found ?? this.#fail(at, `Fn::Select finds nothing at ${index}`);
    },
    "Fn::Split": (argument, at) => {
      const [delimiter, text] = isList(argument) ? argument : [];
      return String(this.resolve(text ?? "", at)).split(String(delimiter));
    },
    "Fn::If": (argument, at) => {
      const [condition, then, otherwise] = isList(argument) ? argument : [];
      return this.resolve((this.#condition(String(condition), at) ? then : otherwise) ?? null, at);
    },
    "Fn::Equals": (argument, at) => {
      const [left, right] = isList(argument) ? argument.map((item) => this.resolve(item, at)) : [];
      return JSON.stringify(left) === JSON.stringify(right);
    },
    "Fn::Not": (argument, at) => isList(argument) && !this.#holds(argument[0], at),
    "Fn::And": (argument, at) => isList(argument) && argument.every((item) => this.#holds(item, at)),
    "Fn::Or": (argument, at) => isList(argument) && argument.some((item) => this.#holds(item, at)),
    "Fn::FindInMap": (argument, at) => {
      const [map, first, second] = isList(argument) ? argument.map((item) => String(this.resolve(item, at))) : [];
      const table = this.stack.template.Mappings?.[map ?? ""] as Mapping | undefined;
      return (
        (table?.[first ?? ""] as Mapping | undefined)?.[second ?? ""] ?? this.#fail(at, `no ${map}.${first}.${second}`)
      );
    },
    "Fn::Base64": (argument, at) => Buffer.from(String(this.resolve(argument, at))).toString("base64"),
    "Fn::GetAZs": () => ["a", "b", "c"].map((zone) => `${this.#context.pseudo.region}${zone}`),
  };

  #bare(logicalId: string): Omit<LoadedResource, "physical"> {
    const resource = this.stack.template.Resources[logicalId];
    if (resource === undefined) throw new StartupError(`${this.stack.name} has no resource ${logicalId}`);
    const property = (name: string): Json | undefined => {
      const value = resource.Properties?.[name];
      const resolved = value === undefined ? undefined : this.resolve(value, `${this.stack.name}.${logicalId}.${name}`);
      return resolved === undefined ? undefined : this.#rewrite(resolved);
    };
    return {
      stack: this.stack.name,
      logicalId,
      type: resource.Type,
      property,
      text: (name) => {
        const value = property(name);
        if (typeof value === "string") return value;
        throw new StartupError(`${this.stack.name}.${logicalId} (${resource.Type}) has no text property ${name}`);
      },
    };
  }

  #physicalOf(logicalId: string): Physical {
    const known = this.#physical.get(logicalId);
    if (known !== undefined) return known;
    if (this.#resolving.includes(logicalId))
      throw new StartupError(`${this.stack.name}: ${[...this.#resolving, logicalId].join(" → ")} refer to each other`);
    this.#resolving.push(logicalId);
    const physical = this.#context.physicalOf(this.#bare(logicalId));
    this.#resolving.pop();
    this.#physical.set(logicalId, physical);
    return physical;
  }

  #ref(name: string, at: string): Json | undefined {
    const { region, account, partition } = this.#context.pseudo;
    switch (name) {
      case "AWS::Region":
        return region;
      case "AWS::AccountId":
        return account;
      case "AWS::Partition":
        return partition;
      case "AWS::URLSuffix":
        return "amazonaws.com";
      case "AWS::StackName":
        return this.stack.name;
      case "AWS::StackId":
        return `arn:${partition}:cloudformation:${region}:${account}:stack/${this.stack.name}/local`;
      case "AWS::NoValue":
        return undefined;
    }
    if (this.stack.template.Resources[name] !== undefined) return this.#physicalOf(name).ref;
    const parameter = this.stack.template.Parameters?.[name];
    if (parameter === undefined) return this.#fail(at, `Ref names ${name}, which the stack does not have`);
    if (parameter.Default === undefined)
      return this.#fail(at, `parameter ${name} has no default, and a local deployment is asked for none`);
    if (!parameter.Type.startsWith("AWS::SSM::Parameter::Value<")) return parameter.Default;
    return this.#parameter(String(parameter.Default), at);
  }

  #parameter(name: string, at: string): string {
    const value = this.#context.parameter(name);
    return value ?? this.#fail(at, `no stack before ${this.stack.name} writes the SSM parameter ${name}`);
  }

  /** `{{resolve:ssm:/name}}`, also with a version. */
  #dynamic(text: string, at: string): string {
    return text.replaceAll(/\{\{resolve:([a-z-]+):([^}]*?)(?::\d+)?\}\}/g, (whole, service: string, name: string) =>
      service === "ssm" ? this.#parameter(name, at) : this.#fail(at, `${whole} is not known to local mode`),
    );
  }

  /** Whole values only: an address may have been put together from parts. */
  #rewrite(value: Json): Json {
    if (typeof value === "string") return this.#context.rewrite(value);
    if (isList(value)) return value.map((item) => this.#rewrite(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#rewrite(item)]));
  }

  #exists(resource: TemplateResource): boolean {
    return resource.Condition === undefined || this.#condition(resource.Condition, `condition ${resource.Condition}`);
  }

  #condition(name: string, at: string): boolean {
    const known = this.#conditions.get(name);
    if (known !== undefined) return known;
    const condition = this.stack.template.Conditions?.[name];
    if (condition === undefined) return this.#fail(at, `there is no condition ${name}`);
    const holds = this.#holds(condition, at);
    this.#conditions.set(name, holds);
    return holds;
  }

  #holds(value: Json | undefined, at: string): boolean {
    if (isObject(value) && typeof value.Condition === "string") return this.#condition(value.Condition, at);
    return this.resolve(value ?? null, at) === true;
  }

  #fail(at: string, message: string): never {
    throw new StartupError(`${at}: ${message}`);
  }
}
