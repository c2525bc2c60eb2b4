import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { synthesise } from "../synth.ts";
import { type Assembly, readAssembly, type TemplateResource } from "./assembly.ts";
import { deployState } from "./deploy-state.ts";
import { type LoadedTemplate, loadTemplate } from "./load.ts";
import { RESOURCE_TYPES } from "./resource-types.ts";
import { ParameterStore } from "./ssm.ts";
import { openStandIns } from "./stand-ins.ts";

const addresses = { console: "http://127.0.0.1:4173", api: "http://127.0.0.1:4174", issuer: "http://127.0.0.1:4175" };
const directory = mkdtempSync(join(tmpdir(), "headrace-synthesised-"));
const PROFILES = ["coop", "utility"] as const;

describe.each(PROFILES)("the synthesised description, profile %s", (profile) => {
  let assembly: Assembly;
  beforeAll(async () => {
    const outDir = join(directory, profile);
    // Without bundles: what is looked at here is the template alone.
    await synthesise({ outDir, context: { profile, "aws:cdk:bundling-stacks": [] } });
    assembly = readAssembly(outDir);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const load = (changed: Assembly = assembly): LoadedTemplate =>
    loadTemplate(changed, addresses, new ParameterStore(), "eu-central-1");
  const changed = (change: (resources: Record<string, TemplateResource>, stack: string) => void): Assembly => ({
    ...assembly,
    stacks: assembly.stacks.map(({ name, template }) => {
      const Resources = structuredClone(template.Resources) as Record<string, TemplateResource>;
      change(Resources, name);
      return { name, template: { ...template, Resources } };
    }),
  });

  it("resolves every property of what is stood up", () => {
    const template = load();
    const stacks = new Map(assembly.stacks.map((stack) => [stack.name, stack.template.Resources]));
    let resolved = 0;
    for (const resource of template.resources) {
      if (RESOURCE_TYPES[resource.type]?.kind !== "stood up") continue;
      for (const name of Object.keys(stacks.get(resource.stack)?.[resource.logicalId]?.Properties ?? {})) {
        if (resource.type.startsWith("AWS::ElasticLoadBalancingV2") || name === "NetworkConfiguration") continue;
        expect(JSON.stringify(resource.property(name) ?? null)).not.toContain("Fn::");
        resolved++;
      }
    }
    expect(resolved).toBeGreaterThan(300);
  });

  it("tells functions and bridge the names of its tables, queues and buckets", async () => {
    const template = load();
    const standIns = await openStandIns({ pseudo: template.pseudo, parameters: new ParameterStore() });
    await deployState(template, standIns);
    const named = template
      .ofType("AWS::Lambda::Function")
      .flatMap((one) =>
        Object.entries((one.property("Environment") as { Variables?: object } | undefined)?.Variables ?? {}),
      );
    for (const [name, value] of named as [string, string][]) {
      if (name.endsWith("_QUEUE_URL")) expect(standIns.queues.sqs.getQueue(value)?.url).toBe(value);
      if (name.endsWith("_BUCKET")) expect(standIns.queues.s3.hasBucket(value)).toBe(true);
      if (name.endsWith("_TABLE")) await standIns.db.call("DescribeTable", { TableName: value });
    }
    expect(named.filter(([name]) => name.endsWith("_TABLE")).length).toBeGreaterThan(10);
    await standIns.close();
  });

  it("with a topic added is refused by name", () => {
    const withTopic = changed((resources, stack) => {
      if (stack === "Headrace-Service") resources.Outages = { Type: "AWS::SNS::Topic" };
    });
    expect(() => load(withTopic)).toThrow("Headrace-Service: Outages is a AWS::SNS::Topic");
  });

  it("with a queue renamed tells the new name to all who use it", () => {
    const renamed = changed((resources) => {
      for (const [id, resource] of Object.entries(resources))
        if (resource.Properties?.QueueName === "headrace-results")
          resources[id] = { ...resource, Properties: { ...resource.Properties, QueueName: "elsewhere" } };
    });
    const template = load(renamed);
    const tasks = JSON.stringify(
      template.ofType("AWS::ECS::TaskDefinition").map((one) => one.property("ContainerDefinitions")),
    );
    expect(tasks).toContain('"RESULTS_QUEUE_URL","Value":"http://sqs.invalid/000000000000/elsewhere"');
    expect(template.ofType("AWS::Lambda::EventSourceMapping")[0]?.text("EventSourceArn")).toContain(":elsewhere");
    const policies = JSON.stringify(template.ofType("AWS::IAM::Policy").map((one) => one.property("PolicyDocument")));
    expect(policies).not.toContain(':headrace-results"');
  });
});
