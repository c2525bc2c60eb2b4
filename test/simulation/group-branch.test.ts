import { describe, expect, it } from "vitest";
import { fanOutOf } from "../../shared/bridge/fan-out.ts";
import { groupAnswers } from "../../shared/bridge/group-answers.ts";
import { type GroupSendPorts, sendToGroup } from "../../shared/bridge/group-send.ts";
import { memoryAccess } from "../../shared/bridge/memory-access.ts";
import { memoryGroupRequests } from "../../shared/bridge/memory-group-requests.ts";
import { c1222Groups } from "../../shared/c1222/client/group-protocol.ts";
import { CALLER, engine, meterRows } from "../../shared/jobs/engine-fixture.ts";
import { GROUP_PART, GROUP_SEGMENT } from "../../shared/jobs/group-request.ts";
import { GroupRoute } from "../../shared/jobs/group-route.ts";
import type { Job } from "../../shared/jobs/job.ts";
import { decodeMessage, ResultBatch } from "../../shared/jobs/messages.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import type { Slice } from "../../shared/jobs/slice.ts";
import { advance } from "../../shared/jobs/slice-machine.ts";
import { slotState } from "../../shared/jobs/slots.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { type BranchFaults, QUIET_BRANCH } from "../../shared/simulator/cell-relay.ts";
import { Branch, GENERIC_US, GROUP } from "./c1222-branch.ts";

const SEGMENT = 4;
const METERS = 12;
const WINDOW_S = 60;

/** A group job over a branch of real C12.22 meters: from its acceptance to what ingest would get. */
async function asked(faults: BranchFaults, transport: "tcp" | "udp" = "tcp") {
  const branch = new Branch({ meters: METERS, faults, transport });
  const { clock } = branch;
  const rows = meterRows([SEGMENT], METERS);
  const { ports: memory, groupRoutes } = engine(rows);
  const ports = { ...memory, clock };
  const route = GroupRoute.parse({
    name: "branch",
    title: GROUP.title,
    members: { kind: "all" },
    profile: { name: GENERIC_US.name, version: GENERIC_US.version },
    windowSeconds: WINDOW_S,
    points: [branch.route],
    keyId: GROUP.keyId,
    version: 1,
  });
  groupRoutes.set("branch", route);
  const access = memoryAccess();
  const meterIds = rows.map(([meterId]) => MeterId.parse(meterId));
  for (const [slot, meter] of branch.meters.entries())
    await access.createAccessItem({
      segment: SEGMENT,
      slot,
      meterId: meterIds[slot]!,
      routes: [branch.route],
      profile: route.profile,
      systemTitle: meter.plan.apTitle,
      sealedKeys: { blob: Uint8Array.of(slot), version: 1 },
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
    });
  const submitted = await submitJob(ports, CALLER, {
    operation: { kind: "readRegisters", measurements: ["energy.active.import.total"] },
    target: { kind: "groupRoute", route: "branch" },
  });
  if (submitted.kind !== "accepted") throw new Error(submitted.because);
  const job = await planJob(ports, (await ports.ledger.job(submitted.jobId)) as Job);

  const requests = memoryGroupRequests();
  const common = { clock, sessionClock: clock, crypto: nodeCrypto, profiles: async () => GENERIC_US };
  const batches: ResultBatch[] = [];
  const answers = groupAnswers({
    ...common,
    access,
    registry: {
      claims: async (names) =>
        names.map(({ value }) => {
          const slot = branch.meters.findIndex(({ plan }) => plan.apTitle === value);
          return slot < 0 ? undefined : { meterId: meterIds[slot]!, at: 0 };
        }),
      meters: async (ids) =>
        new Map(
          ids.map((id) => [
            id,
            { state: "enrolled", place: { segment: SEGMENT, slot: meterIds.indexOf(id) } } as never,
          ]),
        ),
    },
    vault: { open: async (_context, blob) => branch.meters[blob[0]!]!.plan.enrolled },
    ledger: ports.ledger,
    requests,
    protocols: [c1222Groups],
    results: {
      queue: { send: async (body) => void batches.push(decodeMessage(ResultBatch, body)) },
      batches: { putText: async () => "none" },
    },
    bridgeId: "b-groups",
  });
  const fanOut = fanOutOf({
    relays: branch.relays,
    multicast: () => Promise.reject(new Error("no multicast here")),
    clock,
    sessionClock: clock,
    connectMs: 1_000,
  });
  const sending: GroupSendPorts = {
    ...common,
    ledger: ports.ledger,
    random: seeded(3),
    activeEpoch: async () => 1,
    groups: {
      keys: { open: async () => ({ route, key: { id: GROUP.keyId, hex: GROUP.key } }) },
      requests,
      protocols: () => c1222Groups,
      fanOut,
    },
  };
  const key = { jobId: job.jobId, segment: GROUP_SEGMENT, part: GROUP_PART };
  const slice = async () => (await ports.ledger.slice(key)) as Slice;
  const was = await slice();
  const taken = advance(was, { input: "taken", generation: 1, owner: "b", now: clock.now() });
  if (taken.kind !== "next") throw new Error(taken.because);
  await ports.ledger.writeSlice(was, taken.slice);
  await clock.until(sendToGroup(sending, job, await slice(), async () => undefined));
  expect(slotState((await slice()).slots, 0)).toBe("done");
  await clock.pass((WINDOW_S - 1) * 1000);
  const held = branch.relays.connections;
  for (const apdu of branch.other) answers.receive(apdu);
  await clock.until(answers.drain());
  return { branch, batches, answers, held };
}

describe("a group job over a branch of C12.22 meters", () => {
  it("is one APDU to the relay, and brings what each meter shows, under its own key", async () => {
    const { branch, batches, answers, held } = await asked(QUIET_BRANCH);
    expect(branch.sent.length).toBe(1);
    expect(branch.relay.counts).toMatchObject({ received: 1, repeated: 1, copies: METERS, forwarded: 0 });
    expect(answers.counts()).toEqual({ taken: METERS, reported: METERS });
    expect(held).toBe(1);
    const told = batches.flatMap(({ tasks }) => tasks);
    for (const [slot, meter] of branch.meters.entries()) {
      const [register] = told.find((task) => task.slot === slot)?.registers ?? [];
      const shown = meter.truth(branch.clock.now() - 900_000, branch.clock.now()).registers.map(({ value }) => value);
      expect(shown, meter.plan.apTitle).toContain(register?.v);
    }
  });

  it("lets the relay's connection go when its window is over", async () => {
    const { branch } = await asked(QUIET_BRANCH);
    await branch.clock.pass(WINDOW_S * 1000);
    expect(branch.relays.connections).toBe(0);
  });

  it("takes each answer once on a branch that loses and doubles them; who is not heard is asked later", async () => {
    const { branch, batches, answers } = await asked({ drop: 0.3, duplicate: 0.3, delayMs: 3_000 });
    const slots = batches.flatMap(({ tasks }) => tasks.map(({ slot }) => slot));
    expect(branch.sent.length).toBe(1);
    expect(new Set(slots).size).toBe(slots.length);
    expect(slots.length).toBeGreaterThan(0);
    expect(slots.length).toBeLessThan(METERS);
    expect(answers.counts()?.taken).toBe(slots.length);
  });

  it("is the same over datagrams", async () => {
    const { branch, answers } = await asked(QUIET_BRANCH, "udp");
    expect(branch.relay.counts).toMatchObject({ repeated: 1, copies: METERS });
    expect(answers.counts()).toEqual({ taken: METERS, reported: METERS });
  });
});
