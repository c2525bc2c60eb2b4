import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../shared/ports/clock.ts";
import { parseClockSetting, scaledClock } from "../../shared/ports/scaled-clock.ts";

/** The machine's own time: leases, time-outs, tokens. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await pause(ms, undefined, signal === undefined ? {} : { signal });
  },
};

const setting = process.env.HEADRACE_CLOCK === undefined ? undefined : parseClockSetting(process.env.HEADRACE_CLOCK);

/** The product's time: the machine's, unless `HEADRACE_CLOCK` gives a start and a factor. */
export const productClock: Clock = setting === undefined ? systemClock : scaledClock(systemClock, setting);

/** The product's time when the machine's clock showed this, ms. */
export const productTime = (machine: number): number =>
  setting === undefined ? machine : scaledClock({ ...systemClock, now: () => machine }, setting).now();
