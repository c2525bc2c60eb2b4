import { parseArgs } from "node:util";
import { STANDARD_TABLES } from "../../shared/c1219/standard-tables.ts";
import { enrolledKey, SECURITY_MODES } from "../../shared/c1222/client/enrolled-key.ts";
import { Exchange } from "../../shared/c1222/client/exchange.ts";
import { logOn, prefaceOf } from "../../shared/c1222/client/log-on.ts";
import { TableReader } from "../../shared/c1222/client/table-reader.ts";
import { TABLE_ID, tableName } from "../../shared/c1222/services/table-data.ts";
import type { C1222Profile } from "../../shared/metering/c1222-profile.ts";
import { SessionError } from "../../shared/metering/failure.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";
import { tcpDial } from "../bridge/tcp-dial.ts";
import { keysIn, profileIn, UsageError, whole } from "./options.ts";

const USAGE = `Reads the tables of a C12.22 meter as they are. It reads; it changes nothing.

  npm run -s tables -- --host HOST --title APTITLE [options]

Options
  --port N            TCP port (1153)
  --profile NAME      a device profile of the product, by which the meter is talked to and its tables are read (generic-us)
  --access FILE       a device profile as JSON, instead
  --keys FILE         the meter's keys as JSON: { "unicast", "llsSecret" } as hex
  --title APTITLE     the meter's ApTitle, absolute or from the root on: .23.1
  --counter N         first invocation id to use, above all that were ever used under the key
  --table ID          a table: 23, or 2053 for the manufacturer's 5; may be repeated (all that table 0 lists)
  --timeout S         seconds to wait for an answer (10)
  --help

One JSON object a table: { "table": "ST23", "name", "octets", "content" }. Content stands where the layout is known: of the
standard by two sources, or as the device profile says it; "otherLayout": the octets do not fit it. { "table", "refused" }: the
meter does not give it.
Exit: 0 read, 1 the meter was not reached or refused, 2 usage.
`;

const many = { type: "string", multiple: true } as const;
function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: "string" },
        port: { type: "string", default: "1153" },
        profile: { type: "string", default: "generic-us" },
        access: { type: "string" },
        keys: { type: "string" },
        title: { type: "string" },
        counter: { type: "string" },
        table: many,
        timeout: { type: "string", default: "10" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
type Values = ReturnType<typeof parse>;

const TABLE_MAX = TABLE_ID.manufacturer | TABLE_ID.number;

async function profileOf(values: Values): Promise<C1222Profile> {
  const found = values.access === undefined ? PROFILES.get(values.profile) : await profileIn(values.access);
  if (found?.protocol === "c1222") return found;
  const names = [...PROFILES.values()].flatMap(({ name, protocol }) => (protocol === "c1222" ? [name] : []));
  throw new UsageError(`--profile: expected a C12.22 device profile: ${names.join(", ")}`);
}

/** Octets of a table, and its content where the layout is one that may be interpreted. */
async function shown(reader: TableReader, id: number): Promise<object> {
  const name = STANDARD_TABLES.get(id)?.name;
  const head = { table: tableName(id), ...(name === undefined ? {} : { name }) };
  const [answer] = await reader.readOctets([id]);
  if (answer?.kind !== "octets") return { ...head, refused: answer?.code ?? "c1222.err" };
  const raw = { ...head, octets: toHex(answer.octets) };
  try {
    await reader.prepare([id]);
  } catch (error) {
    const nobodyVouches = error instanceof SessionError && ["unsupported", "refused"].includes(error.reason);
    if (nobodyVouches) return raw;
    throw error;
  }
  try {
    return { ...raw, content: reader.interpret(id, answer.octets) };
  } catch (error) {
    if (error instanceof HeadraceError) return { ...raw, otherLayout: error.code };
    throw error;
  }
}

const listed = (value: unknown): readonly number[] => (Array.isArray(value) ? value.map(Number) : []);

/** Table 0 says which there are. */
function tablesOf(reader: TableReader): readonly number[] {
  const { STD_TBLS_USED: standard, MFG_TBLS_USED: own } = reader.known(0) ?? {};
  return [...listed(standard), ...listed(own).map((number) => number | TABLE_ID.manufacturer)];
}

async function read(host: string, title: string, values: Values, show: (table: object) => void): Promise<void> {
  const port = whole("port", values.port, 1, 65_535);
  const responseTimeoutMs = whole("timeout", values.timeout, 1, 600) * 1000;
  const wanted = values.table?.map((text) => whole("table", text, 0, TABLE_MAX));
  const { c1222 } = await profileOf(values);
  const { access } = c1222;
  const keys = values.keys === undefined ? undefined : await keysIn(values.keys);
  if (values.counter === undefined && access.security !== "clear")
    throw new UsageError("expected --counter: an invocation id must never be used twice under a key");
  let counter = values.counter === undefined ? 1 : whole("counter", values.counter, 1, 0x3fff_ffff);
  const link = await tcpDial(systemClock)(
    { kind: "dial", transport: "tcp", host, port },
    systemClock.now() + responseTimeoutMs,
  );
  try {
    const counters = { next: () => counter++ };
    const exchange = new Exchange({
      context: { link, clock: systemClock, random: systemRandom, counters, responseTimeoutMs },
      meterTitle: title,
      ownTitle: access.callingApTitle,
      securityMode: SECURITY_MODES[access.security],
      key: enrolledKey(access, keys, nodeCrypto),
    });
    const preface = prefaceOf({ keys }, access.userId);
    const reader = new TableReader(exchange, c1222, () => preface);
    const release = await logOn({ keys }, exchange, access.session);
    await reader.begin();
    for (const id of wanted ?? tablesOf(reader)) show(await shown(reader, id));
    await release();
  } finally {
    await link.close();
  }
}

const plain = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? toHex(value) : typeof value === "bigint" ? value.toString() : value;

/** Runs the command; answers its exit code. */
export async function command(
  args: readonly string[],
  { out, err }: { readonly out: (text: string) => void; readonly err: (text: string) => void },
): Promise<number> {
  try {
    const values = parse(args);
    if (values.help) {
      out(USAGE);
      return 0;
    }
    const { host, title } = values;
    if (host === undefined || title === undefined) throw new UsageError("expected --host and --title");
    if (!/^\.?\d+(?:\.\d+)*$/.test(title)) throw new UsageError("--title: expected an ApTitle, .23.1");
    await read(host, title, values, (table) => out(`${JSON.stringify(table, plain)}\n`));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      err(`tables: ${error.message}\n\n${USAGE}`);
      return 2;
    }
    if (!(error instanceof HeadraceError)) throw error;
    err(`tables: ${error.code}: ${error.message}\n`);
    return 1;
  }
}

if (import.meta.main)
  process.exitCode = await command(process.argv.slice(2), {
    out: (printed) => process.stdout.write(printed),
    err: (printed) => process.stderr.write(printed),
  });
