import { describe, expect, it } from "vitest";
import { CALLER, engine, meterRows, T0 } from "../jobs/engine-fixture.ts";
import { GROUP_PART, GROUP_SEGMENT } from "../jobs/group-request.ts";
import { GroupRoute } from "../jobs/group-route.ts";
import type { Job } from "../jobs/job.ts";
import { planJob } from "../jobs/plan-job.ts";
import type { Slice } from "../jobs/slice.ts";
import { advance } from "../jobs/slice-machine.ts";
import { slotReason, slotState } from "../jobs/slots.ts";
import { submitJob } from "../jobs/submit-job.ts";
import type { FanOutPoint } from "../metering/fan-out-point.ts";
import { GROUP_INVOCATION_IDS } from "../metering/group.ts";
import type { Operation } from "../metering/operation.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import { LinkError } from "../ports/link.ts";
import { toHex } from "../ports/octets.ts";
import { askedOf, PAPER_KEY, paperKey, paperProtocol } from "./group-fixture.ts";
import { type GroupPorts, type GroupSendPorts, sendToGroup } from "./group-send.ts";
import { memoryGroupRequests } from "./memory-group-requests.ts";

const ROUTE = GroupRoute.parse({
  name: "north",
  title: ".0.7",
  members: { kind: "all" },
  profile: { name: "generic-us", version: 1 },
  windowSeconds: 300,
  points: [1153, 1154].map((port) => ({ kind: "multicast", address: "239.1.2.3", port })),
  keyId: 1,
  version: 4,
});

async function world(
  changed: { route?: GroupRoute | undefined; operation?: Operation; groups?: Partial<GroupPorts> } = {},
) {
  const { ports, clock, groupRoutes } = engine(meterRows([3], 2));
  groupRoutes.set("north", ROUTE);
  const request = { operation: { kind: "readRegisters" }, target: { kind: "groupRoute", route: "north" } } as const;
  const outcome = await submitJob(ports, CALLER, request);
  if (outcome.kind !== "accepted") throw new Error(outcome.because);
  const job = await planJob(ports, (await ports.ledger.job(outcome.jobId)) as Job);
  const sent: { port: number; apdu: string; until: number }[] = [];
  const unreachable = new Set<number>();
  const requests = memoryGroupRequests();
  const groups: GroupPorts = {
    keys: { open: async () => (changed.route === undefined ? undefined : { route: changed.route, key: paperKey }) },
    requests,
    protocols: () => paperProtocol(),
    fanOut: {
      async send(point: FanOutPoint, apdu, until) {
        if (unreachable.has(point.port)) throw new LinkError("link.unreachable", "refused");
        sent.push({ port: point.port, apdu: toHex(apdu), until });
      },
    },
    ...changed.groups,
  };
  const sending: GroupSendPorts = {
    ...ports,
    sessionClock: clock,
    profiles: async (name) => PROFILES.get(name),
    activeEpoch: async () => 1,
    groups,
  };
  const key = { jobId: job.jobId, segment: GROUP_SEGMENT, part: GROUP_PART };
  const slice = async () => (await ports.ledger.slice(key)) as Slice;
  const take = async (): Promise<Slice> => {
    const was = await slice();
    const step = advance(was, { input: "taken", generation: was.generation, owner: "b", now: clock.now() });
    if (step.kind !== "next") throw new Error(step.because);
    await ports.ledger.writeSlice(was, step.slice);
    return slice();
  };
  const operation = changed.operation ?? job.operation;
  const run = async (stop: Parameters<typeof sendToGroup>[3] = async () => undefined) =>
    sendToGroup(sending, { ...job, operation }, await take(), stop);
  const states = async () => {
    const { slots } = await slice();
    return [0, 1].map((slot) => `${slotState(slots, slot)} ${slotReason(slots, slot)}`);
  };
  return { run, states, sent, unreachable, requests, job, clock, slice, sending };
}

describe("a group request", () => {
  it("is one message a fan-out point, secured with the group's key, under an id of its own", async () => {
    const { run, states, sent } = await world({ route: ROUTE });
    expect(await run()).toBeUndefined();
    expect(sent.map(({ port, until }) => [port, until])).toEqual([
      [1153, T0 + 300_000],
      [1154, T0 + 300_000],
    ]);
    expect(new Set(sent.map(({ apdu }) => apdu)).size).toBe(1);
    const asked = askedOf(Buffer.from(sent[0]?.apdu ?? "", "hex"), PAPER_KEY);
    expect(asked).toMatchObject({ to: ".0.7", id: GROUP_INVOCATION_IDS, at: T0 });
    expect(await states()).toEqual(["done none", "done none"]);
  });

  it("is written down before it is sent: whoever goes on sends the same octets, to the other points only", async () => {
    const { run, states, sent, unreachable, clock, slice, sending, job } = await world({ route: ROUTE });
    unreachable.add(1154);
    await run();
    expect(await states()).toEqual(["done none", "open unreachable"]);
    unreachable.clear();
    clock.pass(70_000);
    await sendToGroup(sending, job, await slice(), async () => undefined);
    expect(sent.map(({ port }) => port)).toEqual([1153, 1154]);
    expect(sent[1]?.apdu).toBe(sent[0]?.apdu);
  });

  it("never has the invocation id of another one, nor an earlier time, whatever route it goes by", async () => {
    const requests = memoryGroupRequests();
    const drawn = [await requests.draw(1, T0), await requests.draw(1, T0 - 10), await requests.draw(2, T0 + 1)];
    expect(drawn.map(({ invocationId }) => invocationId - GROUP_INVOCATION_IDS)).toEqual([0, 1, 2 + 2 ** 22]);
    expect(drawn.map(({ at }) => at - T0)).toEqual([0, 0, 1]);
    await expect(requests.draw(1, T0)).rejects.toMatchObject({ code: "epoch.stale" });
  });

  it("of an operation that a group's key does not authorise is not composed, whatever a planner let through", async () => {
    const { run, states, sent, requests, job } = await world({
      route: ROUTE,
      operation: { kind: "operateSwitch", to: "open" },
    });
    await run();
    expect(sent).toEqual([]);
    expect(await states()).toEqual(["failed unsafe", "failed unsafe"]);
    expect(await requests.ofJob(job.jobId)).toBeUndefined();
  });

  it.each([
    ["that was changed since the job was accepted", { ...ROUTE, version: 5 }],
    ["that is gone", undefined],
  ])("by a route %s is not sent", async (_, route) => {
    const { run, states, sent } = await world({ route });
    await run();
    expect(sent).toEqual([]);
    expect(await states()).toEqual(["failed unsupported", "failed unsupported"]);
  });

  it("stops where its slice has to, and leaves the other points to whoever goes on", async () => {
    const { run, states, sent } = await world({ route: ROUTE });
    let asked = 0;
    expect(await run(async () => (++asked > 2 ? "lost" : undefined))).toBe("lost");
    expect(sent.length).toBe(1);
    expect((await states()).filter((state) => state.startsWith("open")).length).toBe(1);
  });
});
