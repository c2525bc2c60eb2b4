import { parseArgs } from "node:util";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { FAULT_KINDS, parseFaults } from "../../shared/simulator/faults.ts";
import { parseProtocols } from "../../shared/simulator/population.ts";
import { clockSettingFrom, productClock } from "./clock.ts";
import type { Callers } from "./meter-call.ts";
import { Town, type TownOptions, townListing } from "./town.ts";
import { METER_PORTS } from "./town-addresses.ts";
import { lineOf, type TownMeter } from "./town-listing.ts";

/** `npm run town`: simulated meters alone. Exit 0: stopped; 2: start-up or usage. */

const METERS_MAX = 100_000;
const CLIENT_SYSTEM_TITLE = "4844524c4f43414c"; // "HDRLOCAL"
const HELP = `Simulated electricity meters (DLMS/COSEM and ANSI C12.22 over TCP), each with its own address, keys and load curve.

  npm run -s town -- --meters N [options]

  --meters N         how many meters (default 10)
  --seed S           seed of keys, loads and faults (default 1); the same seed gives the same town
  --faults LIST      KIND=SHARE[,KIND=SHARE…], disjoint shares of the meters:
${Object.entries(FAULT_KINDS)
  .map(([kind, what]) => `                       ${kind.padEnd(13)} ${what}`)
  .join("\n")}
  --protocols LIST   dlms=SHARE,c1222=SHARE of the meters; the one that is not named has the rest (half and half)
  --json             a JSON object a line
  --list             print the meters and end, without opening a socket
  --port P           TCP port of every meter (default ${METER_PORTS.dlms} for DLMS, ${METER_PORTS.c1222} for C12.22)
  --client-title HEX system title that the meters expect of their client (default ${CLIENT_SYSTEM_TITLE})
  --attached SHARE   share of the meters that do not listen but call in, at the address of --gate or --c1222-gate
  --gate HOST:PORT   where those that speak DLMS call in
  --c1222-gate HOST:PORT
                     where C12.22 meters register
  --data DIR         keep the meters' invocation counters in this folder
  --help             this text

HEADRACE_CLOCK=START[*FACTOR], e.g. 2026-11-01T00:00:00Z*120, sets the meters' clock.
It prints a line for each meter and runs until it is interrupted. The keys are simulated.
`;

class UsageError extends Error {}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new UsageError(`--${name}: expected a whole number of ${min} to ${max}, got ${JSON.stringify(text)}`);
  return value;
}

/** Undefined: nobody calls in. */
function callersOf(attached: string, dlms: string | undefined, c1222: string | undefined): Callers | undefined {
  const share = Number(attached);
  if (attached === "" || !(share >= 0 && share <= 1))
    throw new UsageError(`--attached: expected a share of 0 to 1, got ${JSON.stringify(attached)}`);
  if (share === 0) return undefined;
  if (dlms === undefined && c1222 === undefined)
    throw new UsageError("--gate: expected HOST:PORT for meters that call in, got nothing");
  const gates = {
    ...(dlms !== undefined && { dlms: gateOf("gate", dlms) }),
    ...(c1222 !== undefined && { c1222: gateOf("c1222-gate", c1222) }),
  };
  return { share, gates };
}

function gateOf(name: string, text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(":");
  if (at < 1)
    throw new UsageError(`--${name}: expected HOST:PORT for meters that call in, got ${JSON.stringify(text)}`);
  return { host: text.slice(0, at), port: whole(name, text.slice(at + 1), 1, 65_535) };
}

interface Command {
  readonly options: TownOptions;
  readonly json: boolean;
  readonly list: boolean;
}

function commandOf(args: readonly string[]): Command | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      meters: { type: "string", default: "10" },
      seed: { type: "string", default: "1" },
      faults: { type: "string", default: "" },
      protocols: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      port: { type: "string" },
      "client-title": { type: "string", default: CLIENT_SYSTEM_TITLE },
      data: { type: "string" },
      attached: { type: "string", default: "0" },
      gate: { type: "string" },
      "c1222-gate": { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const title = values["client-title"].toLowerCase();
  if (!/^[0-9a-f]{16}$/.test(title))
    throw new UsageError(`--client-title: expected 16 hex digits, got ${JSON.stringify(values["client-title"])}`);
  const callers = callersOf(values.attached, values.gate, values["c1222-gate"]);
  return {
    options: {
      meters: whole("meters", values.meters, 1, METERS_MAX),
      seed: whole("seed", values.seed, 0, 0xffff_ffff),
      faults: parseFaults(values.faults),
      protocols: parseProtocols(values.protocols),
      clientSystemTitle: title,
      clock: productClock(clockSettingFrom(process.env)),
      ...(values.port !== undefined && { port: whole("port", values.port, 1, 65_535) }),
      ...(values.data !== undefined && { data: values.data }),
      ...(callers !== undefined && { callers }),
    },
    json: values.json,
    list: values.list,
  };
}

async function print(meters: readonly TownMeter[], json: boolean): Promise<void> {
  const text = meters.map((meter) => `${json ? JSON.stringify(meter) : lineOf(meter)}\n`).join("");
  await new Promise<void>((resolve, reject) =>
    process.stdout.write(text, (error) => (error ? reject(error) : resolve())),
  );
}

async function main(args: readonly string[]): Promise<void> {
  const command = commandOf(args);
  if (command === "help") return void process.stdout.write(HELP);
  if (command.list) return print(townListing(command.options), command.json);
  const town = await Town.start(command.options);
  await print(town.meters, command.json);
  if (!command.json) process.stderr.write(`${town.meters.length} meters run; Ctrl-C stops them.\n`);
  const stop = (): void => {
    void town.stop().then(() => process.exit(0));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
}

const isUsage = (error: unknown): error is Error =>
  error instanceof UsageError ||
  error instanceof HeadraceError ||
  (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!isUsage(error)) throw error;
  process.stderr.write(`town: ${error.message}\n`);
  process.exitCode = 2;
});
