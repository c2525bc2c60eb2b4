import { createRequire } from "node:module";
import type {
  DuckDBConnection,
  DuckDBDataChunk as DuckDBDataChunkType,
  DuckDBInstance as DuckDBInstanceType,
  DuckDBType,
  DuckDBValue,
} from "@duckdb/node-api";
import type { Cell, Column, Columnar, ColumnarAnswer, ColumnType, Row, Source } from "../../shared/ports/columnar.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";

type DuckDB = typeof import("@duckdb/node-api");

/**
 * A native package: on AWS it lies in a layer, where `require` finds it and `import` does not; so it is named here and nowhere
 * else, and is loaded at the first use.
 */
const load = (): DuckDB => createRequire(import.meta.url)("@duckdb/node-api") as DuckDB;

export interface DuckDBLimits {
  /** Of tables and intermediate results; beyond: `columnar.memory`. Nothing is spilled to disk. */
  readonly memoryMb: number;
  /** Of one query or file; beyond: `columnar.timeout`. */
  readonly timeoutMs: number;
  /** @default 1 */
  readonly threads?: number;
}

const ROWS_OF_CHUNK = 2048;

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  text: "VARCHAR",
  integer: "INTEGER",
  long: "BIGINT",
  wide: "DECIMAL(38,0)", // Parquet has no 128-bit integer: as HUGEINT it would become a double
  double: "DOUBLE",
  boolean: "BOOLEAN",
  instant: "TIMESTAMP_MS",
};

const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * DuckDB behind the port: each call has a database of its own in memory, which sees the named files and nothing else of the
 * machine or the network, and whose settings nobody can change.
 */
export function duckdb(limits: DuckDBLimits): Columnar {
  /** `written`: a file that may be written. */
  async function within<T>(
    sources: Readonly<Record<string, Source>>,
    written: string | undefined,
    run: (connection: DuckDBConnection) => Promise<T>,
  ): Promise<T> {
    const { DuckDBInstance } = load();
    const instance: DuckDBInstanceType = await DuckDBInstance.create(":memory:", {
      threads: String(limits.threads ?? 1),
      memory_limit: `${limits.memoryMb}MB`,
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      allow_community_extensions: "false",
    });
    let overdue = false;
    let timer: NodeJS.Timeout | undefined;
    try {
      const connection = await instance.connect();
      timer = setTimeout(() => {
        overdue = true;
        connection.interrupt();
      }, limits.timeoutMs);
      const stop = (): void => {
        if (overdue) throw new Error("INTERRUPT Error: before the query");
      };
      const files = Object.values(sources).flatMap((source) => (source.kind === "parquet" ? source.files : []));
      if (written !== undefined) files.push(written);
      await connection.run("SET temp_directory = ''");
      await connection.run(`SET allowed_paths = [${files.map(literal).join(", ")}]`);
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
      for (const [table, source] of Object.entries(sources)) await define(connection, table, source, stop);
      stop();
      return await run(connection);
    } catch (cause) {
      throw failureOf(cause, overdue, limits);
    } finally {
      clearTimeout(timer);
      instance.closeSync();
    }
  }

  return {
    query: ({ sql, parameters = {}, sources }, rowsMax) =>
      within(sources, undefined, async (connection): Promise<ColumnarAnswer> => {
        const prepared = await connection.prepare(sql);
        prepared.bind({ ...parameters });
        const reader = await prepared.streamAndReadUntil(rowsMax + 1);
        const rows = reader
          .getRows()
          .slice(0, rowsMax)
          .map((row) => row.map(cellOf));
        return { columns: reader.columnNames(), rows, more: reader.currentRowCount > rowsMax };
      }),
    write: ({ sql, sources }, file, kind = "parquet") =>
      within(sources, file, async (connection) => {
        const format =
          kind === "parquet"
            ? "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false"
            : "FORMAT csv, HEADER, COMPRESSION gzip, USE_TMP_FILE false";
        const [[rows] = []] = await (await connection.run(`COPY (${sql}) TO ${literal(file)} (${format})`)).getRows();
        return Number(rows);
      }),
  };
}

