import { parseArgs } from "node:util";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { FAULT_KINDS, type FaultShares, parseFaults } from "../../shared/simulator/faults.ts";
import { type ProtocolShares, parseProtocols } from "../../shared/simulator/population.ts";
import type { DisturbanceRates } from "./dynamodb-disturbance.ts";
import { StartupError } from "./startup-error.ts";

export interface StartOptions {
  readonly meters: number;
  readonly data: string | undefined;
  readonly restored: boolean;
  /** Console; the API and the issuer have the two ports after it. */
  readonly port: number;
  readonly seed: number;
  readonly faults: FaultShares;
  readonly protocols: ProtocolShares;
  /** Share of the meters that hold their own connection: the description is then that of a utility, with its gate. */
  readonly attached: number;
  /** Gas and water modules that sleep, besides the meters. */
  readonly sleepers: number;
  readonly json: boolean;
  readonly once: boolean;
  readonly verbose: boolean;
  readonly bridges: number | undefined;
  readonly disturbance: DisturbanceRates | undefined;
  /** Settings of the description (`infra/settings.ts`). */
  readonly context: Readonly<Record<string, string>>;
}

export const HELP = `Stands Headrace up on this machine, with a simulated population and the console.

  npm start -- [options]

  --meters N       simulated meters (200)
  --data DIR       keep the state in this folder and go on from it
  --restored       the data folder is an older copy: begin a new epoch, so that no invocation counter repeats
  --port BASE      console; API and issuer take the two ports after it (4173)
  --seed N         seed of keys, loads and faults (1)
  --faults LIST    KIND=SHARE[,KIND=SHARE…], disjoint shares of the meters:
${Object.entries(FAULT_KINDS)
  .map(([kind, what]) => `                     ${kind.padEnd(13)} ${what}`)
  .join("\n")}
  --protocols LIST dlms=SHARE,c1222=SHARE of the meters; the one that is not named has the rest (half and half)
  --attached SHARE share of the meters that call in by themselves, through the load balancer (0)
  --sleepers N     gas and water modules besides the meters, which sleep and speak MQTT when they wake (0)
  --once           read every meter once, compare what is stored with what the meters held, and end.
                   Exit 0: all done and equal; 1: a task ended otherwise; 3: stored data differ; 2: start-up or usage
  --json           results as one line of JSON
  --explain        what of the template is stood up, inert or refused
  --verbose        output of functions and bridge on stderr, and how long each phase took
  --bridges N      bridge tasks instead of the template's count
  --context LIST   KEY=VALUE[,KEY=VALUE…], settings of the deployment as the CDK's -c gives them
  --disturb LIST   throttle=SHARE,stale=SHARE of the DynamoDB requests
  --help           this text

HEADRACE_CLOCK=START[*FACTOR], e.g. 2026-11-01T00:00:00Z*120, sets the clock of meters and schedules.
`;

const METERS_MAX = 100_000;
const SLEEPERS_MAX = 10_000;

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new StartupError(`--${name}: expected a whole number of ${min} to ${max}, got ${JSON.stringify(text)}`);
  return value;
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (text === "" || !(value >= 0 && value <= 1))
    throw new StartupError(`--${name}: expected a share of 0 to 1, got ${JSON.stringify(text)}`);
  return value;
}

function disturbanceOf(text: string): DisturbanceRates {
  const rates = { throttle: 0, stale: 0 };
  for (const part of text.split(",")) {
    const [kind, share] = part.split("=");
    const value = Number(share);
    if ((kind !== "throttle" && kind !== "stale") || share === undefined || !(value >= 0 && value < 1))
      throw new StartupError(`--disturb: expected throttle=SHARE or stale=SHARE below 1, got ${JSON.stringify(part)}`);
    rates[kind] = value;
  }
  return rates;
}

function contextOf(text: string): Readonly<Record<string, string>> {
  const parts = text === "" ? [] : text.split(",").map((part) => part.split("="));
  for (const [key, value, ...more] of parts)
    if (!/^\w+$/.test(key ?? "") || value === undefined || more.length > 0)
      throw new StartupError(`--context: expected KEY=VALUE, by commas, got ${JSON.stringify(text)}`);
  return Object.fromEntries(parts) as Record<string, string>;
}

/** Throws StartupError, which says what was expected. */
export function startOptions(args: readonly string[]): StartOptions | "help" | "explain" {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        meters: { type: "string", default: "200" },
        data: { type: "string" },
        restored: { type: "boolean", default: false },
        port: { type: "string", default: "4173" },
        seed: { type: "string", default: "1" },
        faults: { type: "string", default: "" },
        protocols: { type: "string", default: "" },
        attached: { type: "string", default: "0" },
        sleepers: { type: "string", default: "0" },
        once: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        explain: { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        bridges: { type: "string" },
        disturb: { type: "string" },
        context: { type: "string", default: "" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return "help";
    if (values.explain) return "explain";
    if (values.restored && values.data === undefined)
      throw new StartupError("--restored: expected --data DIR with the older copy");
    if (values.once && values.sleepers !== "0")
      throw new StartupError("--once reads meters that answer at once: expected no --sleepers");
    return {
      meters: whole("meters", values.meters, 1, METERS_MAX),
      data: values.data,
      restored: values.restored,
      port: whole("port", values.port, 1, 65_533),
      seed: whole("seed", values.seed, 0, 0xffff_ffff),
      faults: parseFaults(values.faults),
      protocols: parseProtocols(values.protocols),
      attached: share("attached", values.attached),
      sleepers: whole("sleepers", values.sleepers, 0, SLEEPERS_MAX),
      json: values.json,
      once: values.once,
      verbose: values.verbose,
      bridges: values.bridges === undefined ? undefined : whole("bridges", values.bridges, 0, 32),
      context: contextOf(values.context),
      disturbance: values.disturb === undefined ? undefined : disturbanceOf(values.disturb),
    };
  } catch (error) {
    if (error instanceof StartupError) throw error;
    // parseArgs' own errors and a fault's say what was expected
    if (error instanceof HeadraceError || error instanceof TypeError)
      throw new StartupError(`${error.message}\nSee npm start -- --help`, { cause: error });
    throw error;
  }
}
