import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

export interface TaskSettings {
  /** `bridge-1` */
  readonly name: string;
  readonly entry: string;
  /** Node's own options from the container's command. */
  readonly nodeArgs: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 when the task is healthy; absent: healthy as soon as it runs. */
  readonly healthUrl?: string;
  /** Container port → the port that this task was told to take instead. */
  readonly ports?: ReadonlyMap<number, number>;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
  readonly log: (text: string) => void;
}

/** As `GET /local/processes` tells it. */
export interface ProcessView {
  readonly name: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly restarts: number;
  readonly healthUrl?: string;
}

/** A task that lived shorter is started again with a growing pause, so that a broken one does not spin. */
const SHORT_LIFE_MS = 2_000;
const PAUSE_MAX_MS = 10_000;

/** One task of a service: a process, started again whenever it ends, as ECS would. */
export class Task {
  readonly settings: TaskSettings;
  #child: ChildProcess | undefined;
  #startedAt = 0;
  #restarts = -1;
  #shortLives = 0;
  #stopping = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(settings: TaskSettings) {
    this.settings = settings;
  }

  start(): void {
    this.#ended = this.#supervise();
  }

  view(): ProcessView | undefined {
    const pid = this.#child?.pid;
    if (pid === undefined) return undefined;
    const startedAt = new Date(this.#startedAt).toISOString();
    const { name, healthUrl } = this.settings;
    return { name, pid, startedAt, restarts: this.#restarts, ...(healthUrl === undefined ? {} : { healthUrl }) };
  }

  /** Resolves true when the task answers its health check, false when it does not until `deadline` (machine time). */
  async healthy(deadline: number): Promise<boolean> {
    const { healthUrl } = this.settings;
    for (; Date.now() < deadline && !this.#stopping; await pause(50)) {
      if (this.view() === undefined) continue;
      if (healthUrl === undefined) return true;
      const answer = await fetch(healthUrl, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      if (answer?.ok === true) return true;
    }
    return false;
  }

  /** SIGTERM, and SIGKILL when the stop time-out has passed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child?.kill("SIGTERM");
    const overdue = setTimeout(() => this.#child?.kill("SIGKILL"), this.settings.stopTimeoutMs);
    await this.#ended;
    clearTimeout(overdue);
  }

  async #supervise(): Promise<void> {
    while (!this.#stopping) {
      this.#startedAt = Date.now();
      this.#restarts++;
      const ending = await this.#run();
      this.settings.log(`${JSON.stringify({ task: this.settings.name, ended: ending, restarts: this.#restarts })}\n`);
      this.#shortLives = Date.now() - this.#startedAt < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
      if (this.#shortLives > 1 && !this.#stopping) await pause(Math.min(200 * 2 ** this.#shortLives, PAUSE_MAX_MS));
    }
  }

  #run(): Promise<string> {
    const { nodeArgs, entry, args, env, log } = this.settings;
    const watch = new URL("./parent-watch.mjs", import.meta.url).href;
    const child = spawn(process.execPath, ["--import", watch, ...nodeArgs, entry, ...args], {
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => log(chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => log(chunk.toString()));
    return new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => {
        this.#child = undefined;
        resolve(signal ?? `exit code ${code}`);
      });
    });
  }
}
