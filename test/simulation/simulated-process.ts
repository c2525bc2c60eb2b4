import type { Clock } from "../../shared/ports/clock.ts";
import type { VirtualTime } from "./virtual-time.ts";

export type ProcessKind =
  | "planner"
  | "bridge"
  | "ingest"
  | "sweep"
  | "schedules"
  | "closing"
  | "uplinks"
  | "api"
  | "order";

/** What a process waits for that is gone: its code does not go on. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** A bridge task or one invocation of a function: its own clock, its own death. */
export class SimulatedProcess {
  readonly name: string;
  readonly kind: ProcessKind;
  dead = false;
  /** Machine clock minus true time, ms. */
  offset = 0;
  /** It stands still until then, true time. */
  frozenUntil = 0;
  /** When its clock was last put or it last stood still, true time. */
  disturbedAt = Number.NEGATIVE_INFINITY;
  readonly clock: Clock;
  readonly #time: VirtualTime;

  constructor(time: VirtualTime, kind: ProcessKind, name: string) {
    this.#time = time;
    this.kind = kind;
    this.name = name;
    this.clock = { now: () => time.now + this.offset, sleep: (ms, signal) => this.#sleep(ms, signal) };
  }

  /** Resolves after `ms`, later if it stands still then, never if it is dead then. */
  later(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#time.after(ms, () => this.#resume(resolve)));
  }

  #resume(go: () => void): void {
    if (this.dead) return;
    if (this.frozenUntil > this.#time.now) this.#time.at(this.frozenUntil, () => this.#resume(go));
    else go();
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return this.later(Math.max(0, ms));
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      let over = false;
      const abort = (): void => {
        over = true;
        timer.cancelled = true;
        reject(signal.reason);
      };
      const timer = this.#time.after(Math.max(0, ms), () =>
        this.#resume(() => {
          if (over) return;
          signal.removeEventListener("abort", abort);
          resolve();
        }),
      );
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}
