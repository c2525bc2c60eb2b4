import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { StartupError } from "./startup-error.ts";

/** Where a deployment keeps its state, or for one that keeps none, its logs and its assembly. */
export interface DataFolder {
  readonly path: string;
  /** State is kept here from run to run. */
  readonly kept: boolean;
  /** Gives the folder back; one that is not kept is removed, unless its logs are still wanted. */
  release(options?: { readonly keepLogs: boolean }): void;
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** Takes the folder for this process alone: two processes on one database would destroy it. */
export function openDataFolder(given: string | undefined): DataFolder {
  if (given === undefined) {
    const path = mkdtempSync(join(tmpdir(), "headrace-"));
    return {
      path,
      kept: false,
      release: ({ keepLogs } = { keepLogs: false }) => {
        if (!keepLogs) rmSync(path, { recursive: true, force: true });
      },
    };
  }
  const path = resolve(given);
  const lock = join(path, "lock");
  try {
    mkdirSync(path, { recursive: true });
    takeLock(lock);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`--data ${given}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return { path, kept: true, release: () => rmSync(lock, { force: true }) };
}

function takeLock(lock: string): void {
  for (;;) {
    try {
      writeFileSync(lock, `${process.pid}\n`, { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(readFileSync(lock, "utf8"));
    if (Number.isInteger(owner) && owner > 0 && owner !== process.pid && alive(owner))
      throw new StartupError(`${lock}: process ${owner} uses this data folder. Stop it, or choose another with --data`);
    rmSync(lock, { force: true }); // its owner is gone
  }
}
