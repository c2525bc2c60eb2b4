import { describe, expect, it } from "vitest";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import { engine, T0 } from "./engine-fixture.ts";
import type { Job } from "./job.ts";
import { JobId } from "./job.ts";
import { besides, otherWaysOf, partsOf } from "./parts.ts";
import { planJob } from "./plan-job.ts";
import { noSlots, setSlot, slotsIn } from "./slots.ts";
import { slotsOfBitmap } from "./targets.ts";

const bitmap = (...slots: readonly number[]): Uint8Array => {
  const octets = new Uint8Array(SEGMENT_SLOTS / 8);
  for (const slot of slots) octets[slot >> 3] = (octets[slot >> 3] ?? 0) | (1 << (slot & 7));
  return octets;
};
async function* found(...ways: { segment: number; wayIn: string; bitmap: Uint8Array }[]) {
  yield* ways;
}

describe("parts of a segment", () => {
  it("are one by each way in, in the same order each time, and share no slot", async () => {
    const b = { segment: 3, wayIn: "collector:b", bitmap: bitmap(5, 9) };
    const a = { segment: 3, wayIn: "collector:a", bitmap: bitmap(4, 9, 100) };
    const ways = await otherWaysOf(found(b, a));
    const parts = partsOf({ segment: 3, bitmap: bitmap(1, 4, 5, 9) }, ways.get(3));
    expect(parts.map(({ part, bitmap: slots }) => [part, slotsOfBitmap(slots)])).toEqual([
      [0, [1]],
      [1, [4, 9]],
      [2, [5]],
    ]);
    expect(partsOf({ segment: 4, bitmap: bitmap(1) }, ways.get(4)).map(({ part }) => part)).toEqual([0]);
    expect(partsOf({ segment: 3, bitmap: bitmap(5) }, ways.get(3)).map(({ part }) => part)).toEqual([2]);
  });

  it("leave out what another part targets already, however its tasks stand", () => {
    const slots = noSlots();
    setSlot(slots, 4, "done");
    const part = { segment: 3, part: 1, bitmap: bitmap(4, 9) };
    expect(slotsOfBitmap(besides(part, { slots }).bitmap)).toEqual([9]);
  });
});

describe("a planned job", () => {
  const job: Job = {
    jobId: JobId.parse("p".repeat(26)),
    operation: { kind: "readRegisters" },
    target: { kind: "all" },
    lane: "bulk",
    state: "planning",
    createdAt: T0,
    deadline: T0 + 3_600_000,
    retry: { passes: 1, backoffSeconds: 60 },
    caller: { id: "anna", roles: [] },
  };
  const town = () => {
    const { ports, sent } = engine();
    const meter = { moved: true };
    const targets = {
      ...ports.targets,
      members: () => found({ segment: 3, wayIn: "", bitmap: bitmap(1, 2, 9) }),
      otherWays: () => (meter.moved ? found({ segment: 3, wayIn: "collector:b", bitmap: bitmap(9) }) : found()),
    };
    return { ports: { ...ports, targets }, sent, meter };
  };

  it("has a slice for each way in", async () => {
    const { ports, sent } = town();
    await ports.ledger.createJob(job);
    expect(await planJob(ports, job)).toMatchObject({ state: "running", slices: 2, tasks: 3 });
    expect(sent.map(({ segment, part }) => [segment, part])).toEqual([
      [3, 0],
      [3, 1],
    ]);
    const slice = await ports.ledger.slice({ jobId: job.jobId, segment: 3, part: 1 });
    expect(slotsIn(slice?.slots ?? noSlots(), "open")).toEqual([9]);
  });

  it("targets a meter once, though it changed its way in while planning was interrupted", async () => {
    const { ports, meter } = town();
    await ports.ledger.createJob(job);
    meter.moved = false;
    await planJob({ ...ports, ledger: { ...ports.ledger, moveJob: async () => "conflict" } }, job);
    meter.moved = true;
    expect(await planJob(ports, job)).toMatchObject({ state: "running", slices: 1, tasks: 3 });
  });
});
