import {
  type Cells,
  IMPORT_COLUMNS,
  type ImportColumn,
  isColumn,
  REQUIRED_COLUMNS,
  type RowProblem,
  readRow,
  refusedRow,
} from "../../shared/api/import-row.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Crypto } from "../../shared/ports/crypto.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { enrolMeters, FILL_IMPORT } from "../../shared/registry/enrol-meters.ts";
import type { EnrolPorts } from "../../shared/registry/enrolment.ts";
import { type CsvRecord, csvRecords } from "../adapters/csv-records.ts";
import type { ImportState, Imports } from "../adapters/dynamo-imports.ts";
import type { TransportKeys } from "../adapters/dynamo-transport-keys.ts";
import type { ImportFiles } from "../adapters/s3-imports.ts";

export interface ImportPorts {
  readonly imports: Imports;
  readonly files: ImportFiles;
  readonly keys: Pick<TransportKeys, "open">;
  readonly enrol: EnrolPorts;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Rows between two checkpoints; default 200. */
  readonly chunkRows?: number;
}

const LEASE_MS = 60_000;
/** Stops and goes on in another invocation when so little time is left. */
const RESERVE_MS = 60_000;
/** Most lines of a report. */
const REPORT_MAX = 100_000;

/** `again`: time is nearly up, call again. `elsewhere`: somebody else works on it. */
export type ImportEnd = "done" | "failed" | "again" | "elsewhere";

/**
 * Works through an import from its last checkpoint. A chunk's rows, then its errors, then the checkpoint: every step may
 * be repeated, and a row that enrolled its meter before an interruption counts as enrolled. Each row is by itself.
 */
export async function runImport(
  ports: ImportPorts,
  importId: string,
  owner: string,
  remainingMs: () => number,
): Promise<ImportEnd> {
  const { chunkRows = 200 } = ports;
  const found = await freeImport(ports, importId, owner);
  if (found?.etag === undefined) return "elsewhere";
  let state = await checkpoint(ports, found, {}, owner);
  const keys = new Map<string, Uint8Array | undefined>();
  try {
    const source = await ports.files.open(importId, found.etag, state.octets);
    if (source === undefined) throw failure("the file that was uploaded when the import was started");
    let chunk: CsvRecord[] = [];
    for await (const record of csvRecords(source, { octets: state.octets, lines: state.lines })) {
      if (state.columns === undefined) {
        state = await checkpoint(ports, state, { columns: columnsOf(record), ...endOf(record) }, owner);
        continue;
      }
      chunk.push(record);
      if (chunk.length < chunkRows) continue;
      state = await work(ports, state, chunk, keys, owner);
      chunk = [];
      if (remainingMs() < RESERVE_MS) {
        await ports.imports.write(state, { lease: undefined });
        return "again";
      }
    }
    if (state.columns === undefined) throw failure("a header and rows");
    if (chunk.length > 0) state = await work(ports, state, chunk, keys, owner);
    await ports.files.putReport(importId, await reportOf(ports, state));
    await ports.imports.write(state, { state: "done", lease: undefined });
    return "done";
  } catch (error) {
    if (!(error instanceof HeadraceError) || !error.code.startsWith("import.")) throw error;
    if (error.code === "import.elsewhere") return "elsewhere";
    await ports.imports.write(state, { state: "failed", failure: error.message, lease: undefined });
    return "failed";
  } finally {
    for (const key of keys.values()) key?.fill(0);
  }
}

/** The import, if it is to be worked on and nobody does. A lease of somebody who may have died is waited for. */
async function freeImport(ports: ImportPorts, importId: string, owner: string): Promise<ImportState | undefined> {
  const found = await ports.imports.read(importId);
  if (found?.state !== "running") return undefined;
  const wait = found.lease === undefined || found.lease.owner === owner ? 0 : found.lease.until - ports.clock.now();
  if (wait <= 0) return found;
  await ports.clock.sleep(wait);
  const later = await ports.imports.read(importId);
  return later?.version === found.version ? later : undefined;
}

const failure = (expected: string): HeadraceError =>
  new HeadraceError("import.file", `expected ${expected}`, { retry: "never" });

const endOf = ({ end }: CsvRecord): Pick<ImportState, "octets" | "lines"> => ({ octets: end.octets, lines: end.lines });

