import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Assembly, Json } from "./assembly.ts";
import { Task } from "./ecs.ts";
import type { LoadedTemplate } from "./load.ts";
import type { LogSink } from "./log-sink.ts";
import type { StandIns } from "./stand-ins.ts";
import { StartupError } from "./startup-error.ts";
import type { LoadedResource } from "./template.ts";

export interface TaskOptions {
  readonly assembly: Assembly;
  readonly log: LogSink;
  /** Instead of the service's desired count. */
  readonly tasks?: number;
  readonly environment: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, Json>>;
const fields = (value: Json | undefined): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const items = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** A container of the task definition, as far as a process needs it. */
interface Container {
  readonly name: string;
  readonly essential: boolean;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  readonly stopTimeoutMs: number;
}

/** Of every task: on AWS each has one of its own, here each has ports of its own. */
const TASK_ADDRESS = "127.0.0.1";
const STOP_TIMEOUT_S = 30; // ECS' default

function containersOf(definition: LoadedResource): readonly Container[] {
  return items(definition.property("ContainerDefinitions")).map((value) => {
    const container = fields(value);
    return {
      name: String(container.Name),
      essential: container.Essential !== false,
      command: items(container.Command).map(String),
      environment: Object.fromEntries(
        items(container.Environment).map((pair) => [String(fields(pair).Name), String(fields(pair).Value)]),
      ),
      ports: items(container.PortMappings).map((mapping) => Number(fields(mapping).ContainerPort)),
      stopTimeoutMs: Number(container.StopTimeout ?? STOP_TIMEOUT_S) * 1000,
    };
  });
}

/**
 * The file that a container's command runs. The container before it fetches the bundle from the deployment's assets and
 * checks its hash; here the same asset is taken from the assembly, and its hash is checked too.
 */
function bundleOf(
  definition: LoadedResource,
  containers: readonly Container[],
  file: string,
  assembly: Assembly,
): string {
  const where = `${definition.stack}.${definition.logicalId}`;
  const fetcher = containers.find(({ essential, environment }) => !essential && environment.BUNDLE_FILE === file);
  if (fetcher === undefined)
    throw new StartupError(`${where}: no container fetches ${file}; local mode runs bundles that are assets`);
  const { BUNDLE_KEY = "", BUNDLE_SHA256 } = fetcher.environment;
  const path = assembly.assets.get(BUNDLE_KEY);
  if (path === undefined) throw new StartupError(`${where}: bundle ${BUNDLE_KEY} is no asset of the assembly`);
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (digest !== BUNDLE_SHA256)
    throw new StartupError(`${where}: ${path} has SHA-256 ${digest}, expected ${String(BUNDLE_SHA256)}`);
  return path;
}

/** Every task of every service, not started yet. */
export async function deployTasks(template: LoadedTemplate, standIns: StandIns, options: TaskOptions): Promise<Task[]> {
  const definitions = new Map(
    template.ofType("AWS::ECS::TaskDefinition").map((resource) => [resource.physical.ref, resource]),
  );
  const tasks: Task[] = [];
  for (const service of template.ofType("AWS::ECS::Service")) {
    const definition = definitions.get(service.text("TaskDefinition"));
    if (definition === undefined)
      throw new StartupError(`${service.stack}.${service.logicalId}: its task definition is not in the template`);
    const containers = containersOf(definition);
    const [main, ...others] = containers.filter(({ essential }) => essential);
    if (main === undefined || others.length > 0)
      throw new StartupError(
        `${definition.stack}.${definition.logicalId}: local mode runs one essential container a task`,
      );
    const [runtime, ...rest] = main.command;
    const at = rest.findIndex((argument) => !argument.startsWith("-"));
    const file = rest[at];
    if (runtime !== "node" || file === undefined)
      throw new StartupError(`${definition.stack}.${definition.logicalId}: expected the command node [options] FILE`);
    const entry = bundleOf(definition, containers, file, options.assembly);
    const count = options.tasks ?? Number(service.property("DesiredCount") ?? 1);
    for (let number = 1; number <= count; number++) {
      const name = `${main.name}-${number}`;
      const key = standIns.permissions.accessKey(name, definition.text("TaskRoleArn"));
      const { environment, ports } = await withOwnPorts(main);
      const { HEALTH_PORT } = environment;
      tasks.push(
        new Task({
          name,
          entry,
          nodeArgs: rest.slice(0, at),
          args: rest.slice(at + 1),
          env: { ...environment, TASK_ADDRESS, ...standIns.environmentOf(key), ...options.environment },
          ...(HEALTH_PORT === undefined ? {} : { healthUrl: `http://127.0.0.1:${HEALTH_PORT}/healthz` }),
          ports,
          stopTimeoutMs: main.stopTimeoutMs,
          log: (text) => options.log.write(name, text),
        }),
      );
    }
  }
  return tasks;
}

/** On AWS each task has an address of its own; here each gets ports of its own instead, told in the same variables. */
async function withOwnPorts({ environment, ports }: Container) {
  const own: Record<string, string> = { ...environment };
  const taken = new Map<number, number>();
  for (const [name, value] of Object.entries(environment)) {
    const port = Number(value);
    if (!name.endsWith("_PORT") || !ports.includes(port)) continue;
    taken.set(port, taken.get(port) ?? (await freePort()));
    own[name] = String(taken.get(port));
  }
  return { environment: own, ports: taken };
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
