import { describe, expect, it } from "vitest";
import { taskReport } from "../../shared/bridge/task-report.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { decodeMessage, encodeMessage, TaskReport } from "../../shared/jobs/messages.ts";
import { PlanPart, plannedSets } from "../../shared/metering/channel-plan.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import type { IntervalSet } from "../../shared/metering/result.ts";
import { expectedOn } from "../../shared/readings/expected-intervals.ts";
import { blocksOf } from "../../shared/readings/report-blocks.ts";

const DAY = Date.UTC(2026, 10, 2);

describe.each([...PROFILES.keys()])("what is read by device profile %s", (name) => {
  const profile = PROFILES.get(name);
  if (profile === undefined) throw new Error("the catalogue has it");
  const loadProfiles = profile.protocol === "dlms" ? profile.dlms.loadProfiles : profile.c1222.loadProfiles;

  it("goes through the queue and into day blocks, every channel of it", () => {
    const intervals = loadProfiles.map(
      ({ channelSet, period, channels }): IntervalSet => ({
        channelSet,
        period,
        channels: channels.map(({ measurement, scaler }) => ({ measurement, scaler })),
        entries: [{ end: DAY + period * 1000, values: channels.map((_, channel) => BigInt(channel)), status: 0 }],
      }),
    );
    const item = { slot: 3, meterId: MeterId.parse("M-1"), profile: { name, version: profile.version } } as AccessItem;
    const end = { kind: "done", result: { registers: [], intervals, refusals: [] } } as const;
    const sent = encodeMessage(TaskReport, taskReport(item, 1, DAY + 86_400_000, end));
    const report = decodeMessage(TaskReport, sent);
    const blocks = blocksOf(report, "0".repeat(16));
    expect(blocks.map(({ set, block }) => [set, block.entries.get(0)?.values.length])).toEqual(
      loadProfiles.map(({ channelSet, channels }) => [channelSet, channels.length]),
    );
  });

  it("is expected by a channel plan, but for what the meter captures once a local day", () => {
    const part = PlanPart.parse({ from: DAY - 86_400_000, sets: plannedSets(profile) });
    expect(expectedOn([part], DAY).map(({ set }) => set)).toEqual(
      loadProfiles.filter(({ period }) => period < 86_400).map(({ channelSet }) => channelSet),
    );
  });
});
