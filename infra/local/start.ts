import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { clockSettingFrom, clockText, productClock } from "./clock.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { type Deployment, deploy } from "./deploy.ts";
import { enrolTown, storeGroupRoute } from "./enrol-town.ts";
import type { Addresses } from "./load.ts";
import { ApiError, type LocalApi, localApi } from "./local-api.ts";
import { type LogSink, logSink } from "./log-sink.ts";
import type { Sleepers } from "./meter-sleeper.ts";
import { Progress } from "./progress.ts";
import { type OnceResult, readOnce } from "./read-once.ts";
import { explain } from "./resource-types.ts";
import { beginEpoch } from "./restore.ts";
import { HELP, type StartOptions, startOptions } from "./start-options.ts";
import { StartupError } from "./startup-error.ts";
import { synthesiseInto } from "./synthesis.ts";
import { METER_PORTS } from "./town-addresses.ts";
import { startTown, type TownProcess } from "./town-process.ts";
import type { PushGates } from "./town-pushes.ts";

/** `npm start`. Exit codes: design section 5; 2 for everything that keeps it from starting. */
interface Running {
  readonly deployment: Deployment;
  readonly town: TownProcess;
  readonly api: LocalApi;
}

/** POST /local/power: a power cut of some meters, or its end; `told: false`: what they say of it is lost. */
const PowerBody = z.strictObject({
  meterIds: z.array(z.string()).min(1),
  on: z.boolean(),
  told: z.boolean().default(true),
});

const CALLED_IN_WITHIN_MS = 60_000;
const progress = new Progress(process.stderr);
const closing: (() => Promise<void> | void)[] = [];
let ending: Promise<void> | undefined;

/** Ends all that was started, last first; safe to call twice. */
const closeAll = (): Promise<void> => {
  ending ??= (async () => {
    for (const step of closing.splice(0).reverse()) await step();
  })();
  return ending;
};

const addressesOf = (base: number): Addresses => ({
  console: `http://127.0.0.1:${base}`,
  api: `http://127.0.0.1:${base + 1}`,
  issuer: `http://127.0.0.1:${base + 2}`,
});

async function portsFree(base: number): Promise<void> {
  for (const [offset, what] of ["console", "API", "issuer"].entries()) {
    const probe = createServer();
    probe.listen(base + offset, "127.0.0.1");
    try {
      await once(probe, "listening");
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const why = code === "EADDRINUSE" ? "is in use" : `cannot be opened (${code})`;
      throw new StartupError(
        `port ${base + offset} (${what}) ${why}. Stop what uses it, or choose three free ports with --port BASE`,
        { cause },
      );
    }
    await new Promise((resolve) => probe.close(resolve));
  }
}

/** The title that the bridge shows, which simulated meters expect. */
function clientTitle({ template }: Deployment): string {
  const definitions = JSON.stringify(
    template.ofType("AWS::ECS::TaskDefinition").map((one) => one.property("ContainerDefinitions") ?? null),
  );
  const title = /"CLIENT_SYSTEM_TITLE","Value":"([0-9a-f]{16})"/.exec(definitions)?.[1];
  if (title === undefined) throw new StartupError("the template's bridge has no CLIENT_SYSTEM_TITLE");
  return title;
}

/** Where simulated meters call in. */
function gatesOf({ listeners }: Deployment): PushGates {
  const gate = (listener: number) => {
    const port = listeners.get(listener);
    if (port === undefined)
      throw new StartupError(`the template has no listener on ${listener} for meters that call in`);
    return { host: "127.0.0.1", port };
  };
  return { dlms: gate(METER_PORTS.dlms), c1222: gate(METER_PORTS.c1222) };
}

