import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Assembly, Json } from "./assembly.ts";
import { EventSource } from "./event-source.ts";
import type { LoadedTemplate } from "./load.ts";
import type { LogSink } from "./log-sink.ts";
import { periodOf, Schedule } from "./scheduler.ts";
import type { StandIns } from "./stand-ins.ts";
import { StartupError } from "./startup-error.ts";
import type { LoadedResource } from "./template.ts";

export interface FunctionOptions {
  readonly assembly: Assembly;
  readonly log: LogSink;
  readonly clock: Clock;
  /** Into every function's environment besides the template's: the clock's setting. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Threads of one function at most: two cores gain nothing from more, and what waits is served in its turn. */
const ENVIRONMENTS_MAX = 4;

const fields = (value: Json | undefined): Readonly<Record<string, Json>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, Json>>) : {};

/** Functions with their roles; event sources and schedules come later, when all else is up. */
export function deployFunctions(template: LoadedTemplate, standIns: StandIns, options: FunctionOptions): void {
  const { permissions, lambda } = standIns;
  // The one custom resource is played by local mode itself, so its provider is not run.
  const providers = new Set(template.ofType("Custom::CDKBucketDeployment").map((one) => one.property("ServiceToken")));
  const retries = new Map(
    template
      .ofType("AWS::Lambda::EventInvokeConfig")
      .map((config) => [config.property("FunctionName"), config.property("MaximumRetryAttempts")]),
  );
  const layers = new Map(
    template
      .ofType("AWS::Lambda::LayerVersion")
      .map((layer) => [layer.physical.ref, assetOf(layer, "Content", options.assembly)]),
  );
  for (const resource of template.ofType("AWS::Lambda::Function")) {
    const { ref: name, attributes } = resource.physical;
    const functionArn = String(attributes.Arn);
    if (providers.has(functionArn)) continue;
    const { entry, exportName } = codeOf(resource, options.assembly);
    const memoryMb = Number(resource.property("MemorySize") ?? 128);
    const reserved = Number(resource.property("ReservedConcurrentExecutions") ?? ENVIRONMENTS_MAX);
    lambda.add({
      entry,
      exportName,
      functionName: name,
      functionArn,
      memoryMb,
      timeoutMs: Number(resource.property("Timeout") ?? 3) * 1000,
      environmentsMax: Math.max(1, Math.min(ENVIRONMENTS_MAX, reserved)),
      retries: Number(retries.get(name) ?? 2),
      log: (text) => options.log.write(name, text),
      env: {
        ...Object.fromEntries(
          Object.entries(fields(fields(resource.property("Environment")).Variables)).map(([key, value]) => [
            key,
            String(value),
          ]),
        ),
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
        AWS_EXECUTION_ENV: `AWS_Lambda_${String(resource.property("Runtime") ?? "nodejs24.x")}`,
        AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
        ...layersOf(resource, layers),
        ...standIns.environmentOf(permissions.accessKey(name, resource.text("Role"))),
        ...options.environment,
      },
    });
  }
}

/** The asset of a function's code or a layer's content on this machine. */
function assetOf(resource: LoadedResource, property: "Code" | "Content", { assets }: Assembly): string {
  const { S3Key } = fields(resource.property(property));
  const folder = assets.get(String(S3Key));
  if (folder === undefined)
    throw new StartupError(
      `${resource.stack}.${resource.logicalId}: its ${property.toLowerCase()} ${String(S3Key)} is no asset of the assembly`,
    );
  return folder;
}

/** Lambda's search path: what its layers hold, for `require`. */
function layersOf(resource: LoadedResource, layers: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const named = resource.property("Layers");
  if (!Array.isArray(named) || named.length === 0) return {};
  const folders = named.map((name) => {
    const folder = layers.get(String(name));
    if (folder === undefined)
      throw new StartupError(`${resource.stack}.${resource.logicalId}: ${String(name)} is no layer of the template`);
    return join(folder, "nodejs", "node_modules");
  });
  return { NODE_PATH: folders.join(delimiter) };
}

