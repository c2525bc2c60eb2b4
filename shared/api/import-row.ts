import type { z } from "zod";
import type { Crypto } from "../ports/crypto.ts";
import { parseHex, toHex } from "../ports/octets.ts";
import type { EnrolmentRequest, FieldProblem } from "../registry/registered-meter.ts";
import { fieldErrorsOf } from "./field-errors.ts";
import type { RowError } from "./imports.ts";
import { Enrolment } from "./meters.ts";

/** The columns of an import, in any order; those without a star may be left out. */
export const IMPORT_COLUMNS = {
  meterId: "meterId",
  serial: "serial",
  commodity: "commodity",
  profile: "profile",
  systemTitle: "systemTitle",
  host: "routes.0.host",
  port: "routes.0.port",
  transport: "routes.0.transport",
  relay: "routes.0.path",
  thing: "routes.0.thing",
  servicePoint: "servicePoint",
  groups: "memberships.groups",
  feeder: "memberships.feeder",
  transformer: "memberships.transformer",
  collector: "memberships.collector",
  latitude: "location.latitude",
  longitude: "location.longitude",
  loadWatts: "loadWatts",
  transportKey: "",
  unicastKey: "keys.unicast",
  authenticationKey: "keys.authentication",
  llsSecret: "keys.llsSecret",
} as const satisfies Record<string, string>;
export type ImportColumn = keyof typeof IMPORT_COLUMNS;
export const REQUIRED_COLUMNS: readonly ImportColumn[] = ["meterId", "serial", "commodity", "profile"];
export const isColumn = (name: string): name is ImportColumn => name in IMPORT_COLUMNS;

const COLUMNS = Object.entries(IMPORT_COLUMNS) as readonly (readonly [ImportColumn, string])[];
const SECRET_COLUMNS: ReadonlySet<string> = new Set(["unicastKey", "authenticationKey", "llsSecret"]);
const EXPECTATIONS: Readonly<Partial<Record<ImportColumn, string>>> = {
  host: "an IPv4 address, an IPv6 address or a host name",
  port: "a port from 1 to 65535",
  relay: "ApTitles of the relays on the way, with ';' between them, and host and port of the first",
  thing: "the name of an endpoint at the MQTT broker: 1 to 128 letters, digits, ':', '_' or '-'",
  latitude: "degrees from -90 to 90",
  longitude: "degrees from -180 to 180",
  loadWatts: "watts, a whole number from 0 to 10000000",
};
const ECHO = 80;

export type RowProblem = z.output<typeof RowError>;
export type Cells = Readonly<Partial<Record<ImportColumn, string>>>;
export type RowOutcome =
  | { readonly kind: "request"; readonly request: EnrolmentRequest }
  | { readonly kind: "rejected"; readonly errors: readonly RowProblem[] };

const problem = (row: number, column: string, expected: string, received: string | undefined): RowProblem => ({
  row,
  column,
  expected,
  ...(received === undefined || SECRET_COLUMNS.has(column) ? {} : { received: received.slice(0, ECHO) }),
});

/** The column that a field of a meter comes from. */
function columnOf(field: string): ImportColumn {
  const exact = COLUMNS.find(([, path]) => path !== "" && (field === path || field.startsWith(`${path}.`)));
  if (exact !== undefined) return exact[0];
  if (field.startsWith("routes")) return "host";
  return field.startsWith("location") ? "latitude" : "meterId";
}

/** A refusal of the registry as an error of its row. */
export const refusedRow = (row: number, { field, expected }: FieldProblem, cells: Cells): RowProblem => {
  const column = columnOf(field);
  return problem(row, column, expected, cells[column] || "nothing");
};

/** Transport keys that are open for the import; undefined: there is none of that name. */
export type OpenKeys = ReadonlyMap<string, Uint8Array | undefined>;

type Unwrapped = { readonly octets: Uint8Array } | { readonly expected: string } | undefined;

/** A key column: hex of an RFC 3394 wrap under the transport key that the row names. */
function unwrapped(crypto: Crypto, cells: Cells, column: ImportColumn, open: OpenKeys): Unwrapped {
  const text = cells[column];
  if (text === undefined || text === "") return undefined;
  const name = cells.transportKey ?? "";
  const kek = open.get(name);
  if (kek === undefined) return undefined; // an error of the column transportKey
  const expected = `hex of a key wrapped (RFC 3394) under the transport key ${name}`;
  const wrapped = parseHex(text);
  if (wrapped === undefined || wrapped.length < 24 || wrapped.length > 96 || wrapped.length % 8 !== 0)
    return { expected };
  const octets = crypto.unwrapKey(kek, wrapped);
  return octets === undefined ? { expected } : { octets };
}