/** Where modules that sleep connect, and what they say and hear there, by the template's own policy. */
function sleeperTopics({ template, standIns }: Deployment): Omit<Sleepers, "count"> {
  const text = JSON.stringify(template.ofType("AWS::IoT::Policy").map((one) => one.property("PolicyDocument") ?? null));
  const [, uplink] = /:topic\/(\$aws\/rules\/[^"]+)"/.exec(text) ?? [];
  const [, mailbox] = /:topicfilter\/([^"]+)"/.exec(text) ?? [];
  if (uplink === undefined || mailbox === undefined)
    throw new StartupError("the template has no policy for endpoints that sleep");
  const named = (topic: string): string => topic.replace(/\$\{[^}]*\}/, "{thing}");
  return { broker: standIns.iot.address, uplinkTopic: named(uplink), mailboxTopic: named(mailbox) };
}

/** Meters that called before they were enrolled call again, later each time; what never comes is said, not waited for. */
async function allCalledIn({ processes }: Deployment, { meters }: TownProcess): Promise<void> {
  const wanted = meters.filter(({ attached }) => attached === true).length;
  let held = 0;
  for (const until = Date.now() + CALLED_IN_WITHIN_MS; held < wanted && Date.now() < until; await pause(250)) {
    const healths = await Promise.all(
      processes().map(({ healthUrl }) =>
        healthUrl === undefined ? undefined : fetch(healthUrl).catch(() => undefined),
      ),
    );
    const told = await Promise.all(
      healths.map(async (health) =>
        Number(((await health?.json()) as { heldConnections?: number })?.heldConnections ?? 0),
      ),
    );
    held = told.reduce((sum, count) => sum + count, 0);
    progress.show(`${held} of ${wanted} meters have called in`);
  }
  progress.line(`${held} of ${wanted} meters have called in`);
}

async function standUp(options: StartOptions, folder: DataFolder, log: LogSink): Promise<Running> {
  const setting = clockSettingFrom(process.env);
  const clock = productClock(setting);
  const text = clockText(setting);
  const addresses = addressesOf(options.port);
  await portsFree(options.port);
  progress.show("synthesising the description");
  const assembly = join(folder.path, "assembly");
  const { elapsedMs } = await synthesiseInto(assembly, {
    ...(options.attached > 0 ? { profile: "utility" } : {}),
    ...options.context,
  });
  progress.phase("synthesise");
  progress.line(`synthesised in ${(elapsedMs / 1000).toFixed(1)} s`);
  progress.show("standing the deployment up");
  const deployment = await deploy({
    assembly,
    addresses,
    log,
    clock,
    environment: text === undefined ? {} : { HEADRACE_CLOCK: text },
    ...(folder.kept ? { dataDir: folder.path } : {}),
    ...(options.bridges === undefined ? {} : { tasks: options.bridges }),
    ...(options.disturbance === undefined ? {} : { disturbance: options.disturbance }),
    ...(options.restored
      ? {
          beforeRunning: async (template, standIns) =>
            progress.line(`restored: epoch ${await beginEpoch(template, standIns)} begins`),
        }
      : {}),
  });
  closing.push(() => deployment.close());
  progress.phase("stand up");
  const { meters, seed, faults, protocols, attached } = options;
  const town = await startTown({
    meters,
    seed,
    faults,
    protocols,
    clientSystemTitle: clientTitle(deployment),
    ...(attached === 0 ? {} : { callers: { share: attached, gates: gatesOf(deployment) } }),
    ...(options.sleepers === 0 ? {} : { sleepers: { count: options.sleepers, ...sleeperTopics(deployment) } }),
    // One job is compared with what the meters held when it read them: nobody adds to it meanwhile.
    ...(attached === 0 || options.once ? {} : { pushes: gatesOf(deployment) }),
    ...(folder.kept ? { data: join(folder.path, "town") } : {}),
    ...(text === undefined ? {} : { clock: text }),
  }).catch((error: unknown) => {
    if (!(error instanceof HeadraceError) || error.code !== "town.address-in-use") throw error;
    // Its own message speaks of the town's --port; here the addresses are enrolled already, or all are taken.
    throw new StartupError(
      "the addresses of the simulated meters are in use: another town or another npm start runs. Stop it and start again",
      { cause: error },
    );
  });
  closing.push(() => town.stop());
  deployment.answerLocally("GET /local/witness", () => town.witness());
  deployment.answerLocally("GET /local/wake", async () => ({ modules: await town.wake() }));
  deployment.answerLocally("POST /local/power", async (body) => ({
    meters: await town.power(PowerBody.parse(body)),
  }));
  progress.phase("start meters");
  const api = localApi(deployment);
  const enrolled = await enrolTown(api, town.meters, (line) => progress.show(line));
  if (town.group !== undefined) await storeGroupRoute(api, town.group);
  progress.phase("enrol");
  progress.line(`${town.meters.length} meters, ${enrolled} of them enrolled now`);
  if (attached > 0) await allCalledIn(deployment, town);
  return { deployment, town, api };
}

function announce({ deployment }: Running, folder: DataFolder, json: boolean): void {
  const { addresses, identity, processes } = deployment;
  const told = {
    ...addresses,
    users: identity.users.map(({ name, password, role }) => ({ name, password, role })),
    clients: identity.clients,
    bridges: processes().map(({ pid }) => ({ pid })),
    dataDir: folder.path,
  };
  if (json) return void process.stdout.write(`${JSON.stringify(told)}\n`);
  const rows = [
    "",
    `Console  ${told.console}`,
    `API      ${told.api}`,
    `Issuer   ${told.issuer}`,
    "",
    "Sign in as (password):",
    ...told.users.map(({ name, password }) => `  ${name.padEnd(14)} ${password}`),
    "Machine clients (secret):",
    ...told.clients.map(({ id, secret }) => `  ${id.padEnd(14)} ${secret}`),
    "",
    `Bridge   process ${told.bridges.map(({ pid }) => pid).join(", ")}`,
    `Data     ${told.dataDir}${folder.kept ? "" : " (logs only: the state is in memory; --data DIR keeps it)"}`,
    "",
    "Ctrl-C stops everything.",
    "",
  ];
  process.stdout.write(rows.join("\n"));
}

function tell({ summary, differences }: OnceResult, json: boolean): void {
  for (const difference of differences) progress.line(difference);
  const { tasks, reasons } = summary;
  if (!json) {
    process.stdout.write(
      `${summary.meters} meters: ${tasks.done} done, ${tasks.failed} failed, ${tasks.expired} expired, ${tasks.cancelled} cancelled\n`,
    );
    for (const [reason, count] of Object.entries(reasons)) process.stdout.write(`  ${reason.padEnd(14)} ${count}\n`);
    process.stdout.write(
      `${summary.readings} values stored, ${summary.verified} equal to what the meters held; ${(summary.elapsedMs / 1000).toFixed(1)} s\n`,
    );
    return;
  }
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

/** npm does not pass SIGTERM on: a start whose npm is gone was told to end. Started without npm, nobody's end matters. */
function onOrphaned(tell: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) tell();
  }, 500).unref();
}

async function run(options: StartOptions): Promise<number> {
  const folder = openDataFolder(options.data);
  let keepLogs = false;
  closing.push(() => folder.release({ keepLogs }));
  const log = logSink({ directory: join(folder.path, "logs"), verbose: options.verbose });
  closing.push(() => log.close());
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        if (ending !== undefined) process.exit(1); // asked twice: at once
        resolve("interrupted");
      });
    onOrphaned(() => resolve("interrupted"));
  });
  try {
    const running = await Promise.race([standUp(options, folder, log), interrupted]);
    if (running === "interrupted") return 2;
    void running.town.ended.then(() => {
      if (ending === undefined) progress.line("the simulated meters have ended: nothing will answer");
    });
    if (!options.once) {
      progress.done();
      if (options.verbose) progress.line(progress.phases());
      announce(running, folder, options.json);
      await interrupted;
      progress.line("stopping");
      return 0;
    }
    const setting = clockSettingFrom(process.env);
    const once = readOnce({
      api: running.api,
      town: running.town,
      clock: running.deployment.clock,
      clockFactor: setting?.factor ?? 1,
      progress: (line) => progress.show(line),
      phase: (name) => progress.phase(name),
    });
    const result = await Promise.race([once, interrupted]);
    if (result === "interrupted") return 1;
    progress.done();
    if (options.verbose) progress.line(progress.phases());
    tell(result, options.json);
    keepLogs = result.exitCode === 3;
    if (keepLogs && !folder.kept) progress.line(`logs are kept in ${folder.path}`);
    return result.exitCode;
  } catch (error) {
    // What a user can put right says so itself; for the rest the logs of functions and bridge are wanted.
    keepLogs = !(error instanceof StartupError);
    progress.done();
    const known = error instanceof StartupError || error instanceof ApiError || error instanceof HeadraceError;
    const told = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`headrace: ${told}\n`);
    if (keepLogs || folder.kept) process.stderr.write(`Logs: ${join(folder.path, "logs")}\n`);
    return 2;
  } finally {
    await closeAll();
  }
}

async function main(args: readonly string[]): Promise<number> {
  // Libraries in this process may print; stdout belongs to results.
  for (const method of ["log", "info", "debug"] as const) console[method] = () => undefined;
  try {
    const options = startOptions(args);
    if (options === "help" || options === "explain") {
      process.stdout.write(options === "help" ? HELP : explain());
      return 0;
    }
    return await run(options);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`headrace: ${error.message}\n`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
// Sockets that an SDK keeps warm must not hold the process: everything of ours has ended by now.
process.exit();
