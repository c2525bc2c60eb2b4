import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoHints } from "../../functions/adapters/dynamo-hints.ts";
import { HINT_EVERY_MS, HINTED_READS_MAX, type Hints, memoryHints, readHinted } from "../../shared/jobs/hints.ts";
import { JobId } from "../../shared/jobs/job.ts";
import type { JobRequest } from "../../shared/jobs/submit-job.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const T0 = Date.UTC(2026, 10, 2, 12);
const meter = (number: number): MeterId => MeterId.parse(`m-${String(number).padStart(4, "0")}`);

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

describe.each([
  { name: "in memory", made: (): Hints => memoryHints() },
  { name: "on DynamoDB", made: (): Hints => dynamoHints(dynamo.db, "Ledger") },
])("hints that a meter has something to say, $name", ({ made }) => {
  it("are noted once in a quarter of an hour a meter, whoever gets them, and read at most a hundred meters a minute", async () => {
    const hints = made();
    for (let number = 0; number <= HINTED_READS_MAX; number++) expect(await hints.note(meter(number), T0)).toBe(true);
    expect(await hints.note(meter(0), T0 + HINT_EVERY_MS - 1)).toBe(false);
    const submitted: JobRequest[] = [];
    const read = (now: number) =>
      readHinted(
        {
          hints,
          clock: { now: () => now },
          submit: async (_, request) => {
            submitted.push(request);
            return { kind: "accepted", jobId: JobId.parse("a".repeat(26)) } as never;
          },
        },
        now,
      );
    expect(await read(T0)).toMatchObject({ meters: HINTED_READS_MAX });
    expect(await read(T0)).toMatchObject({ meters: 1 });
    expect(await read(T0)).toBeUndefined();
    const [first] = submitted;
    expect(first).toMatchObject({ operation: { kind: "readIntervals" }, lane: "bulk", retry: { passes: 1 } });
    expect(first?.target).toMatchObject({ kind: "meters" });
    // Read is read: only another hint, a quarter of an hour later, has it read again.
    expect(await hints.note(meter(0), T0 + HINT_EVERY_MS - 1)).toBe(false);
    expect(await hints.note(meter(0), T0 + HINT_EVERY_MS)).toBe(true);
    expect(await hints.waiting(10)).toEqual([meter(0)]);
    await hints.taken([meter(0)]);
  });
});