function codeOf(resource: LoadedResource, assembly: Assembly): { entry: string; exportName: string } {
  const where = `${resource.stack}.${resource.logicalId}`;
  const runtime = String(resource.property("Runtime") ?? "");
  if (!runtime.startsWith("nodejs"))
    throw new StartupError(`${where}: runtime ${runtime} is not stood up locally; functions are Node.js`);
  const [file = "index", exportName = "handler"] = resource.text("Handler").split(".");
  const { ZipFile } = fields(resource.property("Code"));
  if (typeof ZipFile === "string")
    return { entry: `data:text/javascript;base64,${Buffer.from(ZipFile).toString("base64")}`, exportName };
  const folder = assetOf(resource, "Code", assembly);
  const entry = [".mjs", ".js", ".cjs"]
    .map((ending) => join(folder, `${file}${ending}`))
    .find((path) => existsSync(path));
  if (entry === undefined) throw new StartupError(`${where}: ${folder} has no ${file}.mjs or ${file}.js`);
  return { entry, exportName };
}

export interface Triggers {
  stop(): Promise<void>;
}

/** Starts what makes functions run by themselves. */
export function startTriggers(template: LoadedTemplate, standIns: StandIns, options: FunctionOptions): Triggers {
  const { lambda, queues, permissions, pseudo } = standIns;
  const targetOf = (resource: LoadedResource, reference: string) => {
    const found = lambda.find(reference);
    if (found === undefined)
      throw new StartupError(`${resource.stack}.${resource.logicalId}: ${reference} is no function of the template`);
    return found;
  };
  const roles = new Map(
    template.ofType("AWS::Lambda::Function").map((resource) => [resource.physical.ref, resource.property("Role")]),
  );

  const sources = template.ofType("AWS::Lambda::EventSourceMapping").map((mapping) => {
    const arn = mapping.text("EventSourceArn");
    const target = targetOf(mapping, mapping.text("FunctionName"));
    const queue = queues.sqs.getQueueByArn(arn);
    if (queue === undefined)
      throw new StartupError(`${mapping.stack}.${mapping.logicalId}: ${arn} is no queue of the template`);
    for (const action of ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
      if (!permissions.allows(String(roles.get(target.name)), `sqs:${action}`, arn))
        throw new StartupError(
          `${mapping.stack}.${mapping.logicalId}: the role of ${target.name} does not allow sqs:${action} on ${arn}`,
        );
    const types = mapping.property("FunctionResponseTypes");
    const most = Number(fields(mapping.property("ScalingConfig")).MaximumConcurrency ?? ENVIRONMENTS_MAX);
    return new EventSource(queues.sqs, {
      queue,
      target,
      batchSize: Number(mapping.property("BatchSize") ?? 10),
      windowMs: Number(mapping.property("MaximumBatchingWindowInSeconds") ?? 0) * 1000,
      concurrency: Math.min(most, ENVIRONMENTS_MAX),
      reportsItemFailures: Array.isArray(types) && types.includes("ReportBatchItemFailures"),
      region: pseudo.region,
      log: (text) => options.log.write(target.name, text),
    });
  });

  const schedules = template.ofType("AWS::Scheduler::Schedule").flatMap((resource) => {
    if (resource.property("State") === "DISABLED") return [];
    const { Arn, RoleArn, Input } = fields(resource.property("Target"));
    const target = targetOf(resource, String(Arn));
    if (!permissions.allows(String(RoleArn), "lambda:InvokeFunction", target.arn))
      throw new StartupError(
        `${resource.stack}.${resource.logicalId}: its role does not allow lambda:InvokeFunction on ${target.arn}`,
      );
    return [
      new Schedule({
        name: resource.physical.ref,
        arn: String(resource.physical.attributes.Arn),
        periodMs: periodOf(resource.text("ScheduleExpression")),
        target,
        input: String(Input ?? "{}"),
        clock: options.clock,
      }),
    ];
  });
  for (const schedule of schedules) schedule.start();
  return {
    stop: async () => {
      for (const schedule of schedules) schedule.stop();
      await Promise.all(sources.map((source) => source.stop()));
    },
  };
}
