import { expect, it } from "vitest";
import type { JobId } from "./job.ts";
import type { Slice } from "./slice.ts";
import { noSlots, setSlot } from "./slots.ts";
import { type TaskEntry, tasksOf } from "./tasks.ts";

const sliceOf = (segment: number, failed: readonly number[], done: readonly number[]): Slice => {
  const slots = noSlots();
  for (const slot of failed) setSlot(slots, slot, "failed", "timeout");
  for (const slot of done) setSlot(slots, slot, "done");
  return { segment, part: 0, slots } as unknown as Slice;
};
const ledger = {
  async *slicesOf() {
    yield sliceOf(64, [3, 1000], [4]);
    yield sliceOf(1, [], [0]);
    yield sliceOf(2, [7], []);
  },
};
const job = "j" as JobId;

it("pages through all tasks, each once, in the ledger's order", async () => {
  const seen: TaskEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await tasksOf(ledger, job, { limit: 2, cursor });
    seen.push(...(page?.tasks ?? []));
    cursor = page?.cursor;
  } while (cursor !== undefined);
  expect(seen.map(({ segment, slot }) => `${segment}/${slot}`)).toEqual(["64/3", "64/4", "64/1000", "1/0", "2/7"]);
});

it("filters by state and says the reason", async () => {
  const page = await tasksOf(ledger, job, { state: "failed", limit: 10 });
  expect(page?.tasks.map(({ slot, reason }) => [slot, reason])).toEqual([
    [3, "timeout"],
    [1000, "timeout"],
    [7, "timeout"],
  ]);
  expect(page?.cursor).toBeUndefined();
});

it("knows no foreign cursor", async () => {
  expect(await tasksOf(ledger, job, { limit: 1, cursor: "x" })).toBeUndefined();
});
