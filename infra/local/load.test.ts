import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Assembly, Json, TemplateResource } from "./assembly.ts";
import { loadTemplate } from "./load.ts";
import { explain, explainInMarkdown, RESOURCE_TYPES } from "./resource-types.ts";
import { ParameterStore } from "./ssm.ts";

const addresses = { console: "http://127.0.0.1:4173", api: "http://127.0.0.1:4174", issuer: "http://127.0.0.1:4175" };
const load = (stacks: Record<string, Record<string, TemplateResource>>, extra: object = {}) => {
  const assembly: Assembly = {
    stacks: Object.entries(stacks).map(([name, Resources]) => ({ name, template: { Resources, ...extra } })),
    assets: new Map(),
  };
  return loadTemplate(assembly, addresses, new ParameterStore(), "eu-central-1");
};
const parameter = (Value: Json): TemplateResource => ({
  Type: "AWS::SSM::Parameter",
  Properties: { Name: "p", Value },
});
const resolved = (Value: Json, rest: Record<string, TemplateResource> = {}, extra: object = {}) =>
  load({ Service: { ...rest, P: parameter(Value) } }, extra)
    .ofType("AWS::SSM::Parameter")[0]
    ?.property("Value");

const queue: TemplateResource = { Type: "AWS::SQS::Queue" };
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: Fn::Sub writes its variables so
const rows: readonly { name: string; value: Json; is: Json }[] = [
  { name: "Ref", value: { Ref: "Q" }, is: "http://sqs.invalid/000000000000/Service-Q" },
  { name: "Fn::GetAtt", value: { "Fn::GetAtt": ["Q", "Arn"] }, is: "arn:aws:sqs:eu-central-1:000000000000:Service-Q" },
  { name: "Fn::Join", value: { "Fn::Join": ["/", ["a", { Ref: "AWS::Region" }]] }, is: "a/eu-central-1" },
  { name: "Fn::Sub", value: { "Fn::Sub": ["${AWS::AccountId}-${x}-${!y}", { x: "1" }] }, is: "000000000000-1-${y}" },
  { name: "Fn::Sub with an attribute", value: { "Fn::Sub": "${Q.QueueName}" }, is: "Service-Q" },
  { name: "Fn::Select and Fn::Split", value: { "Fn::Select": [1, { "Fn::Split": ["/", "a/b"] }] }, is: "b" },
  { name: "Fn::If", value: { "Fn::If": ["Yes", "then", { Ref: "AWS::NoValue" }] }, is: "then" },
  { name: "a parameter's default", value: { Ref: "Size" }, is: "large" },
];

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: Fn::Sub writes its variables so

describe("the template loader", () => {
  it.each(rows)("resolves $name", ({ value, is }) => {
    const extra = {
      Conditions: { Yes: { "Fn::Not": [{ "Fn::Equals": [{ Ref: "AWS::Region" }, "us-east-1"] }] } },
      Parameters: { Size: { Type: "String", Default: "large" } },
    };
    expect(resolved(value, { Q: queue }, extra)).toEqual(is);
  });

  it("carries a value from one stack to the next by its SSM parameter", () => {
    const reading = { Parameters: { Asks: { Type: "AWS::SSM::Parameter::Value<String>", Default: "p" } } };
    const { resources } = load(
      { State: { Q: queue, P: parameter({ "Fn::GetAtt": ["Q", "Arn"] }) }, Service: { R: parameter({ Ref: "Asks" }) } },
      reading,
    );
    expect(resources.find(({ logicalId }) => logicalId === "R")?.property("Value")).toContain(":State-Q");
  });

  it("turns AWS addresses into local ones, also where a text is put together from parts", () => {
    const pool: TemplateResource = { Type: "AWS::Cognito::UserPool" };
    const issuer = { "Fn::Join": ["", ["https://cognito-idp.eu-central-1.amazonaws.com/", { Ref: "Pool" }]] };
    expect(resolved(issuer, { Pool: pool })).toBe(addresses.issuer);
  });

  it("leaves out what a condition excludes", () => {
    const conditions = { Conditions: { No: { "Fn::Equals": ["a", "b"] } } };
    const { resources } = load({ Service: { Q: { ...queue, Condition: "No" } } }, conditions);
    expect(resources).toEqual([]);
  });

  it.each([
    { name: "an absent resource", value: { Ref: "Gone" }, says: "Service.P.Value: Ref names Gone" },
    { name: "an unknown attribute", value: { "Fn::GetAtt": ["Q", "Nothing"] }, says: "attribute Nothing of Q" },
    { name: "an unknown function", value: { "Fn::ImportValue": "x" }, says: "Fn::ImportValue is not known" },
    { name: "an unwritten parameter", value: "{{resolve:ssm:/gone}}", says: "SSM parameter /gone" },
  ])("fails on $name and says where", ({ value, says }) => {
    expect(() => resolved(value, { Q: queue })).toThrow(says);
  });

  it("fails on resources that refer to each other", () => {
    const named = (other: string): TemplateResource => ({ ...queue, Properties: { QueueName: { Ref: other } } });
    expect(() => resolved({ Ref: "A" }, { A: named("B"), B: named("A") })).toThrow("A → B → A refer to each other");
  });

  it("refuses a resource type that it does not know, by name, and says what to do", () => {
    expect(() => load({ Service: { Alerts: { Type: "AWS::SNS::Topic" } } })).toThrow(
      /Service: Alerts is a AWS::SNS::Topic, which local mode does not know\..*infra\/local\/resource-types\.ts/,
    );
  });

  it("explains every type that it lists, on the command line and in the documents", () => {
    for (const type of Object.keys(RESOURCE_TYPES)) expect(explain()).toContain(type);
    const page = readFileSync(new URL("../../docs/local-mode.md", import.meta.url), "utf8");
    for (const kind of ["stood up", "inert"] as const) expect(page).toContain(explainInMarkdown(kind));
  });
});
