import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";

export interface WorkerStart {
  /** Path of the bundle, or a data: URL of code that stands in the template. */
  readonly entry: string;
  readonly exportName: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
}
export interface ToWorker {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  readonly deadline: number;
}
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "init-failed"; readonly error: string }
  | { readonly kind: "answer"; readonly requestId: string; readonly payload: string }
  | { readonly kind: "failed"; readonly requestId: string; readonly error: string };

/** `payload` is JSON: the handler's answer, or `{ errorType, errorMessage }` when `failed`. */
export interface InvokeResult {
  readonly payload: string;
  readonly failed: boolean;
}

export interface EnvironmentSettings extends WorkerStart {
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly log: (text: string) => void;
}

/** Loading may take longer than an event, as on AWS. */
const INIT_TIMEOUT_MS = 20_000;

const failure = (errorType: string, errorMessage: string): InvokeResult => ({
  failed: true,
  payload: JSON.stringify({ errorType, errorMessage }),
});

/** How long an event may go on when everything ends. */
const FINISH_MS = 10_000;

/** A worker thread with one function in it: one event at a time, ended when it takes too long. */
export class LambdaEnvironment {
  readonly #worker: Worker;
  readonly #settings: EnvironmentSettings;
  readonly #ready: Promise<InvokeResult | undefined>;
  #running: Promise<InvokeResult> | undefined;
  #settle: ((result: InvokeResult) => void) | undefined;
  #ended = false;

  constructor(settings: EnvironmentSettings) {
    this.#settings = settings;
    const { env, timeoutMs: _, log, ...start } = settings;
    this.#worker = new Worker(new URL("./lambda-worker.ts", import.meta.url), {
      workerData: start satisfies WorkerStart,
      env: { ...env },
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb },
    });
    this.#worker.stdout.on("data", (chunk: Buffer) => log(chunk.toString()));
    this.#worker.stderr.on("data", (chunk: Buffer) => log(chunk.toString()));
    let loaded = (_: InvokeResult | undefined): void => {};
    this.#ready = new Promise((resolve) => {
      loaded = resolve;
    });
    this.#worker.on("message", (message: FromWorker) => {
      if (message.kind === "ready") loaded(undefined);
      else if (message.kind === "init-failed") loaded({ failed: true, payload: message.error });
      else if (message.kind === "answer") this.#settle?.({ failed: false, payload: message.payload });
      else this.#settle?.({ failed: true, payload: message.error });
    });
    const die = (why: InvokeResult): void => {
      this.#ended = true;
      loaded(why);
      this.#settle?.(why);
    };
    this.#worker.on("error", (error) => {
      const memory = (error as { code?: string }).code === "ERR_WORKER_OUT_OF_MEMORY";
      die(
        memory
          ? failure("Runtime.OutOfMemory", `more than ${settings.memoryMb} MB`)
          : failure(error.name, error.message),
      );
    });
    this.#worker.on("exit", () => die(failure("Runtime.ExitError", "the runtime exited without an answer")));
  }

  /** It takes no further event. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The caller sees to it that the one before is over. */
  async run(event: string): Promise<InvokeResult> {
    const initialising = setTimeout(() => void this.close(), INIT_TIMEOUT_MS);
    const broken = await this.#ready;
    clearTimeout(initialising);
    if (broken !== undefined) {
      await this.close();
      return broken;
    }
    const requestId = randomUUID();
    const { timeoutMs } = this.#settings;
    const running = new Promise<InvokeResult>((resolve) => {
      const overdue = setTimeout(() => {
        this.#settle?.(failure("Sandbox.Timedout", `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`));
        void this.close();
      }, timeoutMs);
      this.#settle = (result) => {
        this.#settle = undefined;
        clearTimeout(overdue);
        resolve(result);
      };
      this.#worker.postMessage({ requestId, event, deadline: Date.now() + timeoutMs } satisfies ToWorker);
    });
    this.#running = running;
    return running;
  }

  /**
   * Ends after the event that it has, or when that takes longer than a moment: a native package whose thread is ended in the
   * middle of its work takes the whole process with it.
   */
  async finish(): Promise<void> {
    let waiting: NodeJS.Timeout | undefined;
    await Promise.race([
      this.#running,
      new Promise<void>((resolve) => {
        waiting = setTimeout(resolve, FINISH_MS);
      }),
    ]);
    clearTimeout(waiting);
    await this.close();
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }
}
