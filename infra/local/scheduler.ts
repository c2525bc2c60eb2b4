import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../shared/ports/clock.ts";
import type { LambdaFunction } from "./lambda.ts";
import { StartupError } from "./startup-error.ts";

export interface ScheduleSettings {
  readonly name: string;
  readonly arn: string;
  readonly periodMs: number;
  readonly target: LambdaFunction;
  /** The target's input, with `<aws.scheduler.…>` attributes in it. */
  readonly input: string;
  readonly clock: Clock;
}

/** Of real time: a clock that runs fast must not starve the rest. What hangs on the tick makes up for runs that are left out. */
const APART_MS = 2_000;

const UNITS_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `rate(1 minute)`. The system has one schedule, the tick; recurring jobs are the product's own data. */
export function periodOf(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const periodMs = Number(count) * (UNITS_MS[unit ?? ""] ?? Number.NaN);
  if (Number.isNaN(periodMs) || periodMs === 0)
    throw new StartupError(
      `schedule expression ${expression}: local mode fires rate(…) only (infra/local/scheduler.ts)`,
    );
  return periodMs;
}

/** Fires at once and then every period of the product's clock, as far as they lie apart in real time, until it is stopped. */
export class Schedule {
  readonly #settings: ScheduleSettings;
  readonly #stopping = new AbortController();

  constructor(settings: ScheduleSettings) {
    this.#settings = settings;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** One run, whose scheduled time is `at`; answers when the target has ended. */
  async fire(at: number): Promise<void> {
    const { input, arn, target } = this.#settings;
    const attributes: Readonly<Record<string, string>> = {
      "aws.scheduler.schedule-arn": arn,
      "aws.scheduler.scheduled-time": new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z"),
      "aws.scheduler.execution-id": randomUUID(),
      "aws.scheduler.attempt-number": "1",
    };
    await target.invokeLater(
      input.replaceAll(/<(aws\.scheduler\.[a-z-]+)>/g, (whole, name) => attributes[name] ?? whole),
    );
  }

  async #run(): Promise<void> {
    const { clock, periodMs } = this.#settings;
    const { signal } = this.#stopping;
    void this.fire(Math.floor(clock.now() / periodMs) * periodMs);
    while (!signal.aborted) {
      const next = (Math.floor(clock.now() / periodMs) + 1) * periodMs;
      try {
        await clock.sleep(next - clock.now(), signal);
      } catch {
        return; // stopped
      }
      void this.fire(next);
      await pause(APART_MS);
    }
  }
}
