import type { Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { HeadraceError } from "../../shared/ports/errors.ts";

/** One record of a CSV, and where it ends: what comes after can be read by itself. */
export interface CsvRecord {
  readonly cells: readonly string[];
  /** Line on which it begins, counted from 1 at the start of the file. */
  readonly row: number;
  /** Octets and lines of the file up to its end. */
  readonly end: { readonly octets: number; readonly lines: number };
}

/** Longest record, characters: a quote that is not closed would swallow the file. */
const RECORD_MAX = 20_000;

/** Records of a CSV in UTF-8, read as they come. `from`: where the stream begins in its file. Throws `import.csv`. */
export async function* csvRecords(source: Readable, from = { octets: 0, lines: 0 }): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: from.octets === 0,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: RECORD_MAX,
  });
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let last = from;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      const inner = record.reduce((sum, cell) => sum + cell.split("\n").length - 1, 0);
      last = { octets: from.octets + info.bytes, lines: from.lines + info.lines };
      yield { cells: record, row: last.lines - inner, end: last };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new HeadraceError("import.csv", `expected CSV after row ${last.lines}: ${reasonOf(error)}`, {
      retry: "never",
      detail: { afterRow: last.lines },
    });
  } finally {
    source.destroy();
  }
}

/** The library's own message may quote the cell. */
const reasonOf = ({ code }: CsvError): string =>
  code === "CSV_MAX_RECORD_SIZE" || code === "CSV_QUOTE_NOT_CLOSED"
    ? "a quote is not closed, or a record is longer than 20,000 characters"
    : "a record is malformed";
