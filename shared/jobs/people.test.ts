import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { approvalDigest } from "./approval.ts";
import { approveJob } from "./approve-job.ts";
import { collected } from "./concurrency.ts";
import { engine, meterRows, T0 } from "./engine-fixture.ts";
import type { Job } from "./job.ts";
import { planJob } from "./plan-job.ts";
import { submitJob } from "./submit-job.ts";

const ANNA = { id: "1", name: "anna", roles: ["operator"] };
const BERT = { id: "2", name: "bert", roles: ["supervisor"] };
const START = T0 + 1_800_000;

/** A job that anna asked for, for a time ahead, and that bert has approved. */
async function approved() {
  const world = engine(meterRows([1], 3));
  const ports = {
    ...world.ports,
    orders: { acceptOrder: async () => true },
    gate: { assess: async () => ({ needed: 1, because: "size" }) as const, countMax: async () => 10 },
  };
  const asked = await submitJob(ports, ANNA, {
    operation: { kind: "operateSwitch", to: "open" },
    target: { kind: "all" },
    reason: "moved out",
    notBefore: START,
  });
  if (asked.kind !== "accepted") throw new Error(asked.because);
  const { jobId } = asked;
  const job = async (): Promise<Job> => (await ports.ledger.job(jobId))!;
  const plan = async () => planJob(ports, await job());
  await plan();
  const digest = approvalDigest(nodeCrypto, await job(), await collected(ports.ledger.slicesOf(jobId)));
  expect(await approveJob(ports, jobId, BERT, digest, async () => undefined)).toMatchObject({ state: "planned" });
  world.clock.pass(START - world.clock.now());
  return { ...world, ports, job, plan };
}

describe("an approved job", () => {
  it("starts where who asked and who approved are still in their roles", async () => {
    const { plan, sent } = await approved();
    expect((await plan()).state).toBe("running");
    expect(sent).toHaveLength(1);
  });

  it.each([
    ["approved", "bert", ["operator"], "bert, who approved it, is no supervisor any more"],
    ["asked", "anna", ["analyst"], "anna, who asked for it, is no operator or supervisor any more"],
    ["approved and has left", "bert", [], "bert, who approved it, is no supervisor any more"],
  ])("never starts where who %s has lost the role since, and says so", async (_, name, roles, reason) => {
    const { plan, job, people, sent } = await approved();
    people.set(name, roles);
    await plan();
    expect(await job()).toMatchObject({ state: "closed" });
    expect((await job()).steps?.at(-1)).toMatchObject({ action: "dropped", by: { id: "headrace" }, reason });
    expect(sent).toEqual([]);
  });

  it("waits while the directory does not answer, and where there is none", async () => {
    const { plan, people, ports, job, sent } = await approved();
    people.set("bert", "no answer");
    expect((await plan()).state).toBe("planned");
    const { people: _, ...without } = ports;
    expect((await planJob(without, await job())).state).toBe("planned");
    expect(sent).toEqual([]);
    people.delete("bert");
    expect((await plan()).state).toBe("running");
    expect(sent).toHaveLength(1);
  });
});
