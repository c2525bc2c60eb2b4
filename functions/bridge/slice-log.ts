import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { BridgeEvents } from "../../shared/bridge/bridge.ts";
import { factsOf } from "../adapters/telemetry.ts";

export const logger = new Logger({ serviceName: "bridge" });
const metrics = new Metrics({ namespace: "Headrace", serviceName: "bridge" });

/** One line a slice, with a few failures by name; metrics without a dimension a meter. */
export const sliceLog: BridgeEvents = {
  slice(lane, { job, segment, part, generation }, { end, facts, durationMs }) {
    const { done, failed, samples, tries, wornCounters, offsetRaises, counterRefusals } = facts;
    const line = {
      jobId: job,
      segment,
      part,
      generation,
      lane,
      durationMs,
      end: end.kind,
      ...(end.kind === "nothing" ? { why: end.why } : {}),
      ...("stop" in end ? { stop: end.stop } : {}),
      outcomes: { done, ...failed },
      tries,
      ...(samples.length === 0
        ? {}
        : {
            failures: samples.map(({ cause, ...sample }) => ({
              ...sample,
              ...(cause === undefined ? {} : { cause: factsOf(cause) }),
            })),
          }),
      ...(wornCounters === 0 ? {} : { wornCounters }),
      ...(offsetRaises === 0 ? {} : { offsetRaises }),
      ...(counterRefusals === 0 ? {} : { counterRefusals }),
    };
    if (end.kind === "fault") {
      logger.error("slice abandoned", { ...line, fault: factsOf(end.error) });
      metrics.addMetric("abandonedSlices", MetricUnit.Count, 1);
    } else if (end.kind !== "nothing") logger.info("slice", line);
    else logger.debug("slice", line);
    if (end.kind === "nothing") return;
    metrics.addMetric("tasksDone", MetricUnit.Count, done);
    metrics.addMetric(
      "tasksFailed",
      MetricUnit.Count,
      Object.values(failed).reduce((sum, count) => sum + count, 0),
    );
    metrics.addMetric("sessions", MetricUnit.Count, tries);
    metrics.addMetric("sliceDuration", MetricUnit.Milliseconds, durationMs);
    // Each of these is an alarm: see the runbook.
    if (wornCounters > 0) metrics.addMetric("wornCounters", MetricUnit.Count, wornCounters);
    if (counterRefusals > 0) metrics.addMetric("counterRefusals", MetricUnit.Count, counterRefusals);
  },
  poison(lane, error) {
    logger.error("a message that cannot be read goes to the dead-letter queue", { lane, fault: factsOf(error) });
    metrics.addMetric("poisonMessages", MetricUnit.Count, 1);
  },
  trouble(lane, error) {
    logger.warn("a lane has trouble", { lane, fault: factsOf(error) });
  },
};

/** Writes what was counted since the last time as one metrics line. */
export const publishMetrics = (): void => {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
};
