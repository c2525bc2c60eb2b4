import { vi } from "vitest";
import { logger, metrics } from "../functions/adapters/telemetry.ts";

/** Silences logger and metrics; answers what was logged as faults. */
export function quiet() {
  vi.spyOn(logger, "info").mockImplementation(() => undefined);
  vi.spyOn(logger, "warn").mockImplementation(() => undefined);
  vi.spyOn(metrics, "publishStoredMetrics").mockImplementation(() => {
    metrics.clearMetrics();
    return metrics;
  });
  return vi.spyOn(logger, "error").mockImplementation(() => undefined);
}
