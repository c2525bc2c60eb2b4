import { describe, expect, it } from "vitest";
import { virtualClock } from "../../test/simulation/virtual-clock.ts";
import { JobId } from "../jobs/job.ts";
import type { Lane } from "../jobs/lane.ts";
import { decodeMessage, ResultBatch, ResultMessage, type TaskReport } from "../jobs/messages.ts";
import { MeterId } from "../metering/meter.ts";
import { resultBatcher } from "./result-batcher.ts";

const report = (slot: number, values = 0): TaskReport => ({
  slot,
  meterId: MeterId.parse(`m-${slot}`),
  attempt: 1,
  at: 5,
  outcome: { kind: "done" },
  registers: [{ m: "energy.active.import.total", v: 2n ** 63n - 1n, s: -3 }],
  ...(values === 0
    ? {}
    : {
        intervals: [
          {
            set: "load",
            period: 900,
            channels: [{ m: "energy.active.import.total", s: 0 }],
            ends: Array.from({ length: values }, (_, index) => 900_000 * index),
            values: [Array.from({ length: values }, (_, index) => (index % 7 === 0 ? null : 1_000_000n))],
            status: Array.from({ length: values }, () => 0),
          },
        ],
      }),
});

function bench(lane: Lane, fails = 0) {
  const clock = virtualClock();
  const bodies: string[] = [];
  const objects = new Map<string, string>();
  let failing = fails;
  const reports = resultBatcher({
    clock,
    bridgeId: "b1",
    queue: {
      async send(body) {
        if (failing-- > 0) throw new Error("throttled");
        bodies.push(body);
      },
    },
    batches: {
      async putText({ batch }, text) {
        objects.set(batch, text);
        return batch;
      },
    },
  }).open(lane, { v: 1, job: JobId.parse("a".repeat(26)), segment: 4, part: 1, generation: 2 });
  const batches = () =>
    bodies.map((body) => {
      const message = decodeMessage(ResultMessage, body);
      return "object" in message ? decodeMessage(ResultBatch, objects.get(message.object) ?? "") : message;
    });
  return { clock, bodies, objects, reports, batches };
}

describe("result batches", () => {
  it("of commands and interactive leave at once, but wait for the end when that follows", async () => {
    const { reports, batches, clock } = bench("interactive");
    reports.add(report(0), false);
    reports.add(report(1), true);
    await clock.until(reports.finish(true));
    expect(batches().map(({ tasks, passOver }) => [tasks.map(({ slot }) => slot), passOver])).toEqual([
      [[0], false],
      [[1], true],
    ]);
  });

  it("of other lanes leave by a hundred, or after a second", async () => {
    const { reports, batches, clock } = bench("bulk");
    for (let slot = 0; slot < 130; slot++) reports.add(report(slot), false);
    await clock.pass(999);
    expect(batches().map(({ tasks }) => tasks.length)).toEqual([100]);
    await clock.pass(1);
    expect(batches().map(({ tasks }) => tasks.length)).toEqual([100, 30]);
    await clock.until(reports.finish(false));
    expect(batches()).toHaveLength(2); // nothing waited, and the pass is not over
    expect(batches()[0]).toMatchObject({ v: 1, batch: "b1-1", bridge: "b1", segment: 4, part: 1, generation: 2 });
    expect(batches()[0]?.tasks[7]).toEqual(report(7));
  });

  it("stay below 200 kB a message; what is larger by itself goes as an object", async () => {
    const { reports, batches, bodies, objects, clock } = bench("bulk");
    for (let slot = 0; slot < 60; slot++) reports.add(report(slot, 192), false);
    reports.add(report(60, 20_000), false);
    reports.add(report(61), false);
    await clock.until(reports.finish(true));
    expect(bodies.every((body) => body.length <= 200_000)).toBe(true);
    expect([...objects.values()].map((text) => text.length > 200_000)).toEqual([true]);
    const tasks = batches().flatMap((batch) => batch.tasks);
    expect(
      batches()
        .map(({ passOver }) => passOver)
        .lastIndexOf(false),
    ).toBe(batches().length - 2);
    expect(tasks.toSorted((a, b) => a.slot - b.slot)).toEqual(
      Array.from({ length: 62 }, (_, slot) => report(slot, slot < 60 ? 192 : slot === 60 ? 20_000 : 0)),
    );
    expect(new Set(batches().map(({ batch }) => batch)).size).toBe(batches().length);
  });

  it("are sent again when that fails, and finish says so when it never works", async () => {
    const patient = bench("urgent", 5);
    patient.reports.add(report(0), true);
    await patient.clock.until(patient.reports.finish(true));
    expect(patient.batches()).toHaveLength(1);
    const hopeless = bench("urgent", 6);
    hopeless.reports.add(report(0), false);
    await hopeless.clock.pass(60_000);
    await expect(hopeless.clock.until(hopeless.reports.finish(false))).rejects.toThrow("throttled");
  });
});