async function checkpoint(
  ports: ImportPorts,
  state: ImportState,
  change: Partial<ImportState>,
  owner: string,
): Promise<ImportState> {
  const lease = { owner, until: ports.clock.now() + LEASE_MS };
  const written = await ports.imports.write(state, { ...change, lease });
  if (written !== undefined) return written;
  throw new HeadraceError("import.elsewhere", "somebody else went on with the import", { retry: "never" });
}

function columnsOf({ cells }: CsvRecord): string[] {
  const known = Object.keys(IMPORT_COLUMNS).join(", ");
  const strange = cells.find((name) => !isColumn(name));
  if (strange !== undefined)
    throw failure(`columns out of ${known} in row 1, found ${strange.slice(0, 40) || "an empty one"}`);
  const twice = cells.find((name, index) => cells.indexOf(name) !== index);
  if (twice !== undefined) throw failure(`each column once in row 1, found ${twice} twice`);
  const missing = REQUIRED_COLUMNS.find((name) => !cells.includes(name));
  if (missing !== undefined) throw failure(`a column ${missing} in row 1`);
  return [...cells];
}

async function work(
  ports: ImportPorts,
  state: ImportState,
  chunk: readonly CsvRecord[],
  keys: Map<string, Uint8Array | undefined>,
  owner: string,
): Promise<ImportState> {
  const columns = (state.columns ?? []) as readonly ImportColumn[];
  const rows = chunk.map((record) => ({ row: record.row, cells: cellsOf(columns, record), record }));
  await openKeys(
    ports,
    keys,
    rows.map(({ cells }) => cells.transportKey ?? ""),
  );
  const errors: RowProblem[] = [];
  const asked: {
    readonly row: number;
    readonly cells: Cells;
    readonly request: Parameters<typeof enrolMeters>[1][number];
  }[] = [];
  let rejected = 0;
  for (const { row, cells, record } of rows) {
    const read = misfit(columns, record) ?? readRow(ports.crypto, row, cells, keys);
    if (read.kind === "request")
      asked.push({ row, cells, request: { ...read.request, source: `${state.importId}.${state.run}.${row}` } });
    else {
      errors.push(...read.errors);
      rejected++;
    }
  }
  const outcomes = await enrolMeters(
    ports.enrol,
    asked.map(({ request }) => request),
    FILL_IMPORT,
  );
  let [enrolled, unchanged] = [0, 0];
  for (const [index, { row, cells, request }] of asked.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined || outcome.kind === "refused") {
      if (outcome !== undefined) errors.push(refusedRow(row, outcome, cells));
      rejected++;
    } else if (outcome.kind === "enrolled" || outcome.source === request.source) enrolled++;
    else unchanged++;
  }
  errors.sort((left, right) => left.row - right.row);
  const [first, last] = [chunk[0], chunk.at(-1)];
  if (first === undefined || last === undefined) return state;
  if (errors.length > 0) await ports.imports.keepErrors(state, first.row, errors);
  const counts = {
    rows: state.rows + chunk.length,
    enrolled: state.enrolled + enrolled,
    unchanged: state.unchanged + unchanged,
    rejected: state.rejected + rejected,
  };
  return checkpoint(ports, state, { ...counts, ...endOf(last) }, owner);
}

const cellsOf = (columns: readonly ImportColumn[], { cells }: CsvRecord): Cells =>
  Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? ""]));

/** A row of another number of cells than the header's. */
function misfit(columns: readonly ImportColumn[], { cells, row }: CsvRecord) {
  if (cells.length === columns.length) return undefined;
  const column = columns[cells.length] ?? `column ${columns.length + 1}`;
  const error = {
    row,
    column,
    expected: `${columns.length} cells, as the header has`,
    received: `${cells.length} cells`,
  };
  return { kind: "rejected", errors: [error] } as const;
}

async function openKeys(
  ports: ImportPorts,
  keys: Map<string, Uint8Array | undefined>,
  names: readonly string[],
): Promise<void> {
  for (const name of new Set(names)) if (name !== "" && !keys.has(name)) keys.set(name, await ports.keys.open(name));
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The whole report as CSV. A cell that a spreadsheet would take for a formula is kept from it. */
async function reportOf(ports: ImportPorts, state: ImportState): Promise<string> {
  const lines = ["row,column,expected,received"];
  for await (const { row, column, expected, received = "" } of ports.imports.errors(state)) {
    if (lines.length > REPORT_MAX) break;
    const safe = /^[=+\-@]/.test(received) ? `'${received}` : received;
    lines.push([String(row), column, expected, safe].map(quoted).join(","));
  }
  return `${lines.join("\n")}\n`;
}
