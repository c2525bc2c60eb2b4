import { join } from "node:path";
import type { Clock } from "../../shared/ports/clock.ts";
import { readAssembly } from "./assembly.ts";
import { deployBalancer } from "./deploy-balancer.ts";
import { deployApi, deployConsole, deployIssuer, type Identity } from "./deploy-edge.ts";
import { deployFunctions, startTriggers } from "./deploy-functions.ts";
import { deployIot } from "./deploy-iot.ts";
import { deployState } from "./deploy-state.ts";
import { deployTasks } from "./deploy-tasks.ts";
import type { DisturbanceRates } from "./dynamodb-disturbance.ts";
import type { ProcessView, Task } from "./ecs.ts";
import type { LocalAnswer } from "./http-api.ts";
import { IssuerDirectory } from "./issuer-directory.ts";
import { type Addresses, type LoadedTemplate, loadTemplate } from "./load.ts";
import type { LogSink } from "./log-sink.ts";
import { ParameterStore } from "./ssm.ts";
import { openStandIns, type StandIns } from "./stand-ins.ts";
import { StartupError } from "./startup-error.ts";

export interface DeployOptions {
  /** Folder of the cloud assembly. */
  readonly assembly: string;
  readonly addresses: Addresses;
  readonly dataDir?: string;
  readonly log: LogSink;
  readonly clock: Clock;
  /** Into every function's and task's environment besides the template's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Bridge tasks instead of the service's desired count. */
  readonly tasks?: number;
  readonly disturbance?: DisturbanceRates;
  /** When tables and roles are there, and nothing runs yet. */
  readonly beforeRunning?: (template: LoadedTemplate, standIns: StandIns) => Promise<void>;
}

export interface Deployment {
  readonly template: LoadedTemplate;
  readonly standIns: StandIns;
  readonly addresses: Addresses;
  readonly identity: Identity;
  readonly clock: Clock;
  /** Ports of the load balancer's listeners on this machine. */
  readonly listeners: ReadonlyMap<number, number>;
  processes(): readonly ProcessView[];
  /** Answers GET of a path under /local at the API's port, to whoever asks on this machine. */
  /** Answers a route of local mode's own, as `GET /local/wake`. */
  answerLocally(route: string, answer: LocalAnswer): void;
  /** Everything that runs ends, in the order in which nothing loses what it needs. */
  close(): Promise<void>;
}

const REGION = "eu-central-1";
const HEALTHY_WITHIN_MS = 30_000;

/** Stands the synthesised template up. Rejects with StartupError for what a user can put right. */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { addresses, dataDir, log } = options;
  const assembly = readAssembly(options.assembly);
  const parameters = new ParameterStore();
  const template = loadTemplate(assembly, addresses, parameters, REGION);
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const standIns = await openStandIns({
      pseudo: template.pseudo,
      parameters,
      log: (text) => log.write("mqtt-broker", text),
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(options.disturbance === undefined ? {} : { disturbance: options.disturbance }),
    });
    closing.push(() => standIns.close());
    await deployState(template, standIns);
    deployIot(template, standIns);
    await options.beforeRunning?.(template, standIns);

    const running = { assembly, log, clock: options.clock, environment: options.environment ?? {} };
    deployFunctions(template, standIns, running);
    const directory = new IssuerDirectory(dataDir === undefined ? undefined : join(dataDir, "issuer"));
    const identity = await deployIssuer(template, directory, addresses, log);
    closing.push(() => identity.server.close());
    standIns.cognito.put(identity.users);

    let tasks: Task[] = [];
    const processes = (): readonly ProcessView[] =>
      tasks.map((task) => task.view()).filter((view) => view !== undefined);
    // For tests and for looking around with the AWS command line; whoever is on this machine may ask.
    const administrator = standIns.environmentOf(
      standIns.permissions.administratorKey("administrator of this machine"),
    );
    const aws = () => ({
      ...Object.fromEntries(
        Object.entries(tasks[0]?.settings.env ?? {}).filter(([name]) => /_(?:TABLE|BUCKET|QUEUE_URL)$/.test(name)),
      ),
      ...administrator,
    });
    const own = new Map<string, LocalAnswer>([
      ["GET /local/processes", () => ({ bridges: processes(), aws: aws() })],
      ["GET /local/writes", () => ({ tables: standIns.db.writes })],
    ]);
    const api = deployApi(template, standIns, own);
    await api.start(Number(new URL(addresses.api).port));
    closing.push(() => api.close());
    const site = await deployConsole(template, assembly, standIns, api, addresses);
    if (site !== undefined) closing.push(() => site.close());

    const triggers = startTriggers(template, standIns, running);
    closing.push(() => triggers.stop());
    const count = options.tasks === undefined ? {} : { tasks: options.tasks };
    tasks = await deployTasks(template, standIns, { ...running, ...count });
    for (const task of tasks) task.start();
    closing.push(async () => void (await Promise.all(tasks.map((task) => task.stop()))));
    const deadline = Date.now() + HEALTHY_WITHIN_MS;
    for (const task of tasks)
      if (!(await task.healthy(deadline)))
        throw new StartupError(
          `${task.settings.name} is not healthy after ${HEALTHY_WITHIN_MS / 1000} s. It said:\n${log.tail(task.settings.name)}`,
        );
    const balancer = await deployBalancer(template, tasks, (text) => log.write("load-balancer", text));
    closing.push(() => balancer.close());
    const answerLocally = (route: string, answer: LocalAnswer): void => void own.set(route, answer);
    const { clock } = options;
    const listeners = balancer.ports;
    return { template, standIns, addresses, identity, clock, listeners, processes, answerLocally, close };
  } catch (error) {
    await close();
    throw error;
  }
}
