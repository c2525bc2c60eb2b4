import type { Clock } from "../../shared/ports/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  fire(): void;
}

export interface VirtualClock extends Clock {
  /** Lets time pass, timer by timer, until the promise settles; fails when nothing is left that could settle it. */
  until<T>(promise: Promise<T>): Promise<T>;
  /** Lets this much time pass. */
  pass(ms: number): Promise<void>;
}

/** Time that stands still while anything can run, and then jumps to the next timer. */
export function virtualClock(start = 1_700_000_000_000): VirtualClock {
  let now = start;
  let orders = 0;
  const timers = new Set<Timer>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const next = (): Timer | undefined => [...timers].toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
  const clock: VirtualClock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          timers.delete(timer);
          reject(signal?.reason);
        };
        const timer: Timer = {
          at: now + Math.max(0, ms),
          order: orders++,
          fire() {
            signal?.removeEventListener("abort", abort);
            resolve();
          },
        };
        timers.add(timer);
        signal?.addEventListener("abort", abort, { once: true });
      }),
    async until(promise) {
      let settled = false;
      const end = () => {
        settled = true;
      };
      promise.then(end, end);
      for (;;) {
        await settle();
        if (settled) return promise;
        const timer = next();
        if (timer === undefined) throw new Error("nothing is left that could settle the promise");
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.fire();
      }
    },
    pass: (ms) => clock.until(clock.sleep(ms)),
  };
  return clock;
}
