import { expect, it } from "vitest";
import { collected } from "./concurrency.ts";
import { CALLER, engine, meterRows } from "./engine-fixture.ts";
import { planJob } from "./plan-job.ts";
import { recordOutcomes } from "./record-outcomes.ts";
import { ROTATION_SLICES } from "./rotation.ts";
import { submitJob } from "./submit-job.ts";
import { sweepLedger } from "./sweep.ts";

const SEGMENTS = 3_200; // 50 slices in each of 64 partitions
const MINUTE = 60_000;
const RETRY = { passes: 3, backoffSeconds: 60 };

async function large(segments = SEGMENTS) {
  const world = engine(
    meterRows(
      Array.from({ length: segments }, (_, segment) => segment),
      1,
    ),
  );
  const outcome = await submitJob(world.ports, CALLER, {
    operation: { kind: "readRegisters" },
    target: { kind: "all" },
  });
  const job = outcome.kind === "accepted" ? await world.ports.ledger.job(outcome.jobId) : undefined;
  if (job === undefined) throw new Error("no job");
  await planJob(world.ports, job);
  const { ledger } = world.ports;
  const sweep = async () => {
    world.clock.pass(MINUTE);
    return sweepLedger(world.ports);
  };
  const end = async (from: number, to: number): Promise<void> => {
    const done = [{ slot: 0, outcome: { kind: "done" as const } }];
    for (let segment = from; segment < to; segment++)
      await recordOutcomes(
        world.ports,
        { jobId: job.jobId, segment, part: 0 },
        { generation: 1, passOver: false },
        done,
        RETRY,
      );
  };
  return { ...world, jobId: job.jobId, ledger, sweep, end };
}

it("reads a large job whole once, and then its partitions in turn", async () => {
  const { sweep, ledger, jobId, clock } = await large();
  expect((await sweep()).counted).toBe(SEGMENTS);
  const first = clock.now();
  expect(await ledger.progress(jobId)).toMatchObject({ open: SEGMENTS, asOf: first });
  expect((await sweep()).counted).toBe(40 * 50);
  expect((await ledger.progress(jobId))?.asOf).toBe(first);
  expect((await sweep()).counted).toBeLessThanOrEqual(ROTATION_SLICES);
  expect((await ledger.progress(jobId))?.asOf).toBe(first + MINUTE);
});

it("counts what has ended no later than its turn, and says from when the counts are", async () => {
  const { sweep, end, ledger, jobId, clock } = await large();
  await sweep();
  await end(0, SEGMENTS / 2);
  const ended = clock.now();
  await sweep();
  const between = await ledger.progress(jobId);
  expect(between).toMatchObject({ asOf: ended });
  expect(between?.done).toBeGreaterThan(0);
  expect((between?.done ?? 0) + (between?.open ?? 0)).toBe(SEGMENTS);
  await sweep();
  expect(await ledger.progress(jobId)).toMatchObject({ done: SEGMENTS / 2, open: SEGMENTS / 2, asOf: ended + MINUTE });
});

it("reads no partition again whose slices are all closed, and closes the job by a count of all", async () => {
  const { sweep, end, ledger, jobId } = await large(640);
  await sweep();
  for (let partition = 0; partition < 32; partition++)
    for (let at = 0; at < 10; at++) await end(at * 64 + partition, at * 64 + partition + 1);
  expect((await sweep()).counted).toBe(640);
  expect((await sweep()).counted).toBe(320);
  await end(0, 640);
  expect((await sweep()).closedJobs).toBe(1);
  expect(await ledger.job(jobId)).toMatchObject({ state: "closed" });
  expect(await ledger.progress(jobId)).toMatchObject({ done: 640, open: 0 });
});

it("closes nothing on the word of final counts alone", async () => {
  const { sweep, end, ledger, jobId } = await large(640);
  await end(0, 640);
  const [some] = await collected(ledger.slicesOf(jobId));
  if (some === undefined) throw new Error("no slice");
  const late = { ...some, state: "planned" as const, part: 7, version: 1, slots: some.slots.map(() => 32) };
  const counted = sweep();
  await ledger.createSlice(late); // by a planner that was thought dead
  await counted;
  await sweep();
  expect(await ledger.job(jobId)).toMatchObject({ state: "running" });
  expect(await ledger.progress(jobId)).toMatchObject({ open: 1024, done: 640 });
});