/** An LLS secret inside its wrap: one octet of length, the secret, zeros up to a multiple of 8. */
function secretIn(padded: Uint8Array): Uint8Array | undefined {
  const length = padded[0] ?? 0;
  const zeros = padded.subarray(1 + length);
  if (length === 0 || length > 64 || 1 + length > padded.length || zeros.some((octet) => octet !== 0)) return undefined;
  return padded.subarray(1, 1 + length);
}

function keysOf(crypto: Crypto, row: number, cells: Cells, open: OpenKeys) {
  const keys: Record<string, string> = {};
  const errors: RowProblem[] = [];
  for (const [column, name] of [
    ["unicastKey", "unicast"],
    ["authenticationKey", "authentication"],
    ["llsSecret", "llsSecret"],
  ] as const) {
    const result = unwrapped(crypto, cells, column, open);
    if (result === undefined) continue;
    const secret = "octets" in result && column === "llsSecret" ? secretIn(result.octets) : undefined;
    if ("expected" in result) errors.push(problem(row, column, result.expected, undefined));
    else if (column === "llsSecret" && secret === undefined)
      errors.push(problem(row, column, "a wrapped secret of 1 to 64 octets with its length before it", undefined));
    else if (column !== "llsSecret" && result.octets.length !== 16 && result.octets.length !== 32)
      errors.push(problem(row, column, "a wrapped key of 16 or 32 octets", undefined));
    else keys[name] = toHex(secret ?? result.octets);
    if ("octets" in result) result.octets.fill(0);
  }
  const wanted = cells.unicastKey || cells.authenticationKey || cells.llsSecret;
  if (wanted && open.get(cells.transportKey ?? "") === undefined)
    errors.push(
      problem(
        row,
        "transportKey",
        "the name of a transport key that was stored before",
        cells.transportKey || "nothing",
      ),
    );
  return { keys: Object.keys(keys).length === 0 ? undefined : keys, errors };
}

const given = (text: string | undefined): string | undefined => (text === undefined || text === "" ? undefined : text);
const numberOf = (text: string | undefined): number | string | undefined => {
  const number = given(text) === undefined ? undefined : Number(text);
  return Number.isNaN(number) ? text : number;
};

/** The meter as the API's enrolment takes it. A row without host is a meter that holds its own connection. */
function meterOf(cells: Cells, keys: Readonly<Record<string, string>> | undefined): unknown {
  const { host, port, latitude, longitude } = cells;
  const relay = given(cells.relay);
  const thing = given(cells.thing);
  const defined = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  /** With a thing's name an address is one too many: the route says so. */
  const dialled = defined({ host: given(host), port: given(port), path: relay?.split(";") });
  const dial = {
    ...(relay === undefined ? { kind: "dial" } : { kind: "relay", path: relay.split(";") }),
    host: given(host),
    port: numberOf(port),
    ...(given(cells.transport) === undefined ? {} : { transport: cells.transport }),
  };
  const located = given(latitude) !== undefined || given(longitude) !== undefined;
  return defined({
    meterId: given(cells.meterId),
    serial: given(cells.serial),
    commodity: given(cells.commodity),
    profile: given(cells.profile),
    systemTitle: given(cells.systemTitle),
    routes: [
      thing !== undefined
        ? { ...dialled, kind: "sleepy", thing }
        : [given(host), given(port), relay].every((cell) => cell === undefined)
          ? { kind: "attached" }
          : dial,
    ],
    memberships: defined({
      groups: (cells.groups ?? "").split(";").filter((group) => group !== ""),
      feeder: given(cells.feeder),
      transformer: given(cells.transformer),
      collector: given(cells.collector),
    }),
    servicePoint: given(cells.servicePoint),
    loadWatts: numberOf(given(cells.loadWatts)),
    location: located ? { latitude: numberOf(latitude), longitude: numberOf(longitude) } : undefined,
    keys,
  });
}

/**
 * One row of an import: the meter that it describes, with its keys unwrapped, or all that is wrong with it, one error a
 * column. `row`: as in the file, the header is row 1.
 */
export function readRow(crypto: Crypto, row: number, cells: Cells, open: OpenKeys): RowOutcome {
  const { keys, errors } = keysOf(crypto, row, cells, open);
  const meter = meterOf(cells, keys);
  const answer = Enrolment.safeParse(meter);
  const complaints = answer.success ? [] : fieldErrorsOf(answer.error, meter, "row");
  const columns = new Set(errors.map(({ column }) => column));
  for (const { field, expected } of complaints) {
    const column = columnOf(field);
    if (columns.has(column)) continue;
    columns.add(column);
    errors.push(problem(row, column, EXPECTATIONS[column] ?? expected, cells[column] || "nothing"));
  }
  if (errors.length > 0 || !answer.success) return { kind: "rejected", errors };
  return { kind: "request", request: answer.data as EnrolmentRequest };
}
