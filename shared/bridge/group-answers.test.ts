import { describe, expect, it } from "vitest";
import type { AccessItem } from "../jobs/access.ts";
import { handClock, T0 } from "../jobs/engine-fixture.ts";
import type { SentGroupRequest } from "../jobs/group-request.ts";
import { Job, type JobState } from "../jobs/job.ts";
import { decodeMessage, type ResultBatch, ResultBatch as ResultBatchCodec } from "../jobs/messages.ts";
import { GROUP_INVOCATION_IDS } from "../metering/group.ts";
import { MeterId } from "../metering/meter.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { type GroupAnswers, groupAnswers } from "./group-answers.ts";
import { paperAnswer, paperProtocol } from "./group-fixture.ts";
import { memoryAccess } from "./memory-access.ts";

const JOB = "j".repeat(26);
const ID = GROUP_INVOCATION_IDS + 7;
const METERS = 3;
const titleOf = (number: number): string => `.1.${number + 1}`;
const keyOf = (number: number): string => String(number).padStart(32, "0");
const VALUE = new Map([["energy.active.import.total", 41n]] as const);

interface Options {
  readonly state?: JobState;
  readonly operation?: Job["operation"];
  /** How meters were enrolled: their whole titles, or from the root on. */
  readonly whole?: boolean;
  readonly profile?: string;
  readonly sendFails?: boolean;
}

async function world({ state = "running", operation, whole = false, profile, sendFails = false }: Options = {}) {
  const clock = handClock();
  const job = Job.parse({
    jobId: JOB,
    operation: operation ?? { kind: "readRegisters" },
    target: { kind: "groupRoute", route: "north" },
    lane: "bulk",
    state,
    createdAt: T0,
    deadline: T0 + 3_600_000,
    retry: { passes: 3, backoffSeconds: 60 },
    caller: { id: "anna", roles: [] },
  });
  const request: SentGroupRequest = {
    jobId: job.jobId,
    route: "north",
    groupTitle: ".0.7",
    invocationId: ID,
    at: T0,
    profile: { name: "generic-us", version: 1 },
    points: [],
    apdu: new Uint8Array(1),
  };
  const access = memoryAccess();
  const enrolled = (number: number): string => (whole ? `2.16.124.113620.1.22.0${titleOf(number)}` : titleOf(number));
  for (let number = 0; number < METERS; number++) {
    const item: AccessItem = {
      segment: number % 2,
      slot: number,
      meterId: MeterId.parse(`M-${number}`),
      routes: [{ kind: "dial", host: "127.0.0.1", port: 1, transport: "tcp" }],
      profile: { name: profile ?? "generic-us", version: 1 },
      systemTitle: titleOf(number),
      sealedKeys: { blob: new Uint8Array(1), version: 1 },
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
    };
    await access.createAccessItem(item);
  }
  const asked = { requests: 0, vault: 0 };
  const batches: ResultBatch[] = [];
  const answers = groupAnswers({
    clock,
    sessionClock: clock,
    crypto: nodeCrypto,
    access,
    registry: {
      claims: async (names) =>
        names.map(({ value }) => {
          const number = Array.from({ length: METERS }, (_, at) => enrolled(at)).indexOf(value);
          return number < 0 ? undefined : { meterId: MeterId.parse(`M-${number}`), at: T0 };
        }),
      meters: async (meterIds) =>
        new Map(
          meterIds.map((meterId) => {
            const slot = Number(meterId.slice(2));
            return [meterId, { state: "enrolled", place: { segment: slot % 2, slot } } as never];
          }),
        ),
    },
    profiles: async (name) => PROFILES.get(name),
    vault: {
      open: async ({ meterId }) => {
        asked.vault++;
        return { unicast: keyOf(Number(meterId.slice(2))) };
      },
    },
    ledger: { job: async (jobId) => (jobId === JOB ? job : undefined) },
    requests: {
      byInvocationId: async (id) => {
        asked.requests++;
        return id === ID ? request : undefined;
      },
    },
    protocols: [paperProtocol()],
    results: {
      queue: {
        send: async (body) => {
          if (sendFails) throw new Error("no");
          batches.push(decodeMessage(ResultBatchCodec, body));
        },
      },
      batches: { putText: async () => "none" },
    },
    bridgeId: "b-groups",
  });
  return { answers, batches, asked, clock };
}
const answer = (number: number, over: { key?: string; id?: number } = {}): Uint8Array =>
  paperAnswer(titleOf(number), over.key ?? keyOf(number), { id: over.id ?? ID }, VALUE, T0 - 1_000);