async function define(connection: DuckDBConnection, table: string, source: Source, stop: () => void): Promise<void> {
  const typed = source.columns.map((column) => `${name(column.name)} ${SQL_TYPES[column.type]}`).join(", ");
  if (source.kind === "parquet" && source.files.length > 0) {
    // The empty table of these columns, by name, so that a file may lack one or bring others.
    await connection.run(`CREATE TABLE ${name(`${table} columns`)} (${typed})`);
    const listed = source.columns.map((column) => name(column.name)).join(", ");
    const files = source.files.map(literal).join(", ");
    await connection.run(
      `CREATE VIEW ${name(table)} AS SELECT ${listed} FROM (FROM ${name(`${table} columns`)} UNION ALL BY NAME ` +
        `FROM read_parquet([${files}], union_by_name = true, hive_partitioning = false))`,
    );
    return;
  }
  await connection.run(`CREATE TABLE ${name(table)} (${typed})`);
  if (source.kind === "rows") await append(connection, table, source.columns, source.rows, stop);
}

async function append(
  connection: DuckDBConnection,
  table: string,
  columns: readonly Column[],
  rows: Iterable<Row> | AsyncIterable<Row>,
  stop: () => void,
): Promise<void> {
  const { DuckDBDataChunk } = load();
  const appender = await connection.createAppender(table);
  try {
    const types = columns.map((_, index) => appender.columnType(index));
    const writers = columns.map(({ type }, index) => valueWriter(type, types[index] as DuckDBType));
    let held: Row[] = [];
    const flush = (): void => {
      stop();
      const chunk: DuckDBDataChunkType = DuckDBDataChunk.create(types, held.length);
      for (const [index, write] of writers.entries())
        chunk.setColumnValues(
          index,
          held.map((row) => write(row[index])),
        );
      appender.appendDataChunk(chunk);
      held = [];
    };
    const take = (row: Row): void => {
      if (held.push(row) === ROWS_OF_CHUNK) flush();
    };
    if (Symbol.iterator in rows) for (const row of rows) take(row);
    else for await (const row of rows) take(row);
    if (held.length > 0) flush();
  } finally {
    appender.closeSync();
  }
}

/** How cells of a column are handed to DuckDB. */
function valueWriter(type: ColumnType, given: DuckDBType): (cell: Cell) => DuckDBValue {
  const { DuckDBTimestampMillisecondsValue, DuckDBDecimalValue, DECIMAL } = load();
  const wide = DECIMAL(38, 0);
  const one = (cell: Exclude<Cell, undefined>): DuckDBValue => {
    switch (type) {
      case "instant":
        return new DuckDBTimestampMillisecondsValue(BigInt(cell));
      case "long":
        return BigInt(cell);
      case "wide":
        return new DuckDBDecimalValue(BigInt(cell), wide.width, wide.scale);
      default:
        return cell;
    }
  };
  const expected = type === "text" ? "string" : type === "boolean" ? "boolean" : "number";
  return (cell) => {
    if (cell === undefined) return null;
    const fits = typeof cell === expected || (typeof cell === "bigint" && (type === "long" || type === "wide"));
    if (!fits) throw new TypeError(`expected a cell of type ${type} (${given}), got ${typeof cell}`);
    if (type === "integer" && !Number.isInteger(cell))
      throw new TypeError(`expected a whole number, got ${String(cell)}`);
    return one(cell);
  };
}

/** A value of an answer. */
function cellOf(value: DuckDBValue): Cell | readonly Cell[] {
  if (value === null) return undefined;
  if (typeof value !== "object") return value;
  if ("scale" in value) return value.scale === 0 ? value.value : value.toDouble();
  if ("millis" in value) return Number(value.millis);
  if ("micros" in value) return Number(value.micros / 1000n);
  if ("items" in value && Array.isArray(value.items)) return value.items.map((item) => cellOf(item) as Cell);
  throw new TypeError(
    `expected an answer of text, numbers, booleans, instants and lists, got ${value.constructor.name}`,
  );
}

function failureOf(cause: unknown, overdue: boolean, { memoryMb, timeoutMs }: DuckDBLimits): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (overdue)
    return new HeadraceError("columnar.timeout", `expected an answer within ${timeoutMs} ms`, {
      retry: "later",
      cause,
    });
  if (message.startsWith("Out of Memory"))
    return new HeadraceError("columnar.memory", `expected to need at most ${memoryMb} MB`, { retry: "never", cause });
  if (cause instanceof TypeError || cause instanceof HeadraceError) return cause;
  return new HeadraceError("columnar.query", message.split("\n")[0] ?? message, { retry: "never", cause });
}
