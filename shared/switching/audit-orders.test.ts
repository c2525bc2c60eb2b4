import { describe, expect, it } from "vitest";
import { memoryTimeline } from "../events/memory-timeline.ts";
import type { Job } from "../jobs/job.ts";
import { MeterId } from "../metering/meter.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { auditLog } from "../security/audit.ts";
import { memoryAudit } from "../security/memory-audit.ts";
import { GIVEN_UP, outcomeKeeper } from "./audit-orders.ts";

const NOW = 1_700_000_000_000;
const clock = { now: () => NOW, sleep: async () => {} };
const meterId = MeterId.parse("M-1");
const job = {
  jobId: "j".repeat(26),
  operation: { kind: "operateSwitch", to: "open" },
  caller: { id: "anna", name: "Anna", roles: ["operator"] },
} as unknown as Job;

function world() {
  const audit = memoryAudit();
  const timeline = memoryTimeline();
  const keeper = outcomeKeeper(auditLog({ store: audit, crypto: nodeCrypto, clock }), clock, timeline);
  return { audit, timeline, keeper };
}

describe("what is kept of how orders ended", () => {
  it("is nothing while it is still looked for, and the end once it is known", async () => {
    const { audit, keeper } = world();
    const told = (outcome: object) =>
      keeper.keep({
        segment: 3,
        reference: "aa".repeat(8),
        job,
        sentAt: NOW,
        reports: [{ slot: 5, meterId, attempt: 1, at: NOW, outcome } as never],
      });
    await told({ kind: "failed", reason: "unverified", code: "switch.elsewhere", retry: "later" });
    expect(audit.links).toEqual([]);
    await told({ kind: "done" });
    expect(audit.links.map(({ entry }) => entry)).toMatchObject([
      { action: "order.outcome", meterId, by: { id: "anna" }, detail: { outcome: "done" } },
    ]);
  });

  it("is that nobody looks any more, in audit and timeline, once however often it is told", async () => {
    const { audit, timeline, keeper } = world();
    for (let times = 0; times < 2; times++) await keeper.givenUp(job, [meterId]);
    expect(await timeline.of(meterId, 0, NOW, 10)).toMatchObject([
      { kind: "command", outcome: "failed", reason: "unverified", code: GIVEN_UP },
    ]);
    expect(audit.links[0]?.entry).toMatchObject({
      action: "order.outcome",
      meterId,
      detail: { reason: "unverified", code: GIVEN_UP },
    });
  });
});
