import { describe, expect, it } from "vitest";
import { described, resourcesOf, templatesOf, VARIANTS } from "../infra/description-fixture.ts";
import { RESOURCE_TYPES } from "../infra/local/resource-types.ts";
import { QUEUES } from "../infra/resources.ts";
import { bareCodeOf, filesOf, importsOf, textOf } from "./source.ts";

/** Where a description and the code that it runs meet: each function is told what it asks for, and nothing else. */
const { service, api, bridge } = templatesOf(described());

/** A source and all that it imports at run time, within `functions/`. */
function reachedFrom(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const atRunTime = textOf(file).replaceAll(/^import type [\s\S]*?;$/gm, "");
  for (const { path } of importsOf(file, atRunTime)) if (path?.startsWith("functions/")) reachedFrom(path, seen);
  return seen;
}

/** Variables of the `settings({ … })` calls in a file: those without which it does not start, and those that it may have. */
function askedIn(file: string): readonly { readonly name: string; readonly optional: boolean }[] {
  const code = bareCodeOf(textOf(file));
  const ofEveryQueue = [...code.matchAll(/`\$\{queue\.toUpperCase\(\)\}(_[A-Z_]+)`/g)].flatMap(([, ending = ""]) =>
    QUEUES.map((queue) => ({ name: queue.toUpperCase() + ending, optional: false })),
  );
  const named = [...code.matchAll(/\bsettings\(\{([\s\S]*?)\}\)/g)].flatMap(([, shape = ""]) =>
    [...shape.matchAll(/\b([A-Z][A-Z_]+):([\s\S]*?)(?=\b[A-Z][A-Z_]+:|$)/g)].map(([, name = "", schema = ""]) => ({
      name,
      optional: /\.(default|optional)\(/.test(schema),
    })),
  );
  return [...named, ...ofEveryQueue];
}

/** Lambda and ECS give these themselves. */
const OF_THE_PLATFORM = ["AWS_REGION"];
/** The deployment's name is told to all. */
const ALWAYS = ["DEPLOYMENT"];

function expectTold(entry: string, given: readonly string[]): void {
  const asked = [...reachedFrom(entry)].flatMap(askedIn);
  const needed = asked.filter(({ optional }) => !optional).map(({ name }) => name);
  expect(given, "what it does not start without").toEqual(
    expect.arrayContaining([...new Set(needed)].filter((name) => !OF_THE_PLATFORM.includes(name))),
  );
  const wanted = new Set([...asked.map(({ name }) => name), ...ALWAYS]);
  expect(
    given.filter((name) => !wanted.has(name)),
    "what it never asks for",
  ).toEqual([]);
}

describe("local mode knows every type of resource that the description has", () => {
  it.each(VARIANTS)("in the $profile profile on a $network network", (context) => {
    const types = Object.values(templatesOf(described(context))).flatMap((template) =>
      resourcesOf(template).map(([, { Type }]) => Type),
    );
    expect([...new Set(types)].filter((type) => !Object.hasOwn(RESOURCE_TYPES, type))).toEqual([]);
  });
});

describe("the description tells", () => {
  const functions = [service, api].flatMap((template) => resourcesOf(template, "AWS::Lambda::Function"));
  const names = filesOf("functions/*/handler.ts").map((file) => file.split("/")[1] ?? "");

  it.each(names)("%s what it asks for and nothing else", (name) => {
    const [, resource] = functions.find(([, { Properties }]) => Properties.FunctionName === `headrace-${name}`) ?? [];
    const environment = resource?.Properties.Environment as { readonly Variables: object } | undefined;
    expectTold(`functions/${name}/handler.ts`, Object.keys(environment?.Variables ?? {}));
  });

  it("the bridge what it asks for and nothing else", () => {
    const [, task] = resourcesOf(bridge, "AWS::ECS::TaskDefinition")[0] ?? [];
    const containers = (task?.Properties.ContainerDefinitions ?? []) as {
      readonly Name: string;
      readonly Environment: readonly { readonly Name: string }[];
    }[];
    const environment = containers.find(({ Name }) => Name === "bridge")?.Environment ?? [];
    expectTold(
      "functions/bridge/main.ts",
      environment.map(({ Name }) => Name),
    );
  });
});
