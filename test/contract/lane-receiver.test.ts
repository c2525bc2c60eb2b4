import { CreateQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sqsLaneReceiver } from "../../functions/adapters/sqs-lane-receiver.ts";
import type { LaneMessage, LaneReceiver } from "../../shared/bridge/bridge.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { seeded } from "../../shared/ports/random.ts";
import { receiver } from "../simulation/bridges.ts";
import { FaultPlan } from "../simulation/fault-plan.ts";
import { SimulatedProcess } from "../simulation/simulated-process.ts";
import { SimulatedQueue } from "../simulation/simulated-queue.ts";
import { VirtualTime } from "../simulation/virtual-time.ts";
import { type EmbeddedSqs, embeddedSqs } from "./embedded-sqs.ts";

/** One lane, and its time: virtual in the simulation, real before the embedded queue. */
interface Lane {
  readonly receiver: LaneReceiver;
  send(body: string): Promise<void>;
  /** Until the invisibility that a receive gives has run out. */
  lapse(): Promise<void>;
  until<T>(promise: Promise<T>): Promise<T>;
}

function simulatedLane(): Lane {
  const time = new VirtualTime(1_700_000_000_000);
  const random = seeded("lane");
  const faults = new FaultPlan(1, random, { stateOf: () => undefined, all: () => [] });
  faults.active = false;
  const queue = new SimulatedQueue({ time, random, faults });
  const ports = { time, random, faults, crash: () => undefined, trace: undefined, onReceive: undefined };
  const about = { jobId: JobId.parse("a".repeat(26)), segment: 0, part: 0 };
  const until = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    promise.then(end, end);
    await time.run(() => settled);
    return promise;
  };
  return {
    receiver: receiver(ports, new SimulatedProcess(time, "bridge", "bridge"), queue),
    send: async (body) => queue.send(body, about),
    lapse: async () => void (await time.run(() => false, time.now + 60_001)),
    until,
  };
}

const VISIBILITY_SECONDS = 1;
let embedded: EmbeddedSqs;
let queues = 0;
beforeAll(async () => {
  embedded = await embeddedSqs();
});
afterAll(() => embedded.close());

async function sqsLane(): Promise<Lane> {
  const Attributes = { VisibilityTimeout: String(VISIBILITY_SECONDS) };
  const { QueueUrl = "" } = await embedded.sqs.send(
    new CreateQueueCommand({ QueueName: `receiver-${++queues}`, Attributes }),
  );
  return {
    receiver: sqsLaneReceiver(embedded.sqs, QueueUrl),
    send: async (MessageBody) => void (await embedded.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))),
    lapse: () => new Promise((resolve) => setTimeout(resolve, VISIBILITY_SECONDS * 1000 + 200)),
    until: (promise) => promise,
  };
}

describe.each<{ name: string; open: () => Lane | Promise<Lane> }>([
  { name: "in the simulation", open: simulatedLane },
  { name: "on SQS", open: sqsLane },
])("the receiver of a lane $name", ({ open }) => {
  const signal = new AbortController().signal;
  const received = async (lane: Lane, max = 10): Promise<readonly LaneMessage[]> =>
    lane.until(lane.receiver.receive(max, signal));
  const one = async (lane: Lane): Promise<LaneMessage> => {
    const [message] = await received(lane, 1);
    if (message === undefined) throw new Error("expected a message, got none");
    return message;
  };

  it("gives a message again when its invisibility has run out, and counts", async () => {
    const lane = await open();
    await lane.send("a");
    const first = await one(lane);
    expect(first).toMatchObject({ body: "a", receives: 1 });
    expect(first.sentAt).toBeGreaterThan(1_600_000_000_000);
    await lane.lapse();
    const second = await one(lane);
    expect(second).toMatchObject({ body: "a", receives: 2, sentAt: first.sentAt });
  });

  it("gives no more at once than it is asked for, and each to one receive", async () => {
    const lane = await open();
    for (const body of ["a", "b", "c"]) await lane.send(body);
    const bodies = [...(await received(lane, 2)), ...(await received(lane, 2))].map(({ body }) => body);
    expect(bodies.sort()).toEqual(["a", "b", "c"]);
  });

  it("keeps a renewed message away for longer, and gives one back at once that is renewed for no time", async () => {
    const lane = await open();
    await lane.send("a");
    const held = await one(lane);
    await lane.until(held.renew(600_000));
    await lane.lapse();
    await lane.send("b");
    const other = await one(lane);
    expect(other.body).toBe("b");
    await lane.until(other.renew(0));
    expect(await one(lane)).toMatchObject({ body: "b", receives: 2 });
  });

  it("refuses to renew a message that is gone", async () => {
    const lane = await open();
    await lane.send("a");
    const message = await one(lane);
    await lane.until(message.delete());
    await expect(lane.until(message.renew(60_000))).rejects.toThrow();
  });

  it("forgets what is deleted, twice as well as once", async () => {
    const lane = await open();
    await lane.send("a");
    const message = await one(lane);
    await lane.until(message.delete());
    await lane.until(message.delete());
    await lane.lapse();
    await lane.send("b");
    expect((await received(lane)).map(({ body }) => body)).toEqual(["b"]);
  });

  it("waits for what is sent while it is asked", async () => {
    const lane = await open();
    const waiting = lane.receiver.receive(10, signal);
    await lane.send("late");
    expect((await lane.until(waiting)).map(({ body }) => body)).toEqual(["late"]);
  });
});
