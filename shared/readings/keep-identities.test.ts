import { expect, it } from "vitest";
import type { TaskReport } from "../jobs/messages.ts";
import { MeterId } from "../metering/meter.ts";
import { identityKeeper } from "./keep-identities.ts";

const at = (slot: number, when: number, identity?: TaskReport["identity"]): TaskReport => ({
  slot,
  meterId: MeterId.parse(`M-${slot}`),
  attempt: 1,
  at: when,
  outcome: { kind: "done" },
  ...(identity === undefined ? {} : { identity }),
});

it("what meters say of themselves is kept, and their segment is indexed anew once", async () => {
  const kept: unknown[] = [];
  const indexed: number[] = [];
  const identify = async (...said: readonly unknown[]) => kept.push(said) > 0;
  const keeper = identityKeeper({ identify }, async (segment) => void indexed.push(segment));
  const keep = (...reports: readonly TaskReport[]) =>
    keeper.keep({ segment: 7, reference: "aa".repeat(8), job: undefined, sentAt: 0, reports });
  await keep(at(1, 10, { firmware: "2.0" }), at(2, 10), at(3, 12, {}));
  await keep(at(2, 20));
  expect(kept).toEqual([
    [{ segment: 7, slot: 1 }, "M-1", { firmware: "2.0", at: 10 }],
    [{ segment: 7, slot: 3 }, "M-3", { at: 12 }], // it says nothing, and is not asked again soon
  ]);
  expect(indexed).toEqual([7]);
});
