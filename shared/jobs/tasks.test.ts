import { expect, it } from "vitest";
import { JobId } from "./job.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { partitionsOf } from "./partitions.ts";
import { tallyOf } from "./progress.ts";
import type { Slice } from "./slice.ts";
import { sliceOf } from "./slice-fixture.ts";
import { noSlots, setSlot } from "./slots.ts";
import { PAGE_SLICES, type TaskEntry, tasksOf } from "./tasks.ts";

const jobId = JobId.parse("j".repeat(26));

const closedSlice = (segment: number, failed: readonly number[], done: readonly number[], part = 0): Slice => {
  const slots = noSlots();
  for (const slot of failed) setSlot(slots, slot, "failed", "timeout");
  for (const slot of done) setSlot(slots, slot, "done");
  return sliceOf("closed", { jobId, segment, part, slots });
};

/** A ledger of these slices that counts how many are read. */
async function stored(slices: readonly Slice[]) {
  const ledger = memoryLedger();
  for (const slice of slices) await ledger.createSlice(slice);
  const job = { jobId, slices: slices.length, partitions: partitionsOf(slices.map(({ segment }) => segment)) };
  const reads = { slices: 0 };
  const counting: Parameters<typeof tasksOf>[0] = {
    progress: ledger.progress,
    async *slicesOf(...asked) {
      for await (const slice of ledger.slicesOf(...asked)) {
        reads.slices++;
        yield slice;
      }
    },
  };
  const listed = async (state: TaskEntry["state"] | undefined, limit: number): Promise<readonly string[][]> => {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await tasksOf(counting, job, { state, limit, cursor });
      if (page === undefined) throw new Error("a cursor of its own is refused");
      pages.push(page.tasks.map(({ segment, slot }) => `${segment}/${slot}`));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return pages;
  };
  return { ledger, job, reads, counting, listed };
}

const few = [closedSlice(2, [7], []), closedSlice(64, [3, 1000], [4]), closedSlice(1, [], [0])];

it("pages through all tasks, each once, in the ledger's order", async () => {
  const { listed } = await stored(few);
  expect(await listed(undefined, 2)).toEqual([["64/3", "64/4"], ["64/1000", "1/0"], ["2/7"]]);
});

it("goes on where the page before ended, without reading again what lies before", async () => {
  const { listed, reads } = await stored(
    Array.from({ length: 200 }, (_, segment) => closedSlice(segment, [segment], [])),
  );
  expect((await listed("failed", 10)).flat()).toHaveLength(200);
  expect(reads.slices).toBe(200 + 19); // the first of a page is the one that the page before had no room for
});

it("ends a page after so many slices, however few tasks it found, and still finds them all", async () => {
  const last = 2 * PAGE_SLICES + 5;
  const { listed, reads } = await stored(
    Array.from({ length: last + 1 }, (_, segment) => closedSlice(segment, segment === last ? [9] : [], [1])),
  );
  const pages = await listed("failed", 10);
  expect(pages.length).toBe(3);
  expect(pages.flat()).toEqual([`${last}/9`]);
  expect(reads.slices).toBe(last + 1 + 2);
});

it("does not read partitions whose final counts have no such task", async () => {
  const { ledger, listed, reads } = await stored(
    Array.from({ length: 640 }, (_, segment) => closedSlice(segment, segment === 77 ? [5] : [], [1])),
  );
  await ledger.writeProgress(jobId, (await tallyOf(ledger.slicesOf(jobId), 0)).progress);
  expect(await listed("failed", 10)).toEqual([["77/5"]]);
  expect(reads.slices).toBe(10);
});

it("reads a partition that is not final, whatever its last count says", async () => {
  const slices = Array.from({ length: 128 }, (_, segment) => closedSlice(segment, [], [1]));
  const { ledger, listed } = await stored(slices);
  const { progress } = await tallyOf(ledger.slicesOf(jobId), 0);
  const open = progress.partitions?.map((tally) => ({ ...tally, closed: false })) ?? [];
  await ledger.writeProgress(jobId, { ...progress, partitions: open });
  const was = await ledger.slice({ jobId, segment: 70, part: 0 });
  if (was === undefined) throw new Error("no slice");
  await ledger.writeSlice(was, closedSlice(70, [2], []));
  expect(await listed("failed", 10)).toEqual([["70/2"]]);
});

it("filters by state and says the reason", async () => {
  const { counting, job } = await stored(few);
  const page = await tasksOf(counting, job, { state: "failed", limit: 10 });
  expect(page?.tasks.map(({ slot, reason }) => [slot, reason])).toEqual([
    [3, "timeout"],
    [1000, "timeout"],
    [7, "timeout"],
  ]);
  expect(page?.cursor).toBeUndefined();
});

it("knows no foreign cursor", async () => {
  const { counting, job } = await stored(few);
  expect(await tasksOf(counting, job, { limit: 1, cursor: "x" })).toBeUndefined();
});
