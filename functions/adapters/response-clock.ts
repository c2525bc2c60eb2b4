import { assert } from "../../shared/ports/errors.ts";

/** Beyond this difference from AWS's own clock no work is taken, ms. */
export const SKEW_MAX_MS = 5_000;

/** What every AWS client offers, of whatever service. */
interface ObservedClient {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: never) => Promise<unknown>) => (args: never) => Promise<unknown>,
      options: { readonly step: "deserialize"; readonly name: string; readonly priority: "low" },
    ): void;
  };
}

/** Compares the machine's clock with the dates of AWS responses. */
export interface ResponseClock {
  /** Looks at every response of this client. */
  observe(client: ObservedClient): void;
  /** Milliseconds that the machine is surely ahead (positive) or behind (negative); 0: no difference that is sure. */
  readonly skewMs: number;
  readonly isRight: boolean;
}

/**
 * A date is of a whole second, and lies between sending and receiving. What is beyond that is skew for sure: a slow
 * response alone is none.
 */
export function skewOf(date: number, sentAt: number, receivedAt: number): number {
  assert(sentAt <= receivedAt, "a response comes after its request");
  if (date + 1_000 < sentAt) return sentAt - (date + 1_000);
  return date > receivedAt ? receivedAt - date : 0;
}

const dateOf = (output: unknown): number => {
  const { response } = output as { readonly response?: { readonly headers?: Readonly<Record<string, string>> } };
  return Date.parse(response?.headers?.date ?? "");
};

export function responseClock(now: () => number = Date.now): ResponseClock {
  let skewMs = 0;
  return {
    observe(client) {
      client.middlewareStack.add(
        (next) => async (args) => {
          const sentAt = now();
          const output = await next(args);
          const date = dateOf(output);
          if (!Number.isNaN(date)) skewMs = skewOf(date, Math.min(sentAt, now()), now());
          return output;
        },
        { step: "deserialize", name: "responseClock", priority: "low" },
      );
    },
    get skewMs() {
      return skewMs;
    },
    get isRight() {
      return Math.abs(skewMs) <= SKEW_MAX_MS;
    },
  };
}
