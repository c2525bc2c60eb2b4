import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Where the output of functions and bridges goes: never to stdout, which belongs to results. */
export interface LogSink {
  write(source: string, text: string): void;
  /** The last lines of a source, for an error that needs them. */
  tail(source: string, lines?: number): string;
  close(): void;
}

const TAIL_CHARACTERS = 64 * 1024;

/** Keeps the end of each source in memory; also in `<directory>/<source>.log`, or on stderr when it is `verbose`. */
export function logSink(options: { readonly directory?: string; readonly verbose?: boolean }): LogSink {
  const tails = new Map<string, string>();
  const files = new Map<string, number>();
  if (options.directory !== undefined) mkdirSync(options.directory, { recursive: true });
  const fileOf = (directory: string, source: string): number => {
    const known = files.get(source);
    if (known !== undefined) return known;
    const opened = openSync(join(directory, `${source.replaceAll(/[^A-Za-z0-9_-]/g, "_")}.log`), "a", 0o600);
    files.set(source, opened);
    return opened;
  };
  return {
    write(source, text) {
      tails.set(source, ((tails.get(source) ?? "") + text).slice(-TAIL_CHARACTERS));
      if (options.verbose === true)
        process.stderr.write(text.replaceAll(/^(?=.)/gm, `[${source}] `).replace(/([^\n])$/, "$1\n"));
      if (options.directory !== undefined) writeSync(fileOf(options.directory, source), text);
    },
    tail: (source, lines = 20) => (tails.get(source) ?? "").trimEnd().split("\n").slice(-lines).join("\n"),
    close() {
      for (const file of files.values()) closeSync(file);
      files.clear();
    },
  };
}