const given = async (answers: GroupAnswers, ...octets: Uint8Array[]) => {
  for (const one of octets) expect(answers.receive(one)).toBe(true);
  await answers.drain();
  return answers.counts();
};

describe("an answer to a group request", () => {
  it("that verifies under the meter's own key ends its task, by segment, as an ordinary result", async () => {
    const { answers, batches } = await world();
    expect(await given(answers, answer(0), answer(1), answer(2))).toEqual({ taken: 3, reported: 3 });
    const reported = batches.flatMap(({ segment, tasks }) => tasks.map(({ slot }) => `${segment}/${slot}`));
    expect(reported.sort()).toEqual(["0/0", "0/2", "1/1"]);
    expect(batches[0]).toMatchObject({ job: JOB, part: 0, generation: 1, passOver: false, lane: "bulk" });
    expect(batches[0]?.tasks[0]).toMatchObject({
      meterId: "M-0",
      outcome: { kind: "done" },
      registers: [{ m: "energy.active.import.total", v: 41n, s: 0, at: T0 - 1_000 }],
    });
    expect(new Set(batches.map(({ batch }) => batch)).size).toBe(batches.length);
  });

  it("finds its meter whichever form of its title was enrolled", async () => {
    const { answers } = await world({ whole: true });
    expect(await given(answers, answer(1))).toEqual({ taken: 1, reported: 1 });
  });

  it("that comes again is taken once", async () => {
    const { answers, batches } = await world();
    expect(await given(answers, answer(0), answer(0), answer(0), answer(0))).toEqual({
      taken: 1,
      again: 3,
      reported: 1,
    });
    expect(batches.length).toBe(1);
  });

  it("under another meter's key, the group's or none closes nothing, and costs only so much", async () => {
    const { answers, batches, asked } = await world();
    const strangers = Array.from({ length: 20 }, () => answer(0, { key: keyOf(1) }));
    expect(await given(answers, ...strangers)).toEqual({ "paper.bad-mac": 3, again: 17 });
    expect(asked.vault).toBe(3);
    expect(batches).toEqual([]);
  });

  it("that names no request of ours, or no meter of ours, closes nothing", async () => {
    const { answers, batches } = await world();
    const stranger = paperAnswer(".9.9", keyOf(0), { id: ID }, VALUE, T0);
    expect(await given(answers, answer(0, { id: ID + 1 }), stranger)).toEqual({ "no-such-request": 1, unknown: 1 });
    expect(batches).toEqual([]);
  });

  it("of a meter of another device profile is not read by the words of this one", async () => {
    const { answers } = await world({ profile: "generic-eu" });
    expect(await given(answers, answer(0))).toEqual({ "other-profile": 1 });
  });

  it.each<JobState>(["closed", "cancelling", "paused"])("to a job that is %s changes nothing", async (state) => {
    const { answers, batches } = await world({ state });
    expect(await given(answers, answer(0))).toEqual({ "job-ended": 1 });
    expect(batches).toEqual([]);
  });

  it("to a change is no proof: the meter is asked by itself after the window", async () => {
    const { answers, batches } = await world({ operation: { kind: "setClock" } });
    expect(await given(answers, answer(0))).toEqual({ acknowledged: 1 });
    expect(batches).toEqual([]);
  });

  it("is reported only where a group's key authorises the operation", async () => {
    const { answers } = await world({ operation: { kind: "ping", depth: "meter" } });
    expect(await given(answers, answer(0))).toEqual({ "not-for-groups": 1 });
  });

  it("that cannot be handed to ingest is told; its meter is asked by itself", async () => {
    const { answers } = await world({ sendFails: true });
    expect(await given(answers, answer(0))).toEqual({ taken: 1, "not-reported": 1 });
  });

  it("is known by its form: anything else is somebody else's business", async () => {
    const { answers } = await world();
    expect(answers.receive(new TextEncoder().encode("noise"))).toBe(false);
    expect(answers.counts()).toBeUndefined();
  });

  it("looks a request up once for all answers, and for strangers' ids no more than so often a minute", async () => {
    const { answers, asked } = await world();
    await given(answers, answer(0), answer(1));
    expect(asked.requests).toBe(1);
    for (let id = 0; id < 2_000; id++) answers.receive(answer(0, { id: ID + 100 + id }));
    await answers.drain();
    expect(asked.requests).toBeLessThanOrEqual(601);
  });
});
