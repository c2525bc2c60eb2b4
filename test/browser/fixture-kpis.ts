import type { ResponseReceived } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";

/** Key figures of so many meters, of which one is silent. */
export function fixtureKpis(active: number, at: string): ResponseReceived<Routes["readKpis"]> {
  const rate = { part: active - 1, of: active, rate: (active - 1) / active };
  return {
    asOf: at,
    active,
    excluded: 0,
    communication: (["hour", "day", "week"] as const).map((window) => ({
      window,
      all: rate,
      counted: rate,
      silent: 1,
    })),
    latency: { meters: active - 1, p50Ms: 2_100, p90Ms: 4_000, p95Ms: 5_200, p99Ms: 9_000 },
    exceptions: [{ reason: "timeout", meters: 1, hint: "Connected, but no answer in time." }],
    powerOff: 0,
    switches: { closed: 3 },
    missingToday: 0,
    mix: { asOf: at, kinds: { profile: { "generic-eu version 1": active } } },
    schedules: [
      {
        scheduleId: "daily",
        jobId: "a".repeat(26),
        runAt: at,
        operation: "readIntervals",
        tasks: 3,
        done: 2,
        open: 0,
        rate: 2 / 3,
        intervals: {
          expected: 288,
          inTime: 190,
          late: 2,
          missing: 96,
          pending: 0,
          unaccounted: 0,
          reasons: { timeout: 96 },
          rate: 190 / 288,
          asOf: at,
        },
      },
    ],
  };
}
