import { describe, expect, it } from "vitest";
import { virtualClock } from "../../test/simulation/virtual-clock.ts";
import type { PushReport } from "../jobs/push-message.ts";
import { readResults } from "../jobs/result-envelope.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import { MeterId } from "../metering/meter.ts";
import { pushBatcher } from "./push-batcher.ts";
import type { ResultGroup } from "./result-batcher.ts";

const push = (slot: number, event?: EventName): PushReport => ({
  slot,
  meterId: MeterId.parse(`m-${slot}`),
  proof: { key: "unicast", version: 1, counter: 2n ** 40n + BigInt(slot) },
  transport: "udp",
  receivedAt: 5,
  profile: { name: "p", version: 1 },
  frameDigest: "00".repeat(32),
  ...(event === undefined ? {} : { events: [{ at: 4, e: event, log: "alarms", code: "1" }] }),
});

function bench(fails = 0) {
  const clock = virtualClock();
  const sent: { readonly group: ResultGroup; readonly at: number; readonly slots: readonly number[] }[] = [];
  let failing = fails;
  const began = clock.now();
  const batcher = pushBatcher({
    clock,
    bridgeId: "b1-pushes",
    queue: {
      async send(body, group) {
        if (failing-- > 0) throw new Error("throttled");
        const message = readResults(body);
        if (message.kind !== "pushes") throw new Error(message.kind);
        sent.push({ group, at: clock.now() - began, slots: message.pushes.map((one) => one.push.slot) });
      },
    },
    batches: { putText: async () => "none" },
  });
  return { clock, sent, batcher };
}

describe("pushes on their way to ingest", () => {
  it("of one segment wait ten seconds for company; an alarm among them goes at once, by a group of its own", async () => {
    const { clock, sent, batcher } = bench();
    const all = [batcher.add(1, push(1)), batcher.add(2, push(2)), batcher.add(1, push(3))];
    await batcher.add(1, push(4, "power.last-gasp"));
    expect(sent).toEqual([{ group: "alarms", at: 0, slots: [4] }]);
    await clock.pass(11_000);
    await Promise.all(all);
    expect(sent.slice(1)).toEqual([
      { group: "pushes", at: 10_000, slots: [1, 3] },
      { group: "pushes", at: 10_000, slots: [2] },
    ]);
  });

  it("go within a second when one of them waits for its confirmation", async () => {
    const { clock, sent, batcher } = bench();
    void batcher.add(1, push(1));
    await clock.pass(3_000);
    const waits = batcher.add(1, push(2), true);
    void batcher.add(2, push(3));
    await clock.pass(1_000);
    await waits;
    expect(sent).toEqual([{ group: "pushes", at: 4_000, slots: [1, 2] }]);
  });

  it("go when there are a hundred, and when the bridge drains", async () => {
    const { sent, batcher } = bench();
    for (let slot = 0; slot < 101; slot++) void batcher.add(1, push(slot));
    await batcher.flush();
    expect(sent.map(({ slots }) => slots.length)).toEqual([100, 1]);
  });

  it("are tried again, and who waits is told when the queue would not take them", async () => {
    const { clock, sent, batcher } = bench(2);
    const added = batcher.add(1, push(1, "power.last-gasp"));
    await clock.pass(60_000);
    await added;
    expect(sent).toHaveLength(1);
    const failing = bench(100);
    const refused = expect(failing.batcher.add(1, push(1))).rejects.toThrow("throttled");
    await failing.clock.pass(60_000);
    await refused;
  });
});
