/**
 * What a column holds: `text`; `integer`: 32 bits; `long`: 64 bits; `wide`: up to 38 digits, exact; `double`; `boolean`;
 * `instant`: clock ms. In TypeScript long and wide are `bigint`, the other numbers and instants `number`.
 */
export type ColumnType = "text" | "integer" | "long" | "wide" | "double" | "boolean" | "instant";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** undefined: null. */
export type Cell = string | number | bigint | boolean | undefined;
export type Row = readonly Cell[];

/** Something that SQL reads as a table of these columns. */
export type Source =
  /** Values in the order of the columns; read once. */
  | { readonly kind: "rows"; readonly columns: readonly Column[]; readonly rows: Iterable<Row> | AsyncIterable<Row> }
  /** Parquet files of this machine; none: an empty table. A column that a file lacks is null there. */
  | { readonly kind: "parquet"; readonly columns: readonly Column[]; readonly files: readonly string[] };

export interface ColumnarQuery {
  /** One SELECT of ours. What comes from outside is a parameter (`$name`) and never part of it. */
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, string | number | bigint | boolean>>;
  /** By the name that `sql` calls each. */
  readonly sources: Readonly<Record<string, Source>>;
}

export interface ColumnarAnswer {
  readonly columns: readonly string[];
  /** Sums of integers are `bigint`, lists are arrays of cells. */
  readonly rows: readonly (readonly (Cell | readonly Cell[])[])[];
  /** There are more than were asked for. */
  readonly more: boolean;
}

/**
 * Tables by column: Parquet files and what is in memory, under SQL. Throws HeadraceError `columnar.timeout`, `columnar.memory`,
 * `columnar.query`.
 */
export interface Columnar {
  /** At most `rowsMax` rows of the answer. */
  query(query: ColumnarQuery, rowsMax: number): Promise<ColumnarAnswer>;
  /** Writes the answer, without parameters, as one file; says how many rows. `csv.gz`: with a header, UTF-8. */
  write(query: Omit<ColumnarQuery, "parameters">, file: string, format?: "parquet" | "csv.gz"): Promise<number>;
}
