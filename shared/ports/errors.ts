/** Whether trying again can help: it alone decides whether a task stays open. */
export type Retry = "later" | "never";

export interface ErrorOptionsOf<Detail extends object> {
  readonly retry: Retry;
  readonly detail?: Detail;
  readonly cause?: unknown;
}

/**
 * Root of every operating error. `code` is stable and dotted (`wire.truncated`); `detail` never holds keys,
 * passwords, plaintext APDUs or consumption values.
 */
export class HeadraceError extends Error {
  readonly code: string;
  readonly retry: Retry;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: ErrorOptionsOf<object>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retry = options.retry;
    this.detail = { ...options.detail };
  }
}

/** A broken invariant: a fault of ours, never of the world. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
